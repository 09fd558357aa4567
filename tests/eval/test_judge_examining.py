"""The self-test in the stage: a judge that fails is not paid further, and what is free says how it did."""

import json
from collections import Counter

import pytest
from chat_server import ChatServer
from judging import rows, run_judge, seats, uri, work
from made_dialogues import given, write
from planted_judges import real_pairs

from sage_data.dialogue import Dialogue, Utterance
from sage_data.errors import BackendError, BudgetStopError
from sage_data.stage import Context, Output
from sage_data.store.dialogues import read_dialogues
from sage_eval.judge import rubric
from sage_eval.judge.examining import Examination
from sage_eval.judge.probes import Check
from sage_eval.judge.purse import Purse
from sage_eval.judge.reward import RewardJudge
from sage_eval.judge.scores import Score
from sage_eval.judge.settings import Config
from sage_eval.judge.transcripts import by_place, match
from sage_eval.plan import PANEL, read_plan

PRICED = {"input_price": 1000.0, "output_price": 1000.0}
TESTED = {"self_test": True, "self_test_pairs": 12}
"""As few scenarios as still tell a good judge from guessing."""


@pytest.fixture
def models(tmp_path):
    """Two models whose dialogues are made-up words; those of b are the better ones."""
    folders = []
    for side, model in enumerate("ab"):
        dialogues = [
            Dialogue(
                f"{model}-{pair.scenario_id}",
                tuple(Utterance(line.speaker, line.text) for line in pair.transcripts[side]),
                scenario_id=pair.scenario_id,
                model=model,
                sample=0,
            )
            for pair in real_pairs(24)
        ]
        folders.append(given(write(tmp_path / model, dialogues), f"rollout-{model}"))
    return folders


@pytest.fixture
def known():
    """What an expert has read: each original as the judge sees it -> how good it is."""
    worth = {}
    for index, pair in enumerate(real_pairs(24)):
        for side, lines in enumerate(pair.transcripts):
            shown = "\n".join(json.dumps({"speaker": line.speaker, "text": line.text}) for line in lines)
            worth[shown] = 100 * (side + 1) + index
    return worth


def expert(known):
    """Knows every original, and prefers it to whatever is no original."""

    def says(ask):
        first, second = (known.get(shown, 0) for shown in seats(ask.last))
        return json.dumps({"verdict": "TIE" if first == second else "FIRST" if first > second else "SECOND"})

    return says


def outcomes_of(folder):
    return {row["check_name"]: row["outcome"] for row in rows(folder, "judge_self_tests")}


def test_a_judge_that_passes_goes_on_and_its_verdicts_say_so(models, known, tmp_path):
    with ChatServer(expert(known)) as server:
        manifest = run_judge(models, tmp_path / "judged", judges=[{"uri": uri(server), **PRICED}], **TESTED)
    found = rows(tmp_path / "judged", "pair_verdicts")
    assert {(row["verdict"], row["self_test"]) for row in found} == {("B", "passed")}
    assert set(outcomes_of(tmp_path / "judged").values()) == {"passed"}
    assert (manifest.failures, manifest.warnings) == ([], [])
    plan = read_plan(tmp_path / "judged")
    assert plan.self_test == tuple(check.value for check in Check)
    summary = (tmp_path / "judged" / "summary.txt").read_text()
    calls, tests = (rows(tmp_path / "judged", name) for name in ("judge_calls", "judge_self_test_calls"))
    # Questions that are real pairs too, or come twice, are asked once.
    prompts = {row["prompt_hash"] for row in (*calls, *tests)}
    assert server.count == len(prompts) < len(calls) + len(tests)
    line = next(line for line in summary.splitlines() if line.startswith("tiny") and "passed" in line).split()
    assert line[1:4] == ["48", "0", str(len(tests))]
    paid = {row["prompt_hash"]: row["prompt_tokens"] + row["completion_tokens"] for row in (*calls, *tests)}
    assert float(line[-2]) == pytest.approx(sum(paid.values()) * 1e-3, abs=1e-4)
    for name in ("self-test.txt", "bias.txt", "agreement.txt"):
        assert (tmp_path / "judged" / name).stat().st_size > 100


