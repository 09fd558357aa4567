"""The judge stage: both orders always, joined by scenario, six states kept, resumable, deterministic."""

import json

import pyarrow.parquet as pq
import pytest
from made_dialogues import STIFF, WARM, dialogue, given, rollout, write
from pydantic import ValidationError

from sage_data.errors import ConfigError, InputError
from sage_data.stage import Context, Inputs, Output, run_stage
from sage_data.store.shards import read_table
from sage_eval import judge
from sage_eval.judge.rubric import RubricJudge
from sage_eval.verdict import Choice, Verdict, combine

PAIR = {"pairs": [["sage0", "sage1"]]}


@pytest.fixture
def rollouts(tmp_path):
    return [
        given(rollout(tmp_path / "0", STIFF, model="stiff"), "rollout-sage0"),
        given(rollout(tmp_path / "1", WARM, model="warm"), "rollout-sage1"),
    ]


def scripted(tmp_path, *answers, model="fake"):
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"model": model, "answers": answers}))
    return f"scripted:{path}"


def rows(folder, name):
    return read_table(folder, name).to_pylist()


def run(rollouts, tmp_path, name="judged", **config):
    given = {**PAIR, "self_test": False, **config}
    return run_stage("sage_eval.judge", given, {"transcripts": rollouts}, tmp_path / name)


def test_the_planted_better_model_wins_under_both_rubrics(rollouts, tmp_path):
    manifest = run(rollouts, tmp_path)
    found = rows(tmp_path / "judged", "pair_verdicts")
    assert {(row["judge"], row["verdict"]) for row in found} == {("rubric:warm", "B"), ("rubric:plain", "B")}
    assert len(found) == 10
    assert [counts.unit for counts in manifest.counts] == ["judge calls", "pairs"]
    assert (manifest.counts[0].came_in, manifest.counts[1].came_in) == (20, 10)
    assert found[0]["words_a"] > found[0]["words_b"]
    assert (found[0]["dialogue_a"], found[0]["dialogue_b"]) == ("stiff-s000", "warm-s000")


