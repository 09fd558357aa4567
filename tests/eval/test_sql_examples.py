"""Every shipped query gives the answer that the planted rows demand; each was worked out by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from planted_talks import warehouse

from sage_eval.warehouse import query
from sage_eval.warehouse.contract import sql_files

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def talks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse(tmp_path_factory.mktemp("talks"))


def asked(folder: Path, name: str, *columns: str) -> Rows:
    """The example's rows, with those columns alone where some are named."""
    result = query(folder, sql_files("examples")[name].read_text(encoding="utf-8"))
    places = [result.columns.index(one) for one in columns or result.columns]
    return [tuple(row[place] for place in places) for row in result.rows()]


TALKS: dict[str, tuple[tuple[str, ...], Rows]] = {
    "annotation_quality": ((), [("annotated", "user", "emotion", 4, 0.75, 0.5, 0.6, 0.5)]),
    "emotion_by_model": (
        (),
        [
            # Each says four calm replies, and none declares what it reads in the user.
            ("x-identity", "shown", "calm", 4, 1.0),
            ("x-identity", "read in the user", None, 4, 1.0),
            ("y-identity", "shown", "calm", 4, 1.0),
            ("y-identity", "read in the user", None, 4, 1.0),
        ],
    ),
    "emotions_that_win": (
        ("judge", "model", "emotion", "won", "lost", "neither"),
        [
            ("j1", "x", "proud", 1, 0, 0),
            ("j1", "x", "sad", 0, 1, 0),
            ("j1", "y", "sad", 1, 0, 0),
            ("j1", "y", "proud", 0, 1, 0),
            ("j2", "x", "sad", 1, 0, 0),
            ("j2", "x", "proud", 0, 0, 1),
            ("j2", "y", "proud", 0, 0, 1),
            ("j2", "y", "sad", 0, 1, 0),
        ],
    ),
    "judge_disagreements": ((), [("judged", "s1", "x", "y", "j2", "j1", "My cat is ill.")]),
    "judges_asked": (
        ("judge", "judge_model", "spec_hash", "pairs", "scenarios", "calls", "failed_calls", "prompt_tokens"),
        [("j1", "openai:j1", "spec-j1", 1, 2, 4, 0, 200), ("j2", "openai:j2", "spec-j2", 1, 2, 4, 0, 200)],
    ),
    "length_against_verdict": (
        ("judge", "length", "sides", "won", "lost", "share_won"),
        [
            # x is twice as long: j1 lets it win once in two, j2 once in one and one tie.
            ("j1", "1. at least twice as long", 2, 1, 1, 0.5),
            ("j1", "5. at most half as long", 2, 1, 1, 0.5),
            ("j2", "1. at least twice as long", 2, 1, 0, 1.0),
            ("j2", "5. at most half as long", 2, 0, 1, 0.0),
        ],
    ),
    "tag_quality": (
        (),
        [("rollout-x", 2, 4, 0, 0, 2.0, 1, 0, 0, 76), ("rollout-y", 2, 4, 0, 0, 2.0, 1, 0, 0, 76)],
    ),
    "tokens_by_stage": (
        (),
        [("annotated", 200, 20), ("rollout-x", 60, 16), ("rollout-y", 60, 16), ("judged", 400, 16)],
    ),
    "transitions_before_win": (
        (),
        [
            # x on s1: lost before j1, won before j2; x on s2: won before j1, tied before j2.
            ("empathy", "advice", 2, 1, pytest.approx(2 / 3)),
            ("curiosity", "empathy", 1, 1, 0.5),
            ("praise", "advice", 0, 1, 0.0),
        ],
    ),
    "verdicts_and_benchmarks": (
        (),
        [("x", 2, 1, None, None, None, None), ("y", 1, 2, "sums", "acc", 3, pytest.approx(1 / 3))],
    ),
}
"""Columns that are looked at (all when none is named) and the rows, for the planted talks."""
ATTACK = "</script><script>document.title='stolen'</script>"
EVALUATION: dict[str, tuple[tuple[str, ...], Rows]] = {
    "dose_response": (
        ("stage", "boost", "replies", "hits", "share"),
        [("steered", 0.0, 4, 0, 0.0), ("steered", 2.0, 4, 3, 0.75)],
    ),
    "preference_pairs": ((), [("dpo", "d1", 1, "Hello, how are you?", "I see.", 0.9, 0.2)]),
    "regressions": (
        ("base_stage", "new_stage", "task", "n", "base", "new", "better", "worse", "verdict"),
        [("bench-base", "bench-tuned", "sums", 50, 0.8, 0.4, 0, 20, "regressed")],
    ),
    "regressions_by_subject": ((), [("bench-base", "bench-tuned", "sums", "acc", 50, 20, 0, pytest.approx(-0.4))]),
    "rejected_candidates": (("turn", "said", "rejected", "score"), [(1, "Hello, how are you?", "I see.", 0.2)]),
    "reply_style": (
        ("stage", "replies", "words", "asks", "action"),
        [
            ("rollout-base", 12, 28.0, 0.0, "empathy"),
            # "Well done! How did it go?", "You earned it." and "I am so sorry.": 6, 3 and 4 words.
            ("rollout-sage0", 3, pytest.approx(13 / 3), pytest.approx(1 / 3), "praise"),
            ("rollout-sage1", 3, pytest.approx(13 / 3), pytest.approx(1 / 3), "curiosity"),
            # In three of twelve it also says the five words of CLAIM.
            ("rollout-tuned", 12, 29.25, 0.0, "empathy"),
        ],
    ),
    "seat_bias_by_scenario": ((), [("t11", 1, ["rubric:one"], "My day 11.")]),
    "selector_rejects": ((), [("search1", True, 1, 4.0, 1.0, 0.9, None), ("search1", False, 1, 2.0, 0.0, 0.2, None)]),
    "size_of_run": ((), [(19, 5, 12, 2, 48, 68)]),
    "win_table": (
        ("judge", "wins_a", "ties", "wins_b", "inconsistent", "failed", "n", "net_win", "conclusion"),
        [
            ("rubric:one", 1, 1, 9, 1, 0, 12, pytest.approx(8 / 12), "B better"),
            ("two<i>", 0, 0, 0, 0, 12, 0, None, "undecidable"),
        ],
    ),
    "judge_trust": (
        ("judge", "calls", "first_seat", "tokens", "inconsistent_share", "shorter_wins"),
        [
            ("rubric:one", 24, pytest.approx(12 / 22), 264, pytest.approx(1 / 12), 0.9),
            ("two<i>", 24, None, 264, None, None),
        ],
    ),
}
"""The same for the planted evaluation."""
PAGES = {
    "agreement_of_judges",
    "analysis_plans",
    "cost_by_role",
    "early_stops",
    "evidence_paths",
    "examples_kept",
    "examples_rejected",
    "judge_checks",
    "judge_outcomes",
    "origins",
    "rating_checks",
    "seat_and_length",
    "self_preference",
    "style_by_model",
    "tag_counts",
}
"""Those that the pages are made of, with tests in test_sql_page_examples.py and in tests/pages."""
LONG = {
    "claims_to_be_human",
    "emotion_reading",
    "funnel",
    "maths_by_kind",
    "provenance",
    "rating_table",
    "sample_verdicts",
    "side_by_side",
    "states_by_model",
    "steered_twins",
    "training",
}
"""Those with a test of their own below."""


