"""Mixing: exact shares, nothing lost or doubled, the same bytes whatever the shards, and every row's origin."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sage_data import mixing
from sage_data.chains import MESSAGE_SCHEMA, read_messages
from sage_data.chains.exports import CONVERSATION_SCHEMA
from sage_data.cli.stage_command import stage_command
from sage_data.dialogue import Dialogue, Source, State, Utterance
from sage_data.errors import ConfigError, InputError, SageError
from sage_data.mixing.drawing import draw, order
from sage_data.mixing.shares import apportion, as_shares, largest_total
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues, to_table
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table, shard_name, write_table

Row = dict[str, Any]
ROLES = ("user", "assistant")


def message_row(name: str, exchanges: int = 1, **other: Any) -> Row:
    said = [{"role": ROLES[turn % 2], "content": f"{name} {turn}"} for turn in range(2 * exchanges)]
    return {"id": name, "messages": said, "variant": "none", "exchanges": exchanges, "corpus": "test", **other}


def rows_of(prefix: str, count: int, **other: Any) -> list[Row]:
    return [message_row(f"{prefix}{number}", 1 + number % 3, **other) for number in range(count)]


def write(folder: Path, rows: Sequence[Row], cuts: Sequence[int] = (), schema: pa.Schema = MESSAGE_SCHEMA) -> Path:
    """A folder of messages cut into shards before these rows."""
    name = "messages" if "messages" in schema.names else "conversations"
    edges = [0, *cuts, len(rows)]
    for index, (first, last) in enumerate(pairwise(edges)):
        write_table(folder / shard_name(name, index), pa.Table.from_pylist(list(rows[first:last]), schema=schema))
    return folder


def mix(out: Path, *folders: Path, seed: int = 0, table: str = "messages", **config: Any) -> tuple[list[Row], Manifest]:
    manifest = run_stage("sage_data.mixing", config, {"datasets": list(folders)}, out, Context(seed=seed))
    return read_table(out, table).to_pylist(), manifest


# --- shares -------------------------------------------------------------------------------------------------------

WEIGHTS = st.lists(st.floats(0, 1e6) | st.integers(0, 5).map(float), min_size=1, max_size=6).filter(any)


@given(WEIGHTS, st.integers(0, 10_000))
def test_counts_add_up_and_are_less_than_one_row_from_their_share(weights: list[float], total: int) -> None:
    shares = as_shares(weights)
    counts = apportion(total, shares)
    assert sum(counts) == total
    assert sum(shares) == 1
    assert all(abs(count - total * share) < 1 for count, share in zip(counts, shares, strict=True))
    assert all(count == 0 for count, share in zip(counts, shares, strict=True) if not share)


@given(WEIGHTS, st.data())
def test_the_largest_total_asks_for_no_more_than_there_is(weights: list[float], data: st.DataObject) -> None:
    shares = as_shares(weights)
    sizes = data.draw(st.lists(st.integers(1, 500), min_size=len(shares), max_size=len(shares)))
    largest = largest_total(sizes, shares)
    assert all(count <= size for count, size in zip(apportion(largest, shares), sizes, strict=True))
    assert any((largest + 1) * share > size for size, share in zip(sizes, shares, strict=True))


def test_shares_by_hand() -> None:
    assert as_shares([0.1, 0.2]) == (Fraction(1, 3), Fraction(2, 3))
    assert apportion(10, as_shares([1, 1, 1])) == [4, 3, 3]
    assert apportion(7, as_shares([0.5, 0.3, 0.2])) == [4, 2, 1]
    assert largest_total([30, 100], as_shares([0.8, 0.2])) == 37


# --- drawing ------------------------------------------------------------------------------------------------------


def test_orders_stay_what_they_are() -> None:
    """The first numbers of SplitMix64 from seed 1234567, as its other implementations give them."""
    drawn = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert order(5, 1234567).tolist() == sorted(range(5), key=drawn.__getitem__)
    assert sorted(order(1000, 3)) == list(range(1000))
    assert order(0, 1).tolist() == []


def test_orders_are_even() -> None:
    """Each of 6 rows comes first about as often, and so does each pair of neighbours."""
    orders = [tuple(order(6, seed)) for seed in range(6_000)]
    assert max(abs(count - 1000) for count in Counter(one[0] for one in orders).values()) < 150
    assert max(abs(count - 200) for count in Counter(one[:2] for one in orders).values()) < 75


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 90)), min_size=1, max_size=4), st.integers(0, 99))
def test_no_row_is_taken_again_before_all_others_were(sources: list[tuple[int, int]], seed: int) -> None:
    sizes, taken = [size for size, _ in sources], [count for _, count in sources]
    draws = draw(sizes, taken, seed)
    assert sorted(np.concatenate([one.places for one in draws])) == list(range(sum(taken)))
    for one, size, count in zip(draws, sizes, taken, strict=True):
        assert len(one.rows) == count
        assert list(one.rows) == sorted(one.rows)
        times = np.bincount(one.rows, minlength=size)
        assert times.max() - times.min() <= 1
        assert len(set(zip(one.rows.tolist(), one.passes.tolist(), strict=True))) == count


# --- the stage ----------------------------------------------------------------------------------------------------


@settings(max_examples=10, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 40), max_size=3),
    seed=st.integers(0, 5),
    weighted=st.booleans(),
)
def test_no_row_is_lost_or_doubled_and_shards_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], cuts: list[int], seed: int, weighted: bool
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    data = [rows_of(f"{name}-", size) for name, size in zip("abc", sizes, strict=False)]
    options = {"weight": [3.0, 1.0, 0.5][: len(sizes)]} if weighted else {}
    if weighted and not largest_total(sizes, as_shares(options["weight"])):
        return
    found = []
    for attempt, edges in enumerate([[], sorted(cuts)]):
        inputs = [
            write(folder / str(attempt) / "abc"[place], rows, [cut for cut in edges if cut < len(rows)])
            for place, rows in enumerate(data)
        ]
        found.append(mix(folder / f"out{attempt}", *inputs, seed=seed, **options)[0])
    shards = [sorted((folder / out).glob("messages-*")) for out in ("out0", "out1")]
    assert [one.read_bytes() for one in shards[0]] == [one.read_bytes() for one in shards[1]]
    by_id = {f"{'abc'[place]}/{row['id']}": row for place, rows in enumerate(data) for row in rows}
    assert len({row["id"] for row in found[0]}) == len(found[0])
    for row in found[0]:
        assert row["messages"] == by_id[row["id"]]["messages"]
        assert row["id"] == f"{row['source_datasets'][0]}/{row['source_ids'][0]}"
    if not weighted:
        assert {row["id"] for row in found[0]} == set(by_id)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    chains = write(tmp_path / "chains", rows_of("c", 90, variant="full", place="aww"), [40])
    return chains, write(tmp_path / "sharegpt", rows_of("s", 50, variant="none"))


def test_weights_rows_counts_and_provenance(tmp_path: Path, two: tuple[Path, Path]) -> None:
    rows, manifest = mix(tmp_path / "out", *two, weight=[0.8, 0.2], rows=99, seed=3)
    assert Counter(row["source_datasets"][0] for row in rows) == {"chains": 79, "sharegpt": 20}
    assert Counter(row["variant"] for row in rows) == {"full": 79, "none": 20}
    (counts,) = manifest.counts
    assert (counts.unit, counts.came_in, counts.kept, dict(counts.dropped)) == ("dialogues", 140, 99, {"not_drawn": 41})
    written = json.loads((tmp_path / "out" / "mix.json").read_text())
    assert written["sources"][1] == {
        "label": "sharegpt",
        "content": manifest.inputs["datasets"][1].fingerprint,
        "rows_in": 50,
        "rows_apart": 0,
        "rows_taken": 20,
        "rows_repeated": 0,
        "share_wanted": 0.2,
        "share": 20 / 99,
    }
    assert (written["rows"], written["dialogues"], written["seed"], written["table"]) == (99, 99, 3, "messages")
    assert {(one.name, one.license) for one in manifest.origins} == {("chains", "unknown"), ("sharegpt", "unknown")}
    assert "messages: 99 rows" in (tmp_path / "out" / "summary.txt").read_text()
    assert not (tmp_path / "out" / mixing.LAYERS).exists()


def test_by_default_everything_is_taken_or_all_that_the_weights_allow(tmp_path: Path, two: tuple[Path, Path]) -> None:
    """At one to nine, 50 rows allow 55 in all: 5.5 and 49.5, of which the first input's is rounded up."""
    assert len(mix(tmp_path / "all", *two)[0]) == 140
    rows, _ = mix(tmp_path / "some", *two, weight=[1, 9])
    assert Counter(row["source_datasets"][0] for row in rows) == {"chains": 6, "sharegpt": 49}


