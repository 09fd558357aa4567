"""What `sage eval sql` answers, in each format."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import polars
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_evaluation import SCENARIOS, VERDICTS, judged, steered
from rich.cells import cell_len

from sage_data.errors import ConfigError, MissingDependencyError
from sage_data.stage import run_stage
from sage_eval.sql import Question, answer, examples
from sage_eval.warehouse.output import MAX_CELL, Format, as_table, shown
from sage_eval.warehouse.query import QueryError, query


def test_a_table_has_numbers_to_the_right_and_a_count(planted: Path) -> None:
    text = answer(planted, Question(sql="SELECT 'ab' AS name, 5 AS n UNION ALL SELECT 'c', 12345 ORDER BY n")).decode()
    assert text == "name      n\n────  ─────\nab        5\nc     12345\n(2 rows)\n"


def test_a_long_answer_says_that_it_is_cut(planted: Path) -> None:
    text = as_table(query(planted, "FROM range(150)"), max_rows=3)
    assert text.endswith("(150 rows, first 3 shown)\n")
    assert len(text.splitlines()) == 6


def test_json_is_an_array_of_records(planted: Path) -> None:
    sql = "SELECT 1 AS n, 'é\"' AS t, NULL AS nothing, [1.5, 'nan'::DOUBLE] AS list, DATE '2017-01-31' AS day"
    assert json.loads(answer(planted, Question(sql=sql, form=Format.JSON))) == [
        {"n": 1, "t": 'é"', "nothing": None, "list": [1.5, None], "day": "2017-01-31"}
    ]


def test_csv_keeps_commas_quotes_and_line_ends(planted: Path) -> None:
    sql = "SELECT 'a,\"b\"' || chr(10) || 'c' AS t, [1, 2] AS l"
    rows = list(csv.reader(io.StringIO(answer(planted, Question(sql=sql, form=Format.CSV)).decode(), newline="")))
    assert rows == [["t", "l"], ['a,"b"\nc', "[1, 2]"]]


def test_parquet_keeps_types(planted: Path) -> None:
    data = answer(planted, Question(sql="SELECT topics, turn FROM turns LIMIT 2", form=Format.PARQUET))
    assert [str(field.type) for field in pq.read_table(io.BytesIO(data)).schema] == ["list<element: string>", "int32"]


@pytest.mark.parametrize("form", [Format.JSON, Format.PARQUET])
def test_two_columns_of_one_name_are_refused_where_one_would_be_lost(planted: Path, form: Format) -> None:
    with pytest.raises(QueryError, match="two columns are called a"):
        answer(planted, Question(sql="SELECT 1 AS a, 2 AS a", form=form))


def test_frames_are_arrow_and_polars(planted: Path) -> None:
    result = query(planted, "SELECT topics, turn FROM turns WHERE stage = 'rollout-sage1' AND turn < 2 ORDER BY 2, 1")
    assert result.arrow().column_names == ["topics", "turn"]
    frame = result.polars()
    assert frame.schema == {"topics": polars.List(polars.String), "turn": polars.Int32}
    assert frame.to_dicts() == result.records()
    with pytest.raises(QueryError, match="two columns are called a"):
        query(planted, "SELECT 1 AS a, 2 AS a").polars()


def test_a_missing_polars_is_named_with_its_extra(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingDependencyError, match="polars") as caught:
        query(planted, "SELECT 1").polars()
    assert caught.value.next_step == "pip install 'sage-dialogue[eval]'"


def test_a_wrong_name_is_answered_with_the_way_to_the_list(planted: Path) -> None:
    with pytest.raises(QueryError, match="turnz") as caught:
        answer(planted, Question(sql="SELECT * FROM turnz"))
    assert "--list" in str(caught.value.next_step)


def test_the_list_shows_tables_views_columns_comments_and_examples(planted: Path) -> None:
    text = answer(planted, Question(catalogue=True)).decode()
    for part in ("turns (", "pair_samples (view)", "previous_user_motivation", "One row an utterance", "win_table"):
        assert part in text


def test_a_file_is_asked_like_an_argument(planted: Path, tmp_path: Path) -> None:
    file = tmp_path / "q.sql"
    file.write_text("-- how many\nSELECT count(*) AS n FROM runs;\n", encoding="utf-8")
    assert answer(planted, Question(file=file, form=Format.CSV)) == b"n\n19\n"


def test_exactly_one_thing_may_be_asked(planted: Path) -> None:
    for question in (Question(), Question(sql="SELECT 1", catalogue=True)):
        with pytest.raises(ConfigError, match="expected one of a query"):
            answer(planted, question)


def test_an_unknown_example_is_answered_with_those_there_are(planted: Path) -> None:
    with pytest.raises(ConfigError, match="win_table"):
        answer(planted, Question(example="nothing"))


def test_there_are_enough_examples_and_each_says_what_it_answers() -> None:
    assert len(examples()) >= 12
    assert all(about.endswith(".") or about.endswith("?") for about in examples().values())


def test_the_win_table_equals_the_planted_verdicts(planted: Path) -> None:
    first, second = json.loads(answer(planted, Question(example="win_table", form=Format.JSON)))
    assert [first[name] for name in ("wins_a", "ties", "inconsistent", "wins_b", "failed")] == [1, 1, 1, 9, 0]
    # Two-sided sign test of 9 to 1: 2 * (1 + 10) / 2**10.
    assert first["p"] == pytest.approx(22 / 1024)
    assert (second["failed"], second["p"], second["conclusion"]) == (12, None, "undecidable")


def test_judge_trust_finds_the_planted_seat_and_length(planted: Path) -> None:
    trust = json.loads(answer(planted, Question(example="judge_trust", form=Format.JSON)))[0]
    # Of 22 calls that choose a seat, 10 consistent pairs split evenly and 2 of the inconsistent pair go to the first.
    assert trust["first_seat"] == pytest.approx(12 / 22)
    assert trust["inconsistent_share"] == pytest.approx(1 / 12)
    assert trust["shorter_wins"] == pytest.approx(9 / 10)


@pytest.fixture(scope="module")
def doubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of a run with two stages that judge the same pair, and two that steer."""
    parent = tmp_path_factory.mktemp("doubled")
    folders = [
        judged(parent, "judged-1", second=("error",) * SCENARIOS),
        judged(parent, "judged-2", second=("A",) * SCENARIOS),
        steered(parent, "steered-1", boost=2.0, scenarios=6),
        steered(parent, "steered-2", boost=4.0, scenarios=3),
    ]
    run_stage("sage_eval.warehouse", {}, {"runs": folders}, parent / "warehouse")
    return parent / "warehouse"


