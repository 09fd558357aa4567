"""What is not compared like with like is said: other conditions, and dialogues that a rollout lost."""

import pytest
from judging import BAD, GOOD, played, run_judge
from planted_run import write_stage

from sage_data.sac import ALL_SLOTS
from sage_data.stage import Counts, resolve_path
from sage_data.store.dialogues import read_dialogues, rollouts_to_table

PLACES = [(f"s{number}", 0) for number in range(4)]


def rolled(parent, model, said, *, lost=0, exchanges=8, user="simulator", slots=ALL_SLOTS):
    """A finished rollout of four scenarios, of which `lost` more failed."""
    plain = played(parent / "plain" / model, model, dict.fromkeys(PLACES, said))
    table = rollouts_to_table(read_dialogues(plain.path))
    counts = [Counts(unit="dialogues", came_in=4 + lost, kept=4, dropped={"backend_failed": lost} if lost else {})]
    folder = write_stage(
        parent,
        f"rollout-{model}",
        "sage_eval.rollout",
        {"dialogues": table},
        counts=counts,
        config={"exchanges": exchanges, "slots": list(slots), "temperature": 0.8},
        models={"agent": model, "user": user},
    )
    return resolve_path(folder)


def test_what_a_model_lost_in_its_rollout_is_said_though_all_that_is_left_meets_its_like(tmp_path):
    models = [rolled(tmp_path, "a", BAD), rolled(tmp_path, "b", GOOD, lost=3)]
    warnings = run_judge(models, tmp_path / "judged", judges=["rubric:warm"]).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("b: 3 of 7 dialogues were lost in its rollout (3 backend_failed)")
    assert warnings[0] in (tmp_path / "judged" / "summary.txt").read_text()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exchanges": 2}, "(exchanges 8 and 2)"),
        ({"user": "other"}, "(user model simulator and other)"),
        ({"slots": ALL_SLOTS[:1]}, f"(slots {'+'.join(ALL_SLOTS)} and {ALL_SLOTS[0]})"),
    ],
)
def test_rollouts_under_other_conditions_are_named_with_the_difference(tmp_path, change, said):
    models = [rolled(tmp_path, "a", BAD), rolled(tmp_path, "b", GOOD, **change)]
    [warning] = run_judge(models, tmp_path / "judged", judges=["rubric:warm"]).warnings
    assert warning.startswith(f"a and b were rolled out under other conditions {said}")


def test_rollouts_alike_are_not_warned_of(tmp_path):
    models = [rolled(tmp_path, "a", BAD), rolled(tmp_path, "b", GOOD)]
    assert run_judge(models, tmp_path / "judged", judges=["rubric:warm"]).warnings == []