def test_weights_on_the_command_line(tmp_path: Path, two: tuple[Path, Path]) -> None:
    command = stage_command("mix", "sage_data.mixing", "mix datasets", "")
    weights = ["--weight", "0.75", "--weight", "0.25", "--rows", "8", "-q"]
    ran = CliRunner().invoke(command, [*map(str, two), "--out", str(tmp_path / "out"), *weights])
    assert ran.exit_code == 0, ran.output
    labels = read_table(tmp_path / "out", "messages")["source_datasets"].to_pylist()
    assert Counter(label for (label,) in labels) == {"chains": 6, "sharegpt": 2}
    for bad in ("-1", "nan", "inf"):
        with pytest.raises(ValidationError, match="a weight is 0 or a number above it"):
            mixing.Config(weight=(1.0, float(bad)))


def test_seed_and_order_matter(tmp_path: Path, two: tuple[Path, Path]) -> None:
    mixes = [
        mix(tmp_path / "a", *two, seed=1),
        mix(tmp_path / "b", *two, seed=1),
        mix(tmp_path / "c", *two, seed=2),
        mix(tmp_path / "d", *reversed(two), seed=1),
    ]
    assert mixes[0][1].content_hash == mixes[1][1].content_hash
    assert len({tuple(row["id"] for row in rows) for rows, _ in mixes}) == 3