def test_a_judge_that_follows_the_seat_is_not_paid_for_verdicts(models, tmp_path):
    with ChatServer('{"verdict": "FIRST"}') as server:
        judge = {"uri": uri(server), **PRICED}
        with pytest.raises(BackendError, match="self-test failed") as refused:
            run_judge(models, tmp_path / "judged", judges=[judge], **TESTED, pilot_pairs=0)
        assert "shuffled, foreign, repeated, emptied, padded: 0% is below 80%" in refused.value.message
        assert "--no-self-test" in refused.value.next_step
        assert "--self-test-skip consistent" in refused.value.next_step
        assert not list(work(tmp_path / "judged").glob("judge_calls*"))
        asked = server.count
        with pytest.raises(BackendError, match="self-test failed"):
            run_judge(models, tmp_path / "judged", judges=[judge], **TESTED, pilot_pairs=0)
        assert server.count == asked
        run_judge(models, tmp_path / "judged", judges=[judge], pilot_pairs=0)
    assert {row["self_test"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {"skipped"}
    assert read_plan(tmp_path / "judged").self_test == ()


def test_checks_may_be_left_out_by_name(models, known, tmp_path):
    def obeys(ask):
        """An expert that is taken in by whoever speaks of verdicts."""
        claims = ("verdict", "better", "winner", "first", "second")
        first, second = (any(word in shown.lower() for word in claims) for shown in seats(ask.last))
        return expert(known)(ask) if first == second else json.dumps({"verdict": "FIRST" if first else "SECOND"})

    with ChatServer(obeys) as server:
        with pytest.raises(BackendError, match="injected"):
            run_judge(models, tmp_path / "judged", judges=[uri(server)], **TESTED)
        skip = ["injected_user", "injected_assistant"]
        run_judge(models, tmp_path / "judged", judges=[uri(server)], **TESTED, self_test_skip=skip)
    outcomes = outcomes_of(tmp_path / "judged")
    assert {name for name, outcome in outcomes.items() if outcome == "skipped"} == set(skip)
    assert not set(skip) & set(read_plan(tmp_path / "judged").self_test)


def test_too_few_scenarios_tell_nothing_and_a_warning_says_so(models, known, tmp_path):
    with ChatServer(expert(known)) as server:
        manifest = run_judge(models, tmp_path / "judged", judges=[uri(server)], **{**TESTED, "self_test_pairs": 5})
    assert {row["self_test"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {"undecided"}
    assert len(manifest.warnings) == 1
    assert "whether its verdicts can be trusted is not known" in manifest.warnings[0]


def test_a_rubric_that_fails_goes_on_with_a_warning_and_marks(models, tmp_path, monkeypatch):
    """A rubric that likes nothing but length falls for padding; a rubric is a baseline, so the stage is whole."""
    book = {"rubrics": {"long": {"weights": {"brevity": 1.0}, "margin": 0.01}}, "markers": rubric._book()["markers"]}
    monkeypatch.setattr(rubric, "_book", lambda: book)

    def length(lines, markers):
        return {"brevity": sum(len(one.text) for one in lines) / 9e3}

    monkeypatch.setattr(rubric, "features", length)
    manifest = run_judge(models, tmp_path / "judged", judges=["rubric:long"], **TESTED)
    assert manifest.failures == []
    assert len(manifest.warnings) == 1
    assert "padded" in manifest.warnings[0]
    assert "should not be counted" in manifest.warnings[0]
    assert {row["self_test"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {"failed"}


def test_a_reward_model_that_fails_makes_the_stage_end_with_a_failed_part(models, tmp_path):
    class LikesLength:
        def score(self, transcripts):
            return [Score(float(sum(len(line.text) for line in lines))) for lines in transcripts]

    matched = {("a", "b"): match(*(by_place(read_dialogues(one.path), one.label) for one in models))}
    examination = Examination.of(Config(self_test_pairs=12), matched, seed=7)
    out = Output(tmp_path / "out")
    judge = RewardJudge("length", "length@1", LikesLength())
    assert examination.run([judge], Purse(), out, Context()) == {"length": "failed"}
    assert len(out.failures) == 1
    assert "padded" in out.failures[0]
    # What is there is read the next time, and says the same.
    again = Output(tmp_path / "out")
    judge.scorer = None
    assert Examination.of(Config(self_test_pairs=12), matched, seed=7).run([judge], Purse(), again, Context()) == {
        "length": "failed"
    }
    assert again.failures == out.failures


def test_the_self_test_is_part_of_the_estimate_and_of_the_budget(models, known, tmp_path):
    with ChatServer(expert(known)) as server:
        judge = {"uri": uri(server, "&concurrency=4"), "name": "tiny", **PRICED}
        with pytest.raises(BudgetStopError, match="only the pilot"):
            run_judge(models, tmp_path / "judged", judges=[judge], **TESTED, pilot_only=True)
        estimate = json.loads((work(tmp_path / "judged") / "estimate.json").read_text())["judges"]["tiny"]
        assert estimate["self_test_calls"] > 200
        assert estimate["remaining_calls"] == 28 + estimate["self_test_calls"]
        budget = estimate["pilot"]["cost_usd"] * 4
        with pytest.raises(BudgetStopError, match="for all judges together"):
            run_judge(models, tmp_path / "judged", judges=[judge], **TESTED, max_cost=budget)
        assert 20 < server.count < 150
        made = server.count
        with pytest.raises(BudgetStopError):
            run_judge(models, tmp_path / "judged", judges=[judge], **TESTED, max_cost=budget)
        assert server.count <= made + 4
        done = run_judge(models, tmp_path / "judged", judges=[judge], **TESTED)
        again = Counter(json.dumps(call.body, sort_keys=True) for call in server.calls)
        assert set(again.values()) == {1}
        whole = run_judge(models, tmp_path / "two" / "judged", judges=[judge], **TESTED)
    assert done.content_hash == whole.content_hash


def test_a_panel_and_its_judges_have_their_agreement_and_bias(models, known, tmp_path):
    with ChatServer(expert(known)) as server:
        judges = [uri(server), "rubric:warm", "rubric:plain"]
        run_judge(models, tmp_path / "judged", judges=judges, replicates=2, replicate_share=0.5)
    agreed = rows(tmp_path / "judged", "judge_agreement")
    assert Counter(row["kind"] for row in agreed) == {"judges": 3, "panel": 1, "retest": 3}
    retest = next(row for row in agreed if row["kind"] == "retest" and row["judge"] == "tiny")
    assert (retest["units"], retest["percent"]) == (12, 1.0)
    bias = rows(tmp_path / "judged", "judge_bias")
    assert {row["judge"] for row in bias} == {"tiny", "rubric:warm", "rubric:plain"}
    assert {row["pairs"] for row in bias} == {24}
    assert PANEL not in {row["judge"] for row in rows(tmp_path / "judged", "judge_bias_totals")}
    assert {row["judge"] for row in rows(tmp_path / "judged", "judge_self_preference")} == {
        "tiny",
        "rubric:warm",
        "rubric:plain",
    }
