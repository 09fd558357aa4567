"""What `sage eval publish` refuses, and what its cards say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from eval_folders import EMPATHETIC, GOLDEN, SITUATIONS, golden_card, replies, report, warehouse
from hub_folders import REDDIT, dialogues, write_folder
from localhub import LocalHub

from sage_data.errors import ConfigError, InputError, PublishError
from sage_data.stage import run_stage
from sage_data.store.manifest import Manifest, Origin
from sage_eval.publish import columns
from sage_eval.publish.words import WINDOW, Spoken, words_of
from sage_eval.warehouse.contract import TABLES
from sage_eval.warehouse.database import declared_tables, open_memory

pytestmark = pytest.mark.slow

for package in ("huggingface_hub", "duckdb", "jinja2"):
    pytest.importorskip(package)

SPACE, ROWS = "me/board", "me/rows"
Dry = Callable[..., Manifest]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("evaluation")
    warehouse(parent)
    report(parent)
    return parent


@pytest.fixture
def dry(made: Path, tmp_path: Path) -> Dry:
    numbers = iter(range(100))

    def published(where: Path = made, pages: Path | None = None, **options: Any) -> Manifest:
        given = {"report": pages or where / "report", "warehouse": where / "warehouse"}
        final = tmp_path / "published" / f"out{next(numbers)}"
        return run_stage("sage_eval.publish", {"space": SPACE, "dataset": ROWS, **options}, given, final)

    return published


def card(tmp_path: Path, folder: str, out: str = "out0") -> str:
    return (tmp_path / "published" / out / folder / "README.md").read_text()


# --- licence ----------------------------------------------------------------------------------------------------------


def test_what_was_said_cannot_go_under_a_more_permissive_licence(dry: Dry, tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="allows non-commercial use only") as error:
        dry(text_release=True, license="apache-2.0")
    assert "--license" in str(error.value.next_step)
    dry(text_release=True)
    assert "license: cc-by-nc-4.0\n" in card(tmp_path, "dataset", "out1")
    assert "license: cc-by-nc-4.0\n" in card(tmp_path, "space", "out1")
    assert (tmp_path / "published" / "out1" / "dataset" / "turns").is_dir()
    assert (tmp_path / "published" / "out1" / "space" / "data" / "dialogues" / "00000.js").is_file()


def test_measurements_may_go_under_any_licence_and_go_under_the_sources_own_by_default(
    dry: Dry, tmp_path: Path
) -> None:
    dry()
    dry(license="apache-2.0")
    assert "license: cc-by-nc-4.0\n" in card(tmp_path, "dataset")
    assert "license: apache-2.0\n" in card(tmp_path, "dataset", "out1")
    assert "None of their words are in these tables" in card(tmp_path, "dataset", "out1")
    for wrong in ("unknown", "my-own", "other"):
        with pytest.raises(PublishError, match="may not be claimed"):
            dry(license=wrong)


def test_sources_that_nobody_knows_block_words_until_they_are_cleared(tmp_path: Path, dry: Dry) -> None:
    warehouse(tmp_path / "run", [Origin(name="Found", license="unknown")])
    report(tmp_path / "run", origins=())
    with pytest.raises(PublishError, match="Found"):
        dry(tmp_path / "run", text_release=True, license="cc-by-4.0")
    with pytest.raises(PublishError, match="may not be claimed"):
        dry(tmp_path / "run")
    dry(tmp_path / "run", text_release=True, license="cc-by-4.0", cleared=["found"])
    assert "vouches for the use of Found" in card(tmp_path, "dataset", "out2")


def test_words_that_a_source_wants_withheld_go_to_private_places_alone(
    hub: LocalHub, dry: Dry, tmp_path: Path, waits: list[float], unloaded: list[str]
) -> None:
    warehouse(tmp_path / "run", [REDDIT])
    report(tmp_path / "run", origins=[REDDIT])
    options = {"text_release": True, "license": "cc-by-4.0", "allow": ["unknown-license"]}
    with pytest.raises(ConfigError, match="--no-private"):
        dry(tmp_path / "run", **options, private=False)
    dry(tmp_path / "run", **options, dry_run=False)
    assert (hub.repo(ROWS).private, hub.repo(ROWS).gated) == (True, "manual")
    assert hub.repo(f"spaces/{SPACE}").private
    assert "text is published that its source wants withheld (private)" in card(tmp_path, "dataset", "out1")


def test_comments_never_leave_with_an_evaluation(dry: Dry, tmp_path: Path) -> None:
    """People may delete them, and only `sage data publish` takes a list of what was deleted."""
    comments = write_folder(tmp_path / "annotated", [dialogues(3)], [REDDIT])
    run_stage("sage_eval.warehouse", {}, {"runs": [comments]}, tmp_path / "warehouse")
    report(tmp_path, origins=[REDDIT])
    options = {"license": "cc-by-4.0", "allow": ["unknown-license"], "tables": ["turns"]}
    with pytest.raises(PublishError, match="comments that people may delete, from the stages annotated"):
        dry(tmp_path, text_release=True, **options)


# --- scans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["write to jane.doe@example.org", "jane.doe\\u0040example.org", "jane.doe&#64;example.org"]
)
def test_a_finding_in_a_page_blocks_however_it_is_written(
    hub: LocalHub, dry: Dry, made: Path, tmp_path: Path, text: str, waits: list[float], unloaded: list[str]
) -> None:
    pages = report(tmp_path, of=made / "warehouse", pages={"data.html": f"<!doctype html><p>{text}</p>"})
    with pytest.raises(PublishError, match=r"email: 1 found"):
        dry(pages=pages, dry_run=False)
    assert hub.seen == []
    dry(pages=pages, allow=["email"])
    assert "1 findings of the scan for email were allowed" in card(tmp_path, "space", "out1")


def test_a_key_in_a_table_blocks(hub: LocalHub, dry: Dry, tmp_path: Path, waits: list[float]) -> None:
    warehouse(tmp_path / "run", secret="hf_" + "a" * 24)
    report(tmp_path / "run")
    with pytest.raises(PublishError, match=r"key: \d+ found") as error:
        dry(tmp_path / "run", dry_run=False)
    assert error.value.next_step == "take the key out"
    assert hub.seen == []


def test_the_own_token_is_not_published(
    hub: LocalHub, dry: Dry, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unloaded: list[str]
) -> None:
    monkeypatch.setattr(hub.hub, "token", "an-odd-token")
    monkeypatch.setenv("HF_TOKEN", "an-odd-token")
    pages = report(tmp_path, of=made / "warehouse", pages={"data.html": "<!doctype html><p>it is an-odd-token</p>"})
    with pytest.raises(PublishError, match=r"data\.html: holds the token itself"):
        dry(pages=pages, dry_run=False, dataset=None)
    with pytest.raises(PublishError, match="option summary: holds the token itself"):
        dry(dry_run=False, summary="an-odd-token")
    assert hub.seen == []


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_first_page_that_cannot_do_without_words_is_refused(dry: Dry, made: Path, tmp_path: Path) -> None:
    cut = SITUATIONS[3].removesuffix(" so much.")
    pages = report(tmp_path, of=made / "warehouse", pages={"index.html": f"<!doctype html><p>They said: {cut}...</p>"})
    with pytest.raises(PublishError, match="cannot be shown without") as error:
        dry(pages=pages)
    assert "such as 'my neighbour number'..." in str(error.value)
    assert "--dialogues 0" in str(error.value.next_step)
    pages = report(
        tmp_path / "reads",
        of=made / "warehouse",
        pages={"index.html": "<!doctype html><script src='./assets/explorer.js'></script>"},
    )
    with pytest.raises(PublishError, match="cannot be shown without"):
        dry(pages=pages)


def test_pages_of_another_warehouse_are_refused(dry: Dry, tmp_path: Path) -> None:
    """Its words would not be looked for."""
    with pytest.raises(InputError, match="found pages of another warehouse"):
        dry(pages=report(tmp_path))


def test_words_are_found_however_they_are_escaped() -> None:
    said = replies("plain")[2]
    spoken = Spoken.of([said, "Too short to tell."])
    quoted = said.replace("&", "&amp;").replace('"', "&#34;")
    for held in (f"<p>{quoted}</p>", json.dumps([said]), json.dumps(said.replace(" ", "\n")), f"x {said[8:]}"):
        assert spoken.said_in(held) is not None, held
    assert spoken.said_in("Too short to tell. That must have been") is None
    assert spoken.taken_out(f"<p>{quoted}</p>", "-") == "<p>-</p>"
    assert len(words_of(said)) > 2 * WINDOW


def test_every_text_column_of_the_published_tables_was_looked_at() -> None:
    """Whoever adds a column decides here whether it may leave; until then it stays."""
    with open_memory() as connection:
        connection.execute("".join(table.ddl for table in TABLES))
        declared = declared_tables(connection)
    assert set(columns.RESULTS) <= set(declared)
    assert not {"raw", "raw_ab", "raw_ba", "response", "text", "content", "situation", "reply"} & columns.NAMES
    table = pa.table({"judge": ["a"], "said": ["b"], "tags": [["c"]], "error": ["d"], "config": ["e"], "n": [[1.0]]})
    for name, bare, more in (
        ("judge_calls", ["judge", "n"], ["judge", "said", "tags", "config", "n"]),
        ("runs", ["judge", "n"], ["judge", "said", "tags", "n"]),
    ):
        assert columns.published_columns(name, table.schema, words=False) == bare
        assert columns.published_columns(name, table.schema, words=True) == more
    # A number of errors is no error's message.
    counted = pa.table({"error": [1]})
    assert columns.published_columns("significance", counted.schema, words=False) == ["error"]


def test_tables_are_chosen_by_name(dry: Dry, tmp_path: Path) -> None:
    dry(tables=["bench_metrics", "significance"])
    staged = tmp_path / "published" / "out0" / "dataset"
    assert {path.name for path in staged.iterdir()} == {"README.md", "bench_metrics", "significance"}
    with pytest.raises(PublishError, match="found turns"):
        dry(tables=["turns"])
    with pytest.raises(ConfigError, match="found files"):
        dry(tables=["files"])
    with pytest.raises(InputError, match="expected rows in one of ratings"):
        dry(tables=["ratings"])


def test_options_must_lead_somewhere(made: Path, tmp_path: Path) -> None:
    rows = {"warehouse": made / "warehouse"}
    with pytest.raises(ConfigError, match="found no report"):
        run_stage("sage_eval.publish", {"space": SPACE}, rows, tmp_path / "one")
    with pytest.raises(ValueError, match="nowhere to publish"):
        run_stage("sage_eval.publish", {"dry_run": False}, rows, tmp_path / "two")
    run_stage("sage_eval.publish", {}, rows, tmp_path / "three")
    assert {path.name for path in (tmp_path / "three").iterdir()} >= {"models", "summary.txt"}


# --- cards ------------------------------------------------------------------------------------------------------------


def test_the_space_is_a_static_one_as_the_hub_reads_it(dry: Dry, tmp_path: Path) -> None:
    from huggingface_hub import SpaceCard

    dry(title="A *board*", contact="Jane Doe")
    data = SpaceCard(card(tmp_path, "space")).data
    assert (data.sdk, data.app_file, data.title, data.license) == ("static", "index.html", "A *board*", "cc-by-nc-4.0")
    assert data.datasets == [ROWS]
    assert len(data.to_dict()["short_description"]) <= 60
    assert "Questions go to Jane Doe." in card(tmp_path, "space")


def test_the_card_is_the_one_kept_beside_this_file(tmp_path: Path) -> None:
    """`python tests/hub/eval_folders.py` writes it again."""
    assert golden_card(tmp_path) == GOLDEN.read_text(encoding="utf-8")


def test_the_same_gives_the_same_bytes(dry: Dry, made: Path, tmp_path: Path) -> None:
    one, two = dry(), dry()
    assert one.content_hash == two.content_hash
    assert one.origins == [EMPATHETIC]
