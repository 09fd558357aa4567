"""Measures how models talk: states and what follows them, tags, emotions read, style, steering, claims to be human.

Each folder of dialogues is one model. Shares and means are over utterances, their intervals over scenarios; models are
compared scenario by scenario. Dialogues that failed are counted with their reason and never scored.

    sage eval states rollout-sage0/ rollout-sage1/ --scenarios test-scenarios/ --steered steered/ --out behaviour/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from sage_data.errors import InputError
from sage_data.inputs import Input
from sage_data.stage import SUMMARY, Context, Counts, Inputs, Need, Output, derive_seed
from sage_data.store.dialogues import read_scenarios
from sage_eval.states import (
    asking,
    charts,
    counting,
    differing,
    emotions,
    incarnation,
    steering,
    style,
    text,
    transitions,
)
from sage_eval.states.claims import RULES
from sage_eval.states.estimates import Sums
from sage_eval.states.material import Model, lost_by_model, read_models
from sage_eval.states.settings import Config
from sage_eval.states.tokens import TokenCount, token_counter

__all__ = ["INPUTS", "RESOURCES", "VERSION", "Config", "run"]

VERSION = 3
INPUTS = (
    Need("dialogues", "folders of dialogues, one a model", many=True),
    Need("scenarios", "folders of scenarios, for the emotions that their authors named", many=True, optional=True),
    Need("steered", "folders of steered replies", many=True, optional=True),
    Need("tokenizer", "model folder or tokenizer.json, to count the tokens of replies", optional=True),
    Need("judge", "checkpoint of a judge of claims, named by the URI hf:@judge", optional=True),
)
RESOURCES = (RULES, emotions.MAPPING, asking.SYSTEM, asking.USER)
SCHEMAS: Mapping[str, pa.Schema] = {
    counting.COUNTS: counting.COUNT_SCHEMA,
    counting.FORMS: counting.FORM_SCHEMA,
    transitions.TABLE: transitions.SCHEMA,
    emotions.MATCHES: emotions.MATCH_SCHEMA,
    emotions.ACCURACY: emotions.ACCURACY_SCHEMA,
    emotions.CONFUSIONS: emotions.CONFUSION_SCHEMA,
    style.TABLE: style.SCHEMA,
    style.FREQUENT: style.FREQUENT_SCHEMA,
    incarnation.HITS: incarnation.HIT_SCHEMA,
    incarnation.RATES: incarnation.RATE_SCHEMA,
    asking.TABLE: asking.SCHEMA,
    differing.TABLE: differing.SCHEMA,
    steering.TABLE: steering.SCHEMA,
}
Rows = dict[str, list[dict[str, Any]]]


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write a table for each kind of measure, charts, and a summary.

    Raises:
        ConfigError: two inputs have one name.
        InputError: a folder holds no dialogues, or two with one id; two scenarios differ under one id; what is given
            as a tokenizer is none.
        MissingDependencyError: the library that reads tokenizers is not installed.
        BackendError: the judge of claims cannot be used at all.
        BudgetStopError: the allowed cost is reached.
    """
    models = read_models(inputs.many("dialogues"), config.strip_prefix)
    labels = read_labels(inputs.many("scenarios"))
    given = inputs.optional("tokenizer")
    count = None if given is None else token_counter(given.path)
    rows: Rows = {name: [] for name in SCHEMAS}
    claimed: dict[str, Sums] = {}
    with context.progress("states", total=len(models), unit="models") as bar:
        for model in models:
            claimed[model.name] = _measure(model, labels, rows, config, context.seed, count)
            bar.advance(1)
    _compare(models, claimed, rows, config, context.seed, count)
    for one in inputs.many("steered"):
        found = steering.read_steering(one)
        rows[steering.TABLE] += steering.dose_rows(one.label, found, level=config.level, seed=context.seed)
    if config.incarnation_judge is not None:
        rows[asking.TABLE] += asking.ask(models, config, inputs, out, context)
    _write(models, rows, config, out)


