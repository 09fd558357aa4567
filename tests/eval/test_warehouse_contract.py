"""What the other stages write is what the tables of the warehouse take: no column is missing, none is left out."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from planted_run import write_stage

from sage_data.annotation.llm.outcome import ASKED_SCHEMA, REWRITE_SCHEMA
from sage_data.chains import MESSAGE_SCHEMA
from sage_data.rollout.recording import OUTCOME_SCHEMA
from sage_data.stage import run_stage
from sage_data.store.dialogues import ROLLOUT_SCHEMA, SCENARIO_SCHEMA
from sage_eval import regress, significance
from sage_eval.bench.records import METRIC_SCHEMA, SAMPLE_SCHEMA
from sage_eval.judge import agreement, bias, self_preference, self_test_tables
from sage_eval.judge.records import CALL_SCHEMA, VERDICT_SCHEMA
from sage_eval.judge.stopping import PATH_SCHEMA, STOP_SCHEMA
from sage_models.dpo.pairs import PAIR_SCHEMA
from sage_models.search.candidates import CANDIDATE_SCHEMA
from sage_models.steer import STEERING_SCHEMA

WRITTEN = {
    "dialogues": ROLLOUT_SCHEMA,
    "scenarios": SCENARIO_SCHEMA,
    "messages": MESSAGE_SCHEMA,
    "asked": ASKED_SCHEMA,
    "rewrites": REWRITE_SCHEMA,
    "outcomes": OUTCOME_SCHEMA,
    "candidates": CANDIDATE_SCHEMA,
    "pairs": PAIR_SCHEMA,
    "judge_calls": CALL_SCHEMA,
    "pair_verdicts": VERDICT_SCHEMA,
    "judge_self_tests": self_test_tables.SCHEMA,
    "judge_self_test_calls": self_test_tables.CALLS_SCHEMA,
    "judge_bias": bias.SCHEMA,
    "judge_bias_totals": bias.TOTALS_SCHEMA,
    "judge_self_preference": self_preference.SCHEMA,
    "judge_agreement": agreement.SCHEMA,
    "e_paths": PATH_SCHEMA,
    "judge_stops": STOP_SCHEMA,
    "significance": significance.SCHEMA,
    "bench_samples": SAMPLE_SCHEMA,
    "bench_metrics": METRIC_SCHEMA,
    "regressions": regress.SCHEMA,
    "steering": STEERING_SCHEMA,
}


CURVES = (
    *("tokens", "epoch", "loss", "lr", "gradient_norm", "held_out_loss"),
    *("token_accuracy", "reward_chosen", "reward_rejected", "margin", "accuracy"),
)


def test_every_column_that_stages_write_has_its_place(tmp_path: Path) -> None:
    tables = {family: schema.empty_table() for family, schema in WRITTEN.items()}
    curves = pa.table({"step": pa.array([], pa.int64()), **{name: pa.array([], pa.float64()) for name in CURVES}})
    folder = write_stage(tmp_path, "everything", "all.of.them", {**tables, "curves": curves})
    assert run_stage("sage_eval.warehouse", {}, {"runs": [folder]}, tmp_path / "warehouse").warnings == []
