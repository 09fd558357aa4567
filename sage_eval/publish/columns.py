"""What of a warehouse is published: tables of results and, of their columns, those that hold no words.

Numbers may go as they are. A column of texts goes only if it is known to hold names, ids, hashes or one of a few
words, so that a column somebody adds later stays here until it is looked at. What was said (by people, models and
judges) is asked for by name, and what tells of this machine never goes.

    published_columns("judge_calls", schema, words=False)
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
HERE = frozenset({"error", "problems"})
"""Columns of text that may tell of this machine, whichever table they stand in: messages of programs and servers."""
HERE_IN = {"runs": frozenset({"config", "warnings"})}
"""The same of one table: settings are told by the card, without their folders."""
MODELS = frozenset({"model", "judge", "judge_model", "model_a", "model_b", "chosen_by", "anchor"})
"""Columns that name a model, which may have been a path."""
_PROVENANCE = "stage uses fingerprint content_hash input label role unit outcome reason plan_hash family"
_JUDGING = (
    "judge judge_model spec_hash prompt_hash scenario_id dialogue_id model_a model_b order choice verdict status "
    "stage_a stage_b dialogue_a dialogue_b choice_ab choice_ba conclusion stars letters anchor ties_rule tie_rule "
    "correction method self_test provider_version stopping length_note adjusted_note unrated models "
    "strong_components cycles warnings"
)
_BENCHMARKS = "model task filter metric version doc_hash target_hash base_stage new_stage"
_BEHAVIOUR = "kind scope measure rule after form source split corpus chosen_by search_stage problem_id steered"
NAMES = frozenset(f"{_PROVENANCE} {_JUDGING} {_BENCHMARKS} {_BEHAVIOUR}".split())
"""Columns of text that hold names, ids, hashes or one of a few words, whichever table they stand in."""


def published_columns(table: str, schema: pa.Schema, *, words: bool) -> list[str]:
    """Names of the columns of a table to publish, in order."""
    here = HERE | HERE_IN.get(table, frozenset())
    return [
        field.name
        for field in schema
        if not _holds_text(field.type) or (field.name not in here and (words or field.name in NAMES))
    ]


def _holds_text(kind: pa.DataType) -> bool:
    """True for texts, and for lists and structs with some inside."""
    if pa.types.is_nested(kind):
        return any(_holds_text(kind.field(index).type) for index in range(kind.num_fields))
    return not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


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
