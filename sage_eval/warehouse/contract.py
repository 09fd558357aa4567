"""The tables of the warehouse, as its `.sql` files declare them.

`sql/tables/NAME.sql` holds one table's columns, types and comments; it is the contract of that table, checked when a
warehouse is built and completed with NULL columns when an older one is opened. `sql/build/select_NAME.sql` says how
its rows follow from the stages' Parquet; a table without one takes its rows over column by column. `sql/views/` holds
what is derived when a warehouse is opened, `sql/examples/` queries worth knowing by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCHEMA_VERSION = 1
"""Version of the tables below; goes up when a column changes its meaning, not when one is added."""
SQL = Path(__file__).parent / "sql"
MARKER = "warehouse.json"
"""File that makes a folder a warehouse; holds the schema version and the tables with their row counts."""


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the warehouse."""

    name: str
    family: str | None = None
    """Name of the stages' shards that it is made of, for example "dialogues" or "rejected/*"; None: made from the
    manifests."""
    only_if: str | None = None
    """Column that a stage's shards must have for `sql/build/` to apply; those without are taken over as they are."""
    later: tuple[str, ...] = ()
    """Columns, as "name TYPE", that stages write since some version; NULL for those that do not."""
    order: tuple[str, ...] = ()
    """Columns it is sorted by; empty keeps the order of the stages and of their rows."""

    @property
    def ddl(self) -> str:
        """Its columns and comments."""
        return (SQL / "tables" / f"{self.name}.sql").read_text(encoding="utf-8")

    @property
    def select(self) -> str | None:
        """How its rows follow from `source_FAMILY`; None when they are taken over as they are."""
        path = SQL / "build" / f"select_{self.name}.sql"
        return path.read_text(encoding="utf-8") if path.is_file() else None


_PAIR = ("judge", "model_a", "model_b")
_SAMPLE = ("sample BIGINT",)
TABLES = (
    Table("runs"),
    Table("run_inputs"),
    Table("run_models"),
    Table("run_origins"),
    Table("funnel"),
    Table("files"),
    Table("rejected", "rejected/*", only_if="utterances"),
    Table("quarantine", "quarantine"),
    Table("scenarios", "scenarios"),
    Table("dialogues", "dialogues", later=_SAMPLE, order=("model NULLS FIRST", "stage", "dialogue_id")),
    Table("turns", "dialogues", later=_SAMPLE, order=("model NULLS FIRST", "stage", "dialogue_id", "turn")),
    Table("messages", "messages"),
    Table("annotation_calls", "asked"),
    Table("annotation_agreement"),
    Table("rewrites", "rewrites"),
    Table("rollout_outcomes", "outcomes", later=_SAMPLE),
    Table("candidates", "candidates", order=("stage", "dialogue_id", "turn", "candidate")),
    Table("judge_calls", "judge_calls", order=("stage", *_PAIR, "scenario_id", "sample", "replicate", '"order"')),
    Table("pair_verdicts", "pair_verdicts", order=("stage", *_PAIR, "scenario_id", "sample", "replicate")),
    Table("judge_self_tests", "judge_self_tests", order=("stage", "judge", "check_name")),
    Table("judge_self_test_calls", "judge_self_test_calls", order=("stage", "judge", "check_name", "pair", '"order"')),
    Table("judge_bias", "judge_bias", order=("stage", *_PAIR)),
    Table("judge_bias_totals", "judge_bias_totals", order=("stage", "judge")),
    Table("judge_self_preference", "judge_self_preference", order=("stage", "judge", "own_model")),
    Table("judge_agreement", "judge_agreement", order=("stage", "kind", "judge", "other")),
    Table("e_paths", "e_paths", order=("stage", *_PAIR, "step")),
    Table("judge_stops", "judge_stops", order=("stage", *_PAIR)),
    Table("significance", "significance"),
    Table("ratings", "ratings"),
    Table("rating_pairs", "rating_pairs"),
    Table("rating_fit", "rating_fit"),
    Table("bench_samples", "bench_samples", order=("stage", "task", "filter", "doc_id", "metric")),
    Table("bench_metrics", "bench_metrics", order=("stage", "task", "filter", "metric")),
    Table("regressions", "regressions"),
    Table("training_examples", "examples"),
    Table("preference_pairs", "pairs"),
    Table("training_curves", "curves"),
    Table("steering", "steering", order=("stage", "scenario_id", "sample", "boost")),
    Table("dose_response", "dose_response"),
    *(
        Table(name, name)
        for name in (
            "state_counts",
            "tag_forms",
            "state_transitions",
            "emotion_matches",
            "emotion_accuracy",
            "emotion_confusions",
            "style_measures",
            "frequent_replies",
            "incarnation",
            "incarnation_rates",
            "incarnation_judgements",
            "behaviour_differences",
            "steering_success",
            "maths_answers",
            "maths_rates",
        )
    ),
)


def sql_files(folder: str) -> dict[str, Path]:
    """The `.sql` files of one folder by name, sorted."""
    return {path.stem: path for path in sorted((SQL / folder).glob("*.sql"))}
