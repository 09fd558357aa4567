"""The stage with a model: repair, further rounds, pilot, budget, interruption; the same bytes whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from annotating import TURNS, Model, asked, dialogue, entries, failed, good, is_repair, write_dialogues
from pydantic import ValidationError
from test_annotation_llm_reply import MALFORMED

from sage_data.annotation import Config
from sage_data.chat import Completion, CompletionStatus, Conversation
from sage_data.dialogue import Dialogue, State, Utterance
from sage_data.errors import BudgetStopError, ConfigError
from sage_data.progress import SilentProgress
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import from_table, read_dialogues
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table

PRICES = {"input_price": 1.0, "output_price": 2.0}


class Said(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Model], Model]:
    def put(model: Model) -> Model:
        monkeypatch.setattr("sage_data.chat.uri.open_chat", lambda uri: model)
        return model

    return put


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shards = [[dialogue(f"{shard}-{row}") for row in range(6)] for shard in range(3)]
    return write_dialogues(tmp_path / "in", *shards)


def annotate(folder: Path, out: Path, said: Said | None = None, **config: Any) -> Manifest:
    options = {"annotator": "llm", "model": "model:x", "pilot_rows": 5, **config}
    context = Context(seed=7, journal=out.parent / f"{out.name}.sqlite", report=said or Said())
    return run_stage("sage_data.annotation", options, {"dialogues": [folder]}, out, context)


def report(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "report.json").read_text())
    return found


def names(conversation: Conversation) -> str:
    """Which dialogue a conversation is about."""
    return str(asked(conversation)[0]["text"].partition("(")[2].rstrip(")"))


# --- what comes out -----------------------------------------------------------------------------------------------


def test_all_is_annotated_and_nothing_is_lost(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    model = use(Model())
    manifest = annotate(folder, tmp_path / "out", **PRICES)
    assert len(model.calls) == 18
    found = list(read_dialogues(tmp_path / "out"))
    assert [one.id for one in found] == [one.id for one in read_dialogues(folder)]
    assert found[0].utterances[1].text == "Thats wonderful news for you How do you feel about it?"
    assert found[0].utterances[1].state == State("empathy", "happy", ("cat",))
    rewrites = read_table(tmp_path / "out", "rewrites").to_pylist()
    originals = {(one["dialogue"], one["index"]): one["original"] for one in rewrites}
    for before, after in zip(read_dialogues(folder), found, strict=True):
        restored = [originals.get((after.id, index), one.text) for index, one in enumerate(after.utterances)]
        assert restored == [one.text for one in before.utterances]
    assert {one.unit: (one.came_in, one.kept) for one in manifest.counts} == {
        "dialogues": (18, 18),
        "utterances": (90, 90),
    }
    assert manifest.failures == []
    assert manifest.models == {"annotator": "model@1"}
    told = report(tmp_path / "out")
    assert told["utterances"] == {"annotated": 90, "rewritten": 72, "bridges": 18, "mean_similarity": 1.0}
    assert told["null_rates"]["user"]["emotion"]["rate"] == round(2 / 3, 6)
    assert told["cost_usd"] == round((told["prompt_tokens"] + 2 * told["completion_tokens"]) / 1e6, 6)
    assert "18 annotated" in (tmp_path / "out" / "summary.txt").read_text()


def test_bytes_do_not_depend_on_order_or_concurrency(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model]
) -> None:
    def now_and_then(conversation: Conversation) -> str:
        return "nonsense" if names(conversation)[-1] in "25" and not is_repair(conversation) else good(conversation)

    found = []
    for number, (window, order) in enumerate([(1, 0), (4, 1), (50, 2)]):
        use(Model(now_and_then, window=window, order=order))
        found.append(annotate(folder, tmp_path / f"out{number}").content_hash)
    assert len(set(found)) == 1


def test_text_and_questions_can_be_left_alone(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    def bare(*fields: str) -> Callable[[Conversation], str]:
        def reply(conversation: Conversation) -> str:
            made = entries(asked(conversation), bridges=False)
            return json.dumps({"utterances": [{k: v for k, v in one.items() if k not in fields} for one in made]})

        return reply

    model = use(Model(bare("text", "bridge")))
    annotate(folder, tmp_path / "kept", keep_text=True)
    assert "question" not in model.calls[0].messages[0].content
    assert [one.text for one in next(read_dialogues(tmp_path / "kept")).utterances][:1] == [f"{TURNS[0]} (0-0)"]
    assert read_table(tmp_path / "kept", "rewrites").num_rows == 0
    use(Model(bare("bridge")))
    annotate(folder, tmp_path / "plain", bridge=False)
    assert report(tmp_path / "plain")["utterances"]["bridges"] == 0
    assert report(tmp_path / "plain")["utterances"]["rewritten"] == 72


def test_a_tag_map_takes_the_place_of_the_shipped_one(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model]
) -> None:
    model = use(Model())
    (tmp_path / "map.toml").write_text('[motivation]\ntelling = ["sharing"]\n[emotion]\nglad = ["happy"]\n')
    options = {"annotator": "llm", "model": "model:x", "pilot_rows": 0}
    inputs = {"dialogues": [folder], "tag_map": [tmp_path / "map.toml"]}
    run_stage("sage_data.annotation", options, inputs, tmp_path / "out")
    assert next(read_dialogues(tmp_path / "out")).utterances[0].state == State("telling", "glad", ("cat",))
    assert "Motivations: telling." in model.calls[0].messages[0].content


# --- failures -----------------------------------------------------------------------------------------------------


def test_a_bad_reply_is_shown_once_and_mended(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    model = use(Model(lambda one: good(one) if is_repair(one) else "Sorry <|im_end|>"))
    manifest = annotate(folder, tmp_path / "out")
    assert len(model.calls) == 36
    repair = next(filter(is_repair, model.calls))
    assert [one.role for one in repair.messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert repair.messages[4].content == "Sorry \\u003c|im_end|>"
    assert "expected one JSON object" in repair.messages[5].content
    assert manifest.failures == []
    told = report(tmp_path / "out")
    assert told["repairs"]["needed"]["count"] == told["repairs"]["helped"]["count"] == 18
    assert told["unusable_replies"]["not_json"]["count"] == 18


def test_fifty_malformed_replies_are_counted_reported_and_kept_apart(
    tmp_path: Path, use: Callable[[Model], Model]
) -> None:
    talks = [dialogue(f"bad-{index}", *TURNS) for index in range(len(MALFORMED))]
    fine = [dialogue(f"fine-{index}") for index in range(3)]
    folder = write_dialogues(tmp_path / "in", [*talks, *fine])
    coming = iter([text for text, _ in MALFORMED])
    given: dict[int, str] = {}

    def reply(conversation: Conversation) -> str:
        if asked(conversation)[0]["text"] != TURNS[0]:
            return good(conversation)
        if conversation.seed not in given:
            given[conversation.seed] = next(coming)
        return given[conversation.seed]

    use(Model(reply, window=1))
    manifest = annotate(folder, tmp_path / "out", pilot_rows=0)
    rejected = read_table(tmp_path / "out" / "rejected", "dialogues")
    assert from_table(rejected) == talks
    assert rejected["reason"].to_pylist() == [kind.value for _, kind in MALFORMED]
    assert all(rejected["detail"].to_pylist())
    assert all(len(one) <= 2000 for one in rejected["reply"].to_pylist())
    assert [one.id for one in read_dialogues(tmp_path / "out")] == [one.id for one in fine]
    counts = {one.unit: one for one in manifest.counts}
    assert sum(counts["dialogues"].dropped.values()) == len(MALFORMED)
    assert all(one.adds_up() for one in manifest.counts)
    told = report(tmp_path / "out")
    assert sum(one["count"] for one in told["failures"].values()) == told["dialogues"]["failed"] == len(MALFORMED)
    assert len(manifest.failures) == 1
    assert "--retry-failed" in manifest.failures[0]


@pytest.mark.parametrize("status", [one for one in CompletionStatus if one is not CompletionStatus.OK])
def test_a_status_is_a_failure_whatever_the_text(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model], status: CompletionStatus
) -> None:
    def reply(conversation: Conversation) -> str | Completion:
        return failed(status, good(conversation)) if names(conversation) == "1-2" else good(conversation)

    model = use(Model(reply))
    manifest = annotate(folder, tmp_path / "out")
    assert read_table(tmp_path / "out" / "rejected", "dialogues")["reason"].to_pylist() == [status.value]
    # The pilot asks anew what had no answer; nobody repairs a reply that is not there.
    assert not any(map(is_repair, model.calls))
    assert len(manifest.failures) == 1
    assert report(tmp_path / "out")["failures"] == {
        status.value: {"count": 1, "n": 18, "rate": 0.055556, "low": 0.009875, "high": 0.257573}
    }


def test_failed_ones_are_asked_again_with_other_seeds(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model]
) -> None:
    seeds: dict[str, set[int]] = {}

    def stubborn(conversation: Conversation) -> str:
        name = names(conversation)
        seeds.setdefault(name, set()).add(conversation.seed)
        return "no" if name == "2-3" and len(seeds[name]) < 2 else good(conversation)

    model = use(Model(stubborn))
    assert len(annotate(folder, tmp_path / "out").failures) == 1
    assert len(model.calls) == 19
    # The same folder: finished calls come from the journal, only the failed dialogue is asked about.
    seeds["2-3"] = set()  # the first round's answers are known: its seed is not seen again
    assert annotate(folder, tmp_path / "out", retry_failed=2).failures == []
    assert len(model.calls) == 19 + 3
    assert len({one.seed for one in model.calls[-3:]}) == 2
    told = report(tmp_path / "out")
    assert told["further_rounds"]["needed"]["count"] == told["further_rounds"]["helped"]["count"] == 1
    assert told["calls"] == 17 + 5


def test_a_dialogue_without_utterances_is_never_asked_about(tmp_path: Path, use: Callable[[Model], Model]) -> None:
    folder = write_dialogues(tmp_path / "in", [Dialogue("empty", ()), dialogue("full")], [])
    model = use(Model())
    manifest = annotate(folder, tmp_path / "out")
    assert len(model.calls) == 1
    assert read_table(tmp_path / "out" / "rejected", "dialogues")["reason"].to_pylist() == ["no_utterances"]
    assert len(manifest.failures) == 1


# --- what is finished stays ---------------------------------------------------------------------------------------


def test_annotating_finished_output_asks_nothing_and_changes_no_row(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model]
) -> None:
    model = use(Model())
    annotate(folder, tmp_path / "once")
    before = len(model.calls)
    annotate(tmp_path / "once", tmp_path / "twice")
    annotate(tmp_path / "twice", tmp_path / "thrice", annotator="llm")
    assert len(model.calls) == before
    for index in range(3):
        file = f"rewrites-{index:05d}.parquet"
        first = (tmp_path / "once" / file).read_bytes()
        assert (tmp_path / "twice" / file).read_bytes() == (tmp_path / "thrice" / file).read_bytes() == first
        # The rows are the same; only their counts say that the states were there before.
        file = f"dialogues-{index:05d}.parquet"
        assert pq.read_table(tmp_path / "twice" / file).equals(pq.read_table(tmp_path / "once" / file))
        assert (tmp_path / "thrice" / file).read_bytes() == (tmp_path / "twice" / file).read_bytes()
    assert report(tmp_path / "twice")["dialogues"]["passed"] == 18


def test_only_missing_states_are_filled_and_the_first_original_is_kept(
    tmp_path: Path, use: Callable[[Model], Model]
) -> None:
    talk = dialogue("talk")
    known = Utterance("user", talk.utterances[0].text, State("declared"))
    folder = write_dialogues(tmp_path / "in", [Dialogue("talk", (known, *talk.utterances[1:]))])
    use(Model())
    annotate(folder, tmp_path / "out")
    found = next(read_dialogues(tmp_path / "out")).utterances
    assert found[0] == known
    assert [one["index"] for one in read_table(tmp_path / "out", "rewrites").to_pylist()] == [1, 2, 4]
    annotate(tmp_path / "out", tmp_path / "anew", existing="replace")
    rewrites = read_table(tmp_path / "anew", "rewrites").to_pylist()
    assert [one["original"] for one in rewrites] == [one.text for one in talk.utterances if one.text[0].islower()]


@pytest.mark.parametrize("lives", [3, 9, 17])
def test_a_killed_run_repeats_no_finished_call_and_ends_in_the_same_bytes(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model], lives: int
) -> None:
    def now_and_then(conversation: Conversation) -> str:
        return "nonsense" if names(conversation)[-1] in "25" and not is_repair(conversation) else good(conversation)

    first = use(Model(now_and_then, window=3, lives=lives))
    with pytest.raises(KeyboardInterrupt):
        annotate(folder, tmp_path / "broken", **PRICES)
    second = use(Model(now_and_then, window=5, order=9))
    broken = annotate(folder, tmp_path / "broken", **PRICES)
    done = [(one.messages, one.seed) for one in (*first.calls, *second.calls)]
    assert len(done) == len(set(done)) == 18 + 6
    use(Model(now_and_then))
    whole = annotate(folder, tmp_path / "whole", **PRICES)
    assert (broken.content_hash, broken.counts) == (whole.content_hash, whole.counts)


# --- pilot and budget ---------------------------------------------------------------------------------------------


def test_the_pilot_is_asked_first_and_never_again(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    model, said = use(Model()), Said()
    with pytest.raises(BudgetStopError, match="only the pilot was asked for") as caught:
        annotate(folder, tmp_path / "out", said, pilot_only=True, **PRICES)
    assert caught.value.next_step is not None
    assert "--pilot-only" in caught.value.next_step
    assert len(model.calls) == 5
    assert said.lines == [line for line in said.lines if line.startswith("forecast: 18 to 36 calls")]
    assert "the remaining 13 will take (95 % intervals): calls 13 to" in str(caught.value)
    estimate = json.loads((tmp_path / ".work" / "out" / "estimate.json").read_text())
    assert estimate["dialogues"] == {"to_ask": 18, "pilot": 5, "remaining": 13}
    annotate(folder, tmp_path / "out", **PRICES)
    assert len(model.calls) == 18
    told = report(tmp_path / "out")
    for name in ("prompt_tokens", "completion_tokens", "cost_usd"):
        low, high = (estimate["remaining"][name][end] for end in ("low", "high"))
        assert low - 1e-9 <= told[name] - estimate["pilot"][name] <= high + 1e-9
    assert json.loads((tmp_path / "out" / "estimate.json").read_text()) == estimate


def test_a_small_budget_is_told_before_it_is_spent(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    use(Model())
    with pytest.raises(BudgetStopError):
        annotate(folder, tmp_path / "out", pilot_only=True, **PRICES)
    estimate = json.loads((tmp_path / ".work" / "out" / "estimate.json").read_text())
    pilot, low = estimate["pilot"]["cost_usd"], estimate["remaining"]["cost_usd"]["low"]
    # What the pilot cost counts, whoever paid it: just below the sum does not do, just above it may.
    for cost, warned in ((pilot + low - 1e-5, True), (pilot + low + 1e-5, False)):
        with pytest.raises(BudgetStopError) as caught:
            annotate(folder, tmp_path / "out", pilot_only=True, max_cost=cost, **PRICES)
        assert ("will not do: at least" in str(caught.value)) is warned
        assert ("what earlier attempts spent included" in str(caught.value)) is warned


def test_replies_that_may_not_fit_are_foretold(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    use(Model())
    said = Said()
    annotate(folder, tmp_path / "out", said, max_tokens=64, pilot_rows=0)
    assert "18 replies may not fit into max_tokens 64" in said.lines[0]
    assert said.lines[1] == "no pilot: 18 dialogues to ask about"


def test_without_a_journal_the_pilot_is_not_repeated_either(
    tmp_path: Path, folder: Path, use: Callable[[Model], Model]
) -> None:
    model = use(Model())
    options = {"annotator": "llm", "model": "model:x", "pilot_rows": 5}
    run_stage("sage_data.annotation", options, {"dialogues": [folder]}, tmp_path / "out", Context(seed=7))
    assert len(model.calls) == 18


def test_the_budget_stops_and_a_higher_one_goes_on(tmp_path: Path, folder: Path, use: Callable[[Model], Model]) -> None:
    model = use(Model(window=2))
    whole = annotate(folder, tmp_path / "whole", **PRICES)
    cost = report(tmp_path / "whole")["cost_usd"]
    model.calls.clear()
    said = Said()
    with pytest.raises(BudgetStopError):
        annotate(folder, tmp_path / "out", said, max_cost=cost / 2, **PRICES)
    assert any("will not do" in line for line in said.lines)
    first = len(model.calls)
    assert 7 <= first <= 11
    manifest = annotate(folder, tmp_path / "out", max_cost=cost, **PRICES)
    assert len(model.calls) == 18
    assert manifest.content_hash == whole.content_hash


# --- options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"model": "hf:x"}, "needs annotator llm"),
        ({"keep_text": True}, "needs annotator llm"),
        ({"annotator": "llm"}, "needs a model"),
        ({"annotator": "llm", "model": "hf:x", "lexicon_sha256": "0"}, "needs annotator lexicon"),
        ({"annotator": "llm", "model": "hf:x", "keep_text": True, "min_similarity": 0.3}, "keep_text"),
        ({"annotator": "llm", "model": "hf:x", "max_cost": 1}, "needs input_price"),
        ({"annotator": "llm", "model": "hf:x", "input_price": 1}, "belong together"),
        ({"annotator": "llm", "model": "hf:x", "pilot_rows": 2}, "at least 5"),
        ({"annotator": "llm", "model": "hf:x", "pilot_rows": 0, "pilot_only": True}, "at least 5"),
    ],
)
def test_options_that_would_do_nothing_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Config.model_validate(options)


CANARY = "sk-canary0123456789abcdef"


@pytest.mark.parametrize(
    "model",
    [
        f"openai:m@http://127.0.0.1:1/v1?api_key={CANARY}",
        f"openai:m@http://user:{CANARY}@127.0.0.1:1/v1",
        f"openai:m@http://127.0.0.1:1/v1?key_env={CANARY}",
        f"hf:https://user:{CANARY}@example.org/model",
        f"hf:model?token={CANARY[3:9]}",
        f"other:{CANARY}",
    ],
)
def test_a_model_with_a_key_or_password_is_refused_unrepeated(tmp_path: Path, model: str) -> None:
    """Before anything is written; other faults of the config do not repeat it either."""
    for options in ({}, {"max_cost": 1}, {"temperature": "warm"}):
        with pytest.raises(ConfigError) as caught:
            Config.model_validate({"annotator": "llm", "model": model, **options})
        assert CANARY[3:9] not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"
    with pytest.raises(ConfigError):
        annotate(tmp_path / "none", tmp_path / "out", model=model)
    assert list(tmp_path.iterdir()) == []


def test_addresses_are_checked_without_the_client() -> None:
    code = (
        "import sys; from sage_data.annotation import Config; "
        "Config(annotator='llm', model='openai:m@http://h/v1?key_env=K'); "
        "sys.exit(bool({'openai', 'httpx', 'stamina'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    for sound in ("hf:@weights", "hf:model?max_tokens=9", "other:model@place?key_env=NAME"):
        assert Config(annotator="llm", model=sound).model == sound
    with pytest.raises(ConfigError, match="the model's name or its URL is missing"):
        Config(annotator="llm", model="openai:m")


def test_a_config_can_be_read_back() -> None:
    config = Config(annotator="llm", model="hf:x", keep_text=True)
    assert Config.model_validate(config.model_dump()) == config
    assert Config.model_validate(Config().model_dump()) == Config()