def test_a_null_pair_does_not_win(rollouts, tmp_path):
    twin = given(rollouts[1].path, "rollout-twin")
    run([rollouts[1], twin], tmp_path, pairs=[["sage1", "twin"]])
    assert {row["verdict"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {"tie"}


def test_without_pairs_every_model_meets_every_other(rollouts, tmp_path):
    third = given(rollouts[0].path, "rollout-third")
    run([*rollouts, third], tmp_path, judges=["rubric:warm"], pairs=[])
    found = {(row["model_a"], row["model_b"]) for row in rows(tmp_path / "judged", "pair_verdicts")}
    assert found == {("sage0", "sage1"), ("sage0", "third"), ("sage1", "third")}
    with pytest.raises(ConfigError, match="one model only"):
        run(rollouts[:1], tmp_path, pairs=[])


def test_swapping_the_models_swaps_the_verdicts(rollouts, tmp_path):
    run(rollouts, tmp_path, pairs=[["sage1", "sage0"]])
    assert {row["verdict"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {"A"}


def test_every_pair_is_called_in_both_orders(rollouts, tmp_path):
    run(rollouts, tmp_path, judges=["rubric:warm"])
    calls = rows(tmp_path / "judged", "judge_calls")
    assert [(row["scenario_id"], row["order"]) for row in calls] == [
        (f"s{number:03}", order) for number in range(5) for order in ("ab", "ba")
    ]
    assert {(row["order"], row["choice"], row["verdict"]) for row in calls} == {
        ("ab", "second", "B"),
        ("ba", "first", "B"),
    }


def test_verdicts_follow_from_the_calls(rollouts, tmp_path):
    run(rollouts, tmp_path)
    calls = rows(tmp_path / "judged", "judge_calls")
    found = rows(tmp_path / "judged", "pair_verdicts")
    choices = {(row["judge"], row["scenario_id"], row["order"]): Choice(row["choice"]) for row in calls}
    for row in found:
        ab, ba = (choices[row["judge"], row["scenario_id"], order] for order in ("ab", "ba"))
        assert Verdict(row["verdict"]) is combine(ab, ba)


@pytest.mark.parametrize(
    ("answer", "verdict", "first_seat"),
    [
        ({"say": ["VERDICT: FIRST"]}, "inconsistent", "100%"),
        ({"say": ["VERDICT: TIE"]}, "tie", "-"),
        ({"say": ["I like both."]}, "malformed", "-"),
        ({"status": "refused"}, "malformed", "-"),
        ({"status": "api_error", "error": "HTTP 503"}, "error", "-"),
    ],
)
def test_a_chat_judges_failures_and_seat_bias_show(rollouts, tmp_path, answer, verdict, first_seat):
    manifest = run(rollouts, tmp_path, judges=[{"uri": scripted(tmp_path, answer), "name": "fake"}])
    assert {row["verdict"] for row in rows(tmp_path / "judged", "pair_verdicts")} == {verdict}
    calls = manifest.counts[0]
    assert calls.dropped == ({verdict: 10} if verdict in ("malformed", "error") else {})
    assert bool(manifest.failures) == bool(calls.dropped)
    line = (tmp_path / "judged" / "summary.txt").read_text().splitlines()[4]
    assert line.split()[-3] == first_seat


def test_one_failed_call_spoils_its_pair_only(rollouts, tmp_path):
    first_is_warm = {"pattern": r"FIRST CONVERSATION>>>\n[^\n]*\n[^\n]*sorry"}
    uri = scripted(tmp_path, {"when": first_is_warm, "say": ["VERDICT: FIRST"]}, {"status": "api_error"})
    run(rollouts, tmp_path, judges=["rubric:warm", uri])
    found = rows(tmp_path / "judged", "pair_verdicts")
    assert [row["verdict"] for row in found] == ["B"] * 5 + ["error"] * 5
    assert (found[-1]["choice_ab"], found[-1]["choice_ba"]) == ("error", "first")


def test_a_judge_that_judges_itself_is_named(rollouts, tmp_path):
    uri = scripted(tmp_path, {"say": ["VERDICT: TIE"]})
    identity = Context().chat(uri, Inputs({})).identity
    own = given(rollout(tmp_path / "own", WARM, model=identity), "rollout-sage1")
    manifest = run([rollouts[0], own], tmp_path, judges=[uri])
    assert "favour itself" in manifest.warnings[0]
    assert manifest.models == {f"judge {identity}": identity}


def test_scenarios_of_one_model_only_are_counted_not_judged(rollouts, tmp_path):
    shifted = given(rollout(tmp_path / "2", WARM, first=2), "rollout-sage1")
    manifest = run([rollouts[0], shifted], tmp_path, judges=["rubric:warm"])
    pairs = manifest.counts[1]
    assert (pairs.came_in, pairs.kept, pairs.dropped) == (7, 3, {"only_in_sage0": 2, "only_in_sage1": 2})


def test_blocks_change_the_shards_but_not_the_rows(rollouts, tmp_path):
    run(rollouts, tmp_path, "one")
    run(rollouts, tmp_path, "many", block=2)
    assert len(list((tmp_path / "many").glob("pair_verdicts-*"))) == 6
    for name in ("judge_calls", "pair_verdicts"):
        assert rows(tmp_path / "one", name) == rows(tmp_path / "many", name)


def test_the_same_inputs_give_the_same_bytes(rollouts, tmp_path):
    assert run(rollouts, tmp_path, "one").content_hash == run(rollouts, tmp_path, "two").content_hash


def test_a_killed_attempt_is_taken_up_without_asking_again(rollouts, tmp_path, monkeypatch):
    config = judge.Config.model_validate({**PAIR, "self_test": False, "block": 2})
    inputs, out = Inputs({"transcripts": rollouts}), Output(tmp_path / "work")
    whole = run(rollouts, tmp_path, block=2)

    real, asked = RubricJudge.judge, []

    def killed(self, shown):
        if len(asked) == 3:
            raise KeyboardInterrupt
        asked.append(shown)
        return real(self, shown)

    monkeypatch.setattr(RubricJudge, "judge", killed)
    with pytest.raises(KeyboardInterrupt):
        judge.run(config, inputs, out, Context())
    # As if the kill had come between a block's calls and its verdicts: the paid calls are kept.
    (out.path / "pair_verdicts-00002.parquet").unlink()
    asked.clear()
    monkeypatch.setattr(RubricJudge, "judge", lambda self, shown: asked.append(shown) or real(self, shown))
    judge.run(config, inputs, again := Output(tmp_path / "work"), Context())
    assert len(asked) == 3
    assert again.counts() == whole.counts
    for name in ("judge_calls", "pair_verdicts"):
        assert rows(again.path, name) == rows(tmp_path / "judged", name)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"pairs": [["a", "a"]]}, "with itself"),
        ({"pairs": [["a", "b"], ["b", "a"]]}, "counted twice"),
        ({"pairs": [["a", "b"]], "judges": []}, "at least 1"),
        ({"pairs": [["a", "b"]], "judge": "rubric:warm"}, "not permitted"),
        ({"judges": ["rubric:warm"], "panel": True}, "at least two judges"),
        ({"judges": ["openai:m@http://127.0.0.1:1/v1"], "max_cost": 1}, "max_cost needs"),
        ({"input_price": 1.0}, "belong together"),
        ({"judges": [{"uri": "hf:x", "output_price": 1.0}]}, "belong together"),
        ({"judges": ["{uri: rubric:warm nam"]}, "expected a URI, or a mapping such as"),
        ({"judges": ["{uri: 'rubric:warm', nam: x}"]}, "not permitted"),
        ({"pilot_pairs": 3}, "at least 5"),
        ({"pilot_pairs": 0, "pilot_only": True}, "at least 5"),
    ],
)
def test_refuses_a_config_that_cannot_be_meant(config, said):
    with pytest.raises(ValidationError, match=said):
        judge.Config.model_validate(config)