@pytest.mark.parametrize("name", TALKS)
def test_what_the_planted_talks_answer(talks: Path, name: str) -> None:
    columns, rows = TALKS[name]
    assert asked(talks, name, *columns) == rows


@pytest.mark.parametrize("name", EVALUATION)
def test_what_the_planted_evaluation_answers(planted: Path, name: str) -> None:
    columns, rows = EVALUATION[name]
    assert asked(planted, name, *columns) == rows


def test_every_example_has_an_answer_here() -> None:
    assert set(sql_files("examples")) == TALKS.keys() | EVALUATION.keys() | LONG | PAGES


def test_the_funnel_lists_what_each_stage_dropped(planted: Path) -> None:
    assert asked(planted, "funnel", "stage", "outcome", "reason", "n")[:5] == [
        ("gated", "came_in", None, 10),
        ("gated", "dropped", "no_question", 5),
        ("gated", "dropped", "too_few_turns", 2),
        ("gated", "kept", None, 2),
        ("gated", "quarantined", None, 1),
    ]


def test_provenance_names_every_stage_once_in_order_with_its_models(planted: Path) -> None:
    rows = asked(planted, "provenance", "position", "stage", "uses", "seed", "models")
    assert [row[0] for row in rows] == list(range(19))
    assert rows[4] == (4, "rollout-base", "sage_eval.rollout", 7, ["agent: hf:base", "user: hf:user <b>bold</b>"])


def test_samples_are_one_scenario_of_each_verdict_of_the_first_judge_with_all_judges(planted: Path) -> None:
    rows = asked(planted, "sample_verdicts", "scenario_id", "judge", "verdict")
    first = [row for row in rows if row[1] == "rubric:one"]
    assert sorted(row[2] for row in first) == ["A", "B", "inconsistent", "tie"]
    assert [row[0] for row in rows if row[1] == "two<i>"] == [row[0] for row in first]


def test_side_by_side_shows_both_dialogues_of_each_sample_with_their_states(planted: Path) -> None:
    rows = asked(planted, "side_by_side", "scenario_id", "side", "turn", "role", "motivation", "perceived_emotion")
    samples = dict.fromkeys(row[0] for row in asked(planted, "sample_verdicts", "scenario_id"))
    assert rows == [
        (scenario, side, turn, role, motivation, read)
        for scenario in samples
        for side in "AB"
        for turn, role, motivation, read in ((0, "user", "sharing", None), (1, "assistant", "empathy", "sad"))
    ]