def test_labels_that_are_equal_are_told_apart(tmp_path: Path) -> None:
    folders = [write(tmp_path / place / "chains", rows_of("r", 2)) for place in ("x", "y")]
    rows, _ = mix(tmp_path / "out", *folders)
    assert sorted(row["id"] for row in rows) == ["chains-2/r0", "chains-2/r1", "chains/r0", "chains/r1"]


def test_repetition_goes_through_an_input_in_passes(tmp_path: Path) -> None:
    few = write(tmp_path / "few", [message_row("a"), message_row("a~1"), message_row("b")])
    many = write(tmp_path / "many", rows_of("m", 20))
    rows, manifest = mix(tmp_path / "out", few, many, rows=16, weight=[1, 1], on_short="repeat")
    found = Counter(row["source_ids"][0] for row in rows if row["source_datasets"] == ["few"])
    assert sorted(found.values()) == [2, 3, 3]
    assert len({row["id"] for row in rows}) == 16
    assert {row["id"] for row in rows} >= {"few/a~1", "few/a~2", "few/a~1~1", "few/a~1~2", "few/b~1", "few/b~2"}
    assert (manifest.counts[0].kept, manifest.counts[0].came_in) == (11, 23)
    assert json.loads((tmp_path / "out" / "mix.json").read_text())["sources"][0]["rows_repeated"] == 5


def test_stopping_keeps_the_shares(tmp_path: Path, two: tuple[Path, Path]) -> None:
    rows, manifest = mix(tmp_path / "out", *two, rows=130, weight=[1, 1], on_short="stop")
    assert Counter(row["source_datasets"][0] for row in rows) == {"chains": 50, "sharegpt": 50}
    assert "fewer rows than asked for" in manifest.warnings[0]