def test_a_judge_with_a_name_and_prices_can_be_written_on_a_command_line():
    written = "{uri: 'rubric:warm', name: one, input_price: 0.5, output_price: 1.5}"
    mapping = {"uri": "rubric:warm", "name": "one", "input_price": 0.5, "output_price": 1.5}
    assert judge.Config.model_validate({"judges": [written]}) == judge.Config.model_validate({"judges": [mapping]})


def test_refuses_unknown_models_and_judges(rollouts, tmp_path):
    with pytest.raises(ConfigError, match=r"sage9.*sage0, sage1 only"):
        run(rollouts, tmp_path, pairs=[["sage0", "sage9"]])
    with pytest.raises(ConfigError, match="no rubric 'cold'"):
        run(rollouts, tmp_path, judges=["rubric:cold"])
    with pytest.raises(ConfigError, match="share a name"):
        run(rollouts, tmp_path, judges=["rubric:warm", "rubric:warm"])
    with pytest.raises(ConfigError, match="two inputs"):
        run([rollouts[0], rollouts[0]], tmp_path)
    with pytest.raises(ConfigError, match="stands for several judges"):
        run(rollouts, tmp_path, judges=[{"uri": "rubric:warm", "name": "panel"}])


@pytest.mark.parametrize(
    ("dialogues", "said"),
    [
        ([dialogue("s1", WARM), dialogue("s1", WARM)], "sample 0 of scenario s1 has two dialogues"),
        ([dialogue(None, WARM)], "no scenario id"),
        ([dialogue("elsewhere", WARM)], "share no scenario"),
    ],
)
def test_refuses_transcripts_that_cannot_be_joined(rollouts, tmp_path, dialogues, said):
    odd = given(write(tmp_path / "odd", dialogues), "rollout-sage1")
    with pytest.raises(InputError, match=said):
        run([rollouts[0], odd], tmp_path)


def test_the_tables_say_nothing_of_this_machine(rollouts, tmp_path):
    run(rollouts, tmp_path)
    for path in (tmp_path / "judged").rglob("*.parquet"):
        assert str(tmp_path) not in str(pq.read_table(path).to_pylist())