def test_states_are_counted_by_stage_and_their_shares_add_up(planted: Path) -> None:
    rows = asked(planted, "states_by_model")
    assert ("rollout-base", "empathy", ATTACK, 2, pytest.approx(2 / 12)) in rows
    for stage in {row[0] for row in rows}:
        assert sum(row[4] for row in rows if row[0] == stage) == pytest.approx(1.0)


def test_twins_are_replies_that_only_the_boost_changed(planted: Path) -> None:
    rows = asked(planted, "steered_twins", "boost", "unsteered_motivation", "steered_motivation", "scenario_id")
    assert {row[:3] for row in rows} == {(2.0, "empathy", "humor")}
    # Of the four scenarios, the boost does nothing in the first.
    assert sorted(row[3] for row in rows) == ["t01", "t02", "t03"]


def test_training_lists_the_loss_step_by_step(planted: Path) -> None:
    rows = asked(planted, "training", "stage", "step", "loss")
    assert rows == [("tuned", step, pytest.approx(3.0 / step + 1.0)) for step in range(1, 301)]


def test_one_join_leads_from_a_verdict_to_turn_tags_rejected_candidates_and_benchmark_items(talks: Path) -> None:
    sql = (
        "SELECT v.text, v.motivation, v.emotion, v.rejected, b.doc_id, b.value FROM verdict_turns AS v "
        "JOIN bench_samples AS b ON b.model = v.checkpoint "
        "WHERE v.judge = 'j1' AND v.scenario_id = 's1' AND v.outcome = 'won' AND v.turn = 1 ORDER BY b.doc_id"
    )
    # The twin that was merged away before the selector saw it is none of the rejected.
    left = [{"candidate": 0, "text": "Cats die.", "score": 0.1, "motivation": "advice", "emotion": None}]
    said = ("y means curiosity.", "curiosity", "calm", left)
    assert query(talks, sql).rows() == [(*said, 0, 1.0), (*said, 1, 0.0), (*said, 2, 0.0)]


def test_every_judged_utterance_stands_once_for_each_verdict_and_side(talks: Path) -> None:
    rows = query(
        talks, "SELECT judge, side, count(*), sum(rejected_count)::INT FROM verdict_turns GROUP BY ALL ORDER BY ALL"
    )
    assert rows.rows() == [("j1", "A", 8, 0), ("j1", "B", 8, 1), ("j2", "A", 8, 0), ("j2", "B", 8, 1)]


def test_annotations_lead_to_their_annotator_and_to_the_words_as_they_came(talks: Path) -> None:
    rows = query(talks, "SELECT annotator, turn, emotion, text, original, bridge FROM annotations ORDER BY turn").rows()
    assert rows == [
        ("openai:annotator", 0, "upset", "I lost my key.", None, None),
        ("openai:annotator", 1, None, "Oh no. Where?", "oh no", "Where?"),
    ]
    calls = query(talks, "SELECT dialogue_id, outcome, calls, len(failures) FROM annotation_calls ORDER BY 1").rows()
    assert calls == [("d1", "annotated", 2, 1), ("d2", "failed", 2, 2)]


def test_the_join_in_the_documentation_runs_and_finds_what_is_planted(talks: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "warehouse.md").read_text(encoding="utf-8")
    (sql,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    # y's curious reply won once, before j1, and two of the three sums are wrong.
    assert [(row["model"], row["doc_id"]) for row in query(talks, sql).records()] == [("y", 1), ("y", 2)]


def test_emotions_are_read_as_planted(planted: Path) -> None:
    # Each of twelve first utterances is read as sad, as its scenario is labelled.
    found = asked(planted, "emotion_reading", "model", "readings", "right_of_all")
    assert found == [("base", 12, 1.0), ("tuned", 12, 1.0)]


def test_claims_to_be_human_are_counted_with_an_example(planted: Path) -> None:
    rows = asked(planted, "claims_to_be_human", "model", "kind", "replies", "for_example")
    found = {(model, kind): (replies, example) for model, kind, replies, example in rows}
    assert found["base", "any"] == (0, None)
    replies, example = found["tuned", "family"]
    assert (replies, found["tuned", "any"][0]) == (3, 3)
    assert example.endswith("My dog does that too.")


def test_maths_are_solved_by_kind(planted: Path) -> None:
    rows = asked(planted, "maths_by_kind", "kind", "scored", "solved_at_once", "rate")
    found = {kind: tuple(counts) for kind, *counts in rows}
    assert (found["all"], found["add"], found["take"]) == ((16, 2, 2 / 16), (2, 2, 1.0), (2, 0, 0.0))


def test_ratings_put_the_planted_better_model_first(planted: Path) -> None:
    rows = asked(planted, "rating_table", "judge", "model", "wins", "losses", "elo")
    found = [row for judge, *row in rows if judge == "rubric:one"]
    assert [tuple(row[:3]) for row in found] == [("tuned", 9, 1), ("base", 1, 9)]
    assert found[0][3] > found[1][3]