def _measure(
    model: Model, labels: Mapping[str, str], rows: Rows, config: Config, seed: int, count: TokenCount | None
) -> Sums:
    """Add one model's rows; returns its replies with a claim to be human."""
    rows[counting.COUNTS] += counting.count_rows(model, config.level)
    rows[counting.FORMS] += counting.form_rows(model, config.level)
    rows[transitions.TABLE] += transitions.transition_rows(model, config.level)
    rows[style.TABLE] += style.style_rows(model, config.level, config.distinct_budget, count)
    rows[style.FREQUENT] += style.frequent_rows(model)
    matched = list(emotions.match_rows(model, labels, emotions.shipped_mapping()))
    named = {"model": model.name}
    rows[emotions.MATCHES] += matched
    drawing = derive_seed(seed, "emotions", model.name)
    rows[emotions.ACCURACY] += ({**named, **row} for row in emotions.accuracy_rows(matched, config.level, drawing))
    rows[emotions.CONFUSIONS] += ({**named, **row} for row in emotions.confusion_rows(matched))
    found = incarnation.search(model)
    rows[incarnation.HITS] += incarnation.hit_rows(model, found)
    rows[incarnation.RATES] += incarnation.rate_rows(model, found, config.level)
    return incarnation.claim_sums(found)


def _compare(
    models: Sequence[Model],
    claimed: Mapping[str, Sums],
    rows: Rows,
    config: Config,
    seed: int,
    count: TokenCount | None,
) -> None:
    rows[differing.TABLE] += differing.difference_rows(
        models, dict(claimed), level=config.level, least=config.least, seed=seed, count=count
    )


def read_labels(given: Iterable[Input]) -> dict[str, str]:
    """Scenario id -> emotion that its author named; scenarios without one are left out.

    Raises:
        InputError: two folders name different emotions for one id.
    """
    labels: dict[str, str] = {}
    for one in given:
        for scenario in read_scenarios(one.path):
            label = scenario.emotion
            if label is not None and labels.setdefault(scenario.id, label) != label:
                raise InputError(
                    f"{one.label}: scenario {scenario.id} is labelled {label} here and {labels[scenario.id]} elsewhere",
                    next_step="give the folder of scenarios that the dialogues were rolled out from",
                )
    return labels


def _write(models: Sequence[Model], rows: Rows, config: Config, out: Output) -> None:
    lost = lost_by_model(models)
    kept = sum(len(model.talks) for model in models)
    counts = Counts(unit="dialogues", came_in=kept + lost.total(), kept=kept, dropped=dict(sorted(lost.items())))
    for name, schema in SCHEMAS.items():
        table = pa.Table.from_pylist(rows[name], schema=schema)
        out.write_shard(name, 0, table, counts=counts if name == counting.COUNTS else ())
    for file, drawn in _charts(rows, config).items():
        if drawn is not None:
            out.write_text(file, drawn)
    out.write_text(SUMMARY, text.summary(models, rows, config))
    _warn(models, rows, out)


def _charts(rows: Rows, config: Config) -> dict[str, str | None]:
    counted: Callable[[str, str], str | None] = lambda kind, title: charts.state_bars(  # noqa: E731
        rows[counting.COUNTS], kind, title, config.top
    )
    return {
        "actions.svg": counted("action", "What the assistant does and feels"),
        "perceived.svg": counted("perceived", "What the assistant reads in the user"),
        "transitions.svg": charts.transition_maps(rows[transitions.TABLE], config.top),
        "steering.svg": charts.dose_curves(rows[steering.TABLE]),
    }


def _warn(models: Sequence[Model], rows: Rows, out: Output) -> None:
    for model in models:
        if model.lost:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(model.lost.items()))
            out.warn(f"{model.name}: dialogues that are counted and not measured: {reasons}")
    styles = [row for row in rows[differing.TABLE] if row["value"] == "words"]
    apart = {(row["model_a"], row["model_b"]) for row in styles if row["scenarios"] == 0}
    for a, b in sorted(apart):
        out.warn(f"{a} and {b} share no scenario, so they are not compared")
    lost = sum(row["unreadable"] for row in rows[steering.TABLE])
    if lost:
        out.warn(f"{lost} steered replies cannot be read; they are counted and not scored")
