"""From transcripts to claims: the model that was planted to be better wins, with the planted p, and its twin does not.

In the miniature world each scenario has one warm and one formal talk; a model says the warm one with a planted chance,
so that every verdict of a judge who prefers warmth is known before it is asked.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from planted_run import write_stage
from scipy.stats import binomtest

from sage_data.dialogue import Dialogue, Source, Utterance
from sage_data.sample.talk import Style, converse
from sage_data.stage import run_stage
from sage_data.store.dialogues import to_table
from sage_data.store.shards import read_table

SCENARIOS = 240
PLANTED = {"base": 0.35, "twin": 0.35, "better": 0.65}
"""Chance that a model's reply is warm."""
PAIRS = (("base", "twin"), ("base", "better"))

Said = dict[str, list[bool]]


@pytest.fixture(scope="module")
def said() -> Said:
    """Model -> whether it is warm, scenario by scenario."""
    return {
        model: [rng.random() < chance for _ in range(SCENARIOS)]
        for model, chance in PLANTED.items()
        for rng in [Random(f"planted:{model}")]
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, said: Said) -> Path:
    parent = tmp_path_factory.mktemp("planted")
    talks = {
        warm: [converse(Random(f"{style}:{index}"), 6, style=style) for index in range(SCENARIOS)]
        for warm, style in ((True, Style.WARM), (False, Style.FORMAL))
    }
    folders = []
    for model, warms in said.items():
        dialogues = [
            Dialogue(
                f"{model}-{index:03d}",
                tuple(Utterance(turn.role, turn.text) for turn in talks[warm][index]),
                Source("rollout"),
                f"s{index:03d}",
                f"hf:{model}",
            )
            for index, warm in enumerate(warms)
        ]
        folders.append(write_stage(parent, f"rollout-{model}", "sage_eval.rollout", {"dialogues": to_table(dialogues)}))
    config = {"pairs": PAIRS, "judges": ["rubric:warm"]}
    run_stage("sage_eval.judge", config, {"transcripts": folders}, parent / "judged")
    run_stage("sage_eval.significance", {}, {"verdicts": [parent / "judged"]}, parent / "significance")
    run_stage("sage_eval.ratings", {}, {"verdicts": [parent / "judged"]}, parent / "ratings")
    return parent


def test_every_verdict_is_the_planted_one(results: Path, said: Said) -> None:
    rows = read_table(results / "judged", "pair_verdicts").to_pylist()
    assert len(rows) == len(PAIRS) * SCENARIOS
    for row in rows:
        index = int(row["scenario_id"][1:])
        a, b = (said[row[name]][index] for name in ("model_a", "model_b"))
        assert row["verdict"] == ("tie" if a is b else "A" if a else "B")


def test_the_better_model_is_claimed_with_the_planted_p_and_its_twin_is_not(results: Path, said: Said) -> None:
    rows = {row["model_b"]: row for row in read_table(results / "significance", "significance").to_pylist()}
    better, twin = rows["better"], rows["twin"]
    for name, row in rows.items():
        wins = [(a, b) for a, b in zip(said["base"], said[name], strict=True) if a is not b]
        assert row["p"] == pytest.approx(binomtest(sum(b for _, b in wins), len(wins)).pvalue, rel=1e-9)
    low, high = _planted_range(PLANTED["base"], PLANTED["better"])
    assert low <= better["p"] <= high < 0.01
    assert better["conclusion"] == "B better"
    assert twin["conclusion"] == "not shown"
    assert twin["p_holm"] >= 0.05


def test_ratings_put_the_better_model_apart_and_the_twins_together(results: Path) -> None:
    rows = read_table(results / "ratings", "ratings").to_pylist()
    letters = {row["model"]: set(row["letters"]) for row in rows}
    assert letters["base"] & letters["twin"]
    assert not letters["better"] & letters["base"]
    assert max(rows, key=lambda row: row["strength"])["model"] == "better"


def _planted_range(a: float, b: float) -> tuple[float, float]:
    """The middle 99.8% of p over worlds with the planted chances."""
    rng = np.random.default_rng(1)
    shares = [a * (1 - b), b * (1 - a)]
    drawn = rng.multinomial(SCENARIOS, [*shares, 1 - sum(shares)], size=1000)
    found = [binomtest(int(wins_b), int(wins_a + wins_b)).pvalue for wins_a, wins_b, _ in drawn]
    return float(np.quantile(found, 0.001)), float(np.quantile(found, 0.999))
