"""What of a warehouse is published: tables of results and, of their columns, those that hold no words.

Numbers may go as they are. A column of texts goes only if it is known to hold names, ids, hashes or one of a few
words, so that a column somebody adds later stays here until it is looked at. What was said (by people, models and
judges) is asked for by name, and what tells of this machine never goes.

    published_columns(schema, words=False)
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from sage_data.errors import ConfigError, PublishError
from sage_eval.warehouse.contract import TABLES

RESULTS = (
    "significance",
    "ratings",
    "rating_pairs",
    "rating_fit",
    "pair_verdicts",
    "judge_calls",
    "judge_bias",
    "bench_metrics",
    "bench_samples",
    "regressions",
    "emotion_accuracy",
    "style_measures",
    "incarnation_rates",
    "behaviour_differences",
    "dose_response",
    "steering_success",
    "maths_rates",
    "training_curves",
    "runs",
    "run_inputs",
    "run_models",
    "funnel",
)
"""Tables that are published when none is named; the first that has rows is the dataset's default config."""
TALK = ("scenarios", "dialogues", "turns", "candidates", "steering", "maths_answers")
"""Tables that are nothing without their words; published too where words are."""
NEVER = frozenset({"files", "rejected", "quarantine"})
"""Tables of what was thrown away, or of this machine's folders."""
HERE = frozenset({"config", "warnings", "error", "problems"})
"""Columns that may tell of this machine: settings, and messages of programs and servers."""
MODELS = frozenset({"model", "judge", "judge_model", "model_a", "model_b", "chosen_by", "anchor"})
"""Columns that name a model, which may have been a path."""
_PROVENANCE = "stage uses fingerprint content_hash input label role unit outcome reason plan_hash family"
_JUDGING = (
    "judge judge_model spec_hash prompt_hash scenario_id dialogue_id model_a model_b order choice verdict status "
    "stage_a stage_b dialogue_a dialogue_b choice_ab choice_ba conclusion stars letters anchor ties_rule tie_rule "
    "correction method test member_of"
)
_BENCHMARKS = "model task filter metric version doc_hash target_hash base_stage new_stage"
_BEHAVIOUR = "kind scope measure rule form source split corpus chosen_by search_stage problem_id steered"
NAMES = frozenset(f"{_PROVENANCE} {_JUDGING} {_BENCHMARKS} {_BEHAVIOUR}".split())
"""Columns of text that hold names, ids, hashes or one of a few words, whichever table they stand in."""


def published_columns(schema: pa.Schema, *, words: bool) -> list[str]:
    """Names of the columns to publish, in order."""
    return [field.name for field in schema if _goes(field, words=words)]


def _goes(field: pa.Field, *, words: bool) -> bool:
    if field.name in HERE:
        return False
    texts = pa.types.is_string(field.type) or pa.types.is_nested(field.type)
    return words or not texts or field.name in NAMES


def chosen_tables(asked: Sequence[str], *, words: bool) -> tuple[str, ...]:
    """The tables to publish, in order: those asked for, or all results, and talk where words may go.

    Raises:
        ConfigError: one is no table of the warehouse, or is never published.
        PublishError: one is nothing without its words, and they are not asked for.
    """
    known = {table.name for table in TABLES} - NEVER
    if unknown := [name for name in asked if name not in known]:
        raise ConfigError(
            f"--tables: expected tables among {', '.join(sorted(known))}; found {', '.join(unknown)}",
            next_step="sage eval sql --list shows what is in each",
        )
    if not words and (spelt := [name for name in asked if name not in RESULTS]):
        raise PublishError(
            f"expected tables of results, which hold no words; found {', '.join(spelt)}",
            next_step="leave them out, or publish what was said with --text-release",
        )
    return tuple(dict.fromkeys(asked)) or (*RESULTS, *(TALK if words else ()))