def test_steered_twins_come_from_every_steering_stage_at_its_own_strongest_boost(doubled: Path) -> None:
    twins = json.loads(answer(doubled, Question(example="steered_twins", form=Format.JSON)))
    assert [(one["stage"], one["boost"]) for one in twins] == [("steered-1", 2.0)] * 3 + [("steered-2", 4.0)] * 2


def test_judge_trust_keeps_judging_stages_apart(doubled: Path) -> None:
    trust = json.loads(answer(doubled, Question(example="judge_trust", form=Format.JSON)))
    found = {(one["stage"], one["judge"]): (one["calls"], one["inconsistent_share"]) for one in trust}
    one_each = 2 * SCENARIOS
    assert found == {
        ("judged-1", "rubric:one"): (one_each, pytest.approx(1 / 12)),
        ("judged-1", "two<i>"): (one_each, None),
        ("judged-2", "rubric:one"): (one_each, pytest.approx(1 / 12)),
        ("judged-2", "two<i>"): (one_each, 0.0),
    }


def test_judges_disagree_within_a_stage(doubled: Path) -> None:
    found = json.loads(answer(doubled, Question(example="judge_disagreements", form=Format.JSON)))
    assert [one["stage"] for one in found] == ["judged-2"] * VERDICTS.count("B")
    assert {(one["says_a"], one["says_b"]) for one in found} == {("two<i>", "rubric:one")}


@given(st.text())
def test_no_text_can_drive_a_terminal_or_break_a_table(text: str) -> None:
    cell = shown(text)
    assert cell_len(cell) <= MAX_CELL
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u202e\u2066\u2028" for char in cell)