@pytest.mark.parametrize(
    ("config", "kind", "message"),
    [
        ({"weight": [1]}, ConfigError, r"one weight for each of 2 inputs \(chains, sharegpt\), found 1"),
        ({"weight": [0, 0]}, ConfigError, "all weights are zero"),
        ({"rows": 130, "weight": [1, 1]}, InputError, r"chains has 50|sharegpt has 50 rows, 65 are asked of it"),
        (
            {"rows": 1, "blend": 141, "on_short": "stop"},
            InputError,
            "chains 90, sharegpt 50 do not fill one blend of 141",
        ),
        ({"table": "dialogues"}, InputError, "expected files dialogues-00000.parquet"),
    ],
)
def test_what_cannot_be_mixed_is_refused(
    tmp_path: Path, two: tuple[Path, Path], config: Row, kind: type[SageError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        mix(tmp_path / "out", *two, **config)


def test_the_next_step_names_the_rows_there_are(tmp_path: Path, two: tuple[Path, Path]) -> None:
    with pytest.raises(InputError) as caught:
        mix(tmp_path / "out", *two, rows=130, weight=[1, 1])
    assert caught.value.next_step == "--rows 100, or --on-short repeat, or --on-short stop"


def test_inputs_that_do_not_go_together_are_named(tmp_path: Path) -> None:
    messages = write(tmp_path / "messages", rows_of("m", 2))
    others = write(tmp_path / "others", [{"id": "x", "conversations": []}], schema=CONVERSATION_SCHEMA)
    with pytest.raises(ConfigError, match=r"messages holds messages; .*others holds conversations"):
        mix(tmp_path / "out", messages, others)
    with pytest.raises(InputError, match="empty: the table messages has no rows"):
        mix(tmp_path / "out", messages, write(tmp_path / "empty", []))
    with pytest.raises(InputError, match="rows 1 and 3 of table messages have one id, 'm1'"):
        mix(tmp_path / "out", write(tmp_path / "double", [*rows_of("m", 3), message_row("m1")]))
    with pytest.raises(InputError, match="row 1 of table messages: `messages` is null"):
        mix(tmp_path / "out", write(tmp_path / "null", [message_row("a"), {"id": "b"}]))


def test_foreign_columns_are_filled_or_left_out_with_a_warning(tmp_path: Path, two: tuple[Path, Path]) -> None:
    said = MESSAGE_SCHEMA.field("messages").type
    schema = pa.schema([("id", pa.large_string()), ("messages", said), ("language", pa.string())])
    bare = [{"id": "x", "messages": message_row("x")["messages"], "language": "en"}]
    rows, manifest = mix(tmp_path / "out", two[0], write(tmp_path / "bare", bare, schema=schema))
    (found,) = (row for row in rows if row["source_datasets"] == ["bare"])
    assert (found["id"], found["variant"], found["messages"]) == ("bare/x", None, bare[0]["messages"])
    assert manifest.warnings == ["bare: these columns are left out: language"]
    wrong = pa.schema([("id", pa.string()), ("messages", pa.string())])
    text = write(tmp_path / "text", [{"id": "x", "messages": "hello"}], schema=wrong)
    with pytest.raises(InputError, match="expected the column `messages` as list"):
        mix(tmp_path / "wrong", text)


def test_dialogues_are_mixed_too(tmp_path: Path) -> None:
    for name in ("a", "b"):
        said = (Utterance("user", "hi", State("greeting")), Utterance("assistant", "{hello}"))
        one = Dialogue("x", said, Source(name, files=("f",)), model=None)
        write_table(tmp_path / name / shard_name("dialogues", 0), to_table([one]))
    rows, _ = mix(tmp_path / "out", tmp_path / "a", tmp_path / "b", table="dialogues")
    assert sorted((row["id"], row["source_datasets"], row["source_ids"]) for row in rows) == [
        ("a/x", ["a"], ["x"]),
        ("b/x", ["b"], ["x"]),
    ]
    read = {one.id: one for one in read_dialogues(tmp_path / "out")}
    assert read["a/x"] == Dialogue("a/x", said, Source("a", files=("f",)))
    with pytest.raises(ConfigError, match="blend joins messages"):
        mix(tmp_path / "blend", tmp_path / "a", blend=2)


# --- blending -----------------------------------------------------------------------------------------------------


@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 20), min_size=1, max_size=3),
    size=st.integers(2, 5),
    shard=st.integers(1, 4),
    seed=st.integers(0, 3),
)
def test_blending_loses_nothing_and_roles_alternate(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], size: int, shard: int, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("blend")
    data = [rows_of(f"{name}-", count) for name, count in zip("abc", sizes, strict=False)]
    inputs = [write(folder / "abc"[place], rows) for place, rows in enumerate(data)]
    by_id = {row["id"]: row for rows in data for row in rows}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mixing, "SHARD_ROWS", shard)
        rows, manifest = mix(folder / "out", *inputs, blend=size, seed=seed)
    assert [len(row["source_ids"]) for row in rows[:-1]] == [size] * (len(rows) - 1)
    assert sorted(name for row in rows for name in row["source_ids"]) == sorted(by_id)
    for number, row in enumerate(rows):
        parts = [by_id[name] for name in row["source_ids"]]
        assert row["id"] == f"blend-{number:08d}"
        assert row["messages"] == [one for part in parts for one in part["messages"]]
        assert [one["role"] for one in row["messages"]] == list(ROLES) * row["exchanges"]
        assert row["source_datasets"] == [name.partition("-")[0] for name in row["source_ids"]]
    assert manifest.counts[0].kept == len(by_id)


def test_a_blend_keeps_what_its_parts_share(tmp_path: Path, two: tuple[Path, Path]) -> None:
    rows, _ = mix(tmp_path / "out", *two, blend=3, rows=40)
    assert len(rows) == 40
    for row in rows:
        one_input = len(set(row["source_datasets"])) == 1
        assert row["corpus"] == "test"
        assert row["variant"] in (("full", "none") if one_input else ("mixed",))
        assert row["place"] == ("aww" if set(row["source_datasets"]) == {"chains"} else None)
    plain = next(row for row in rows if row["variant"] == "none")
    assert len(read_messages(plain).utterances) == len(plain["messages"])


def with_system_message(row: Row) -> Row:
    return {**row, "messages": [{"role": "system", "content": "Be kind."}, *row["messages"]]}


def test_rows_out_of_turn_stay_apart_when_others_are_blended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 30 rows every third has a system message and one no answer: 19 are left, and shares are of those."""
    rows = [with_system_message(row) if at % 3 == 0 else row for at, row in enumerate(rows_of("s", 30))]
    rows[1]["messages"] = rows[1]["messages"][:-1]
    inputs = write(tmp_path / "talk", rows_of("t", 38)), write(tmp_path / "sharegpt", rows, [7, 20])
    assert len(mix(tmp_path / "plain", *inputs)[0]) == 68
    monkeypatch.setattr(mixing, "SHARD_ROWS", 4)
    found, manifest = mix(tmp_path / "out", *inputs, weight=[2, 1], blend=2, seed=5)
    assert Counter(name for row in found for name in row["source_datasets"]) == {"talk": 38, "sharegpt": 19}
    assert all([one["role"] for one in row["messages"]] == list(ROLES) * row["exchanges"] for row in found)
    taken = {name for row in found for name in row["source_ids"]}
    apart = read_table(tmp_path / "out" / "rejected", "unblended").to_pylist()
    assert [one["id"] for one in apart] == [row["id"] for at, row in enumerate(rows) if at % 3 == 0 or at == 1]
    assert not taken & {one["id"] for one in apart}
    assert apart[0]["messages"] == rows[0]["messages"]
    assert {(one["source"], one["reason"]) for one in apart} == {("sharegpt", "not_in_turn")}
    (counts,) = manifest.counts
    assert (counts.came_in, counts.kept, dict(counts.dropped)) == (68, 57, {"not_in_turn": 11})
    assert manifest.warnings == [
        "sharegpt: 11 of 30 rows do not go from user to assistant in turn; they stand in rejected/, unblended"
    ]
    assert [one["rows_apart"] for one in json.loads((tmp_path / "out" / "mix.json").read_text())["sources"]] == [0, 11]
    whole = write(tmp_path / "uncut" / "sharegpt", rows)
    again, _ = mix(tmp_path / "again", inputs[0], whole, weight=[2, 1], blend=2, seed=5)
    assert again == found
    assert read_table(tmp_path / "again" / "rejected", "unblended").to_pylist() == apart


def test_an_input_that_cannot_be_blended_at_all_is_refused(tmp_path: Path) -> None:
    odd = write(tmp_path / "odd", [with_system_message(row) for row in rows_of("s", 3)])
    with pytest.raises(InputError, match=r"odd: blending needs rows that .*; none of 3 does"):
        mix(tmp_path / "out", odd, blend=2)


def test_conversations_are_blended_too(tmp_path: Path) -> None:
    said = [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]
    rows = [{"id": name, "conversations": said, "variant": "none", "exchanges": 1} for name in "xyz"]
    folder = write(tmp_path / "in", rows, schema=CONVERSATION_SCHEMA)
    found, _ = mix(tmp_path / "out", folder, blend=2, table="conversations")
    assert [(row["conversations"], row["exchanges"]) for row in found] == [(said * 2, 2), (said, 1)]


# --- resume -------------------------------------------------------------------------------------------------------


def test_a_killed_mix_goes_on_to_the_same_bytes(
    tmp_path: Path, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, "SHARD_ROWS", 30)
    _, whole = mix(tmp_path / "whole", *two, seed=4)
    collect = mixing.Layers.collect

    def killed(layers: mixing.Layers, shard: int) -> pa.Table:
        if shard == 2:
            raise KeyboardInterrupt
        return collect(layers, shard)

    with monkeypatch.context() as patch:
        patch.setattr(mixing.Layers, "collect", killed)
        with pytest.raises(KeyboardInterrupt):
            mix(tmp_path / "out", *two, seed=4)
    assert len(list((tmp_path / ".work" / "out").glob("messages-*"))) == 2
    _, resumed = mix(tmp_path / "out", *two, seed=4)
    assert resumed.content_hash == whole.content_hash
    assert resumed.counts == whole.counts
    assert not (tmp_path / "out" / mixing.LAYERS).exists()
