"""Judges transcripts of two models on the same scenarios, in both orders, with one or more judges (paper section 3.6).

A judge is `rubric:warm` or `rubric:plain` (offline baselines), or any chat backend's URI.

    sage eval judge rollout-sage0/ rollout-sage1/ --out judged/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations

import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, field_validator

from sage_data.dialogue import Dialogue
from sage_data.errors import ConfigError, InputError
from sage_data.stage import Context, Inputs, Need, Output, StageConfig
from sage_data.store.dialogues import read_dialogues
from sage_data.store.shards import read_table, shard_name
from sage_eval.judge import bias, llm, records, rubric
from sage_eval.judge.protocol import Judge
from sage_eval.judge.transcripts import by_scenario, match
from sage_eval.tables import text_table
from sage_eval.verdict import Verdict

VERSION = 2
INPUTS = (
    Need("transcripts", "folders of rolled-out dialogues, one a model", many=True),
    Need("judge", "checkpoint of a judge, named by the URI hf:@judge", optional=True),
)
RESOURCES = (rubric.RUBRICS, llm.SYSTEM, llm.USER)


class JudgeSpec(BaseModel):
    """One judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str = Field(description="rubric:NAME, or a chat backend's URI; hf:@judge is the input `judge`.")
    name: str | None = Field(None, description="Name in tables; the rubric's or the model's own when left out.")


class Config(StageConfig):
    """Which models are compared, and by whom."""

    pairs: tuple[tuple[str, str], ...] = Field(
        (), description="Pairs of models, [A, B]; every pair, in the order of the inputs, when left out."
    )
    judges: tuple[JudgeSpec, ...] = Field(
        (JudgeSpec(uri="rubric:warm", name=None), JudgeSpec(uri="rubric:plain", name=None)),
        min_length=1,
        description="Judges, each a URI or {uri: ..., name: ...}.",
    )
    strip_prefix: str = Field("rollout-", description="Taken off an input's label to name its model.")
    max_tokens: int = Field(16, ge=1, description="Upper bound of a chat judge's reply, in tokens.")
    block: int = Field(32, ge=1, description="Scenarios judged and stored at a time.")

    @field_validator("judges", mode="before")
    @classmethod
    def _uris(cls, value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        return [{"uri": one} if isinstance(one, str) else one for one in value]

    @field_validator("pairs")
    @classmethod
    def _distinct(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if any(a == b for a, b in pairs):
            raise ValueError("a model cannot be compared with itself")
        if len({frozenset(pair) for pair in pairs}) < len(pairs):
            raise ValueError("a pair is listed twice, perhaps as [A, B] and [B, A]: it would be counted twice")
        return pairs


Models = Mapping[str, Mapping[str, Dialogue]]
"""Model name -> scenario id -> dialogue."""


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Judge every pair and write `judge_calls`, `pair_verdicts`, `judge_bias`.

    Raises:
        ConfigError: a pair names a model without transcripts, or two judges or inputs share a name.
        InputError: two models share no scenario, or a transcript belongs to none.
    """
    models = load_models(config, inputs)
    pairs = config.pairs or tuple(combinations(models, 2))
    if not pairs:
        raise ConfigError("there is one model only, and nothing to compare it with", next_step="add transcripts")
    judges = open_judges(config, inputs, context)
    _warn_of_self_judging(models, judges, out)
    blocks = list(cut(pairs, models, judges, config.block))
    total = sum(len(block.pairs) for block in blocks)
    with context.progress("judge", total=total, unit="pairs") as bar:
        for index, block in enumerate(blocks):
            _judge_block(index, block, out)
            bar.advance(len(block.pairs))
    _summarise(out)


def load_models(config: Config, inputs: Inputs) -> Models:
    """Read every model's transcripts.

    Raises:
        ConfigError: two inputs have one name, or a pair names a model that no input has.
        InputError: a dialogue has no scenario, or a scenario two dialogues.
    """
    models: dict[str, Mapping[str, Dialogue]] = {}
    for one in inputs.many("transcripts"):
        name = one.label.removeprefix(config.strip_prefix)
        if name in models:
            raise ConfigError(f"two inputs are named {name!r} once {config.strip_prefix!r} is taken off")
        models[name] = by_scenario(read_dialogues(one.path), one.label)
    unknown = sorted(set(chain.from_iterable(config.pairs)) - models.keys())
    if unknown:
        raise ConfigError(
            f"`pairs` names {', '.join(unknown)}, but there are transcripts of {', '.join(sorted(models))} only",
            next_step="add the rollout to the stage's inputs, or correct `pairs`",
        )
    return models


def open_judges(config: Config, inputs: Inputs, context: Context) -> list[Judge]:
    """Open every judge.

    Raises:
        ConfigError: there is no such rubric, or two judges share a name.
        BackendError: nothing answers to a URI.
    """
    judges = [_open(spec, config, inputs, context) for spec in config.judges]
    if len({judge.name for judge in judges}) < len(judges):
        raise ConfigError(f"judges share a name: {', '.join(judge.name for judge in judges)}")
    return judges


def _open(spec: JudgeSpec, config: Config, inputs: Inputs, context: Context) -> Judge:
    if spec.uri.startswith(f"{rubric.SCHEME}:"):
        return rubric.rubric_judge(spec.uri, spec.name)
    backend = context.chat(spec.uri, inputs)
    return llm.ChatJudge(spec.name or backend.identity, backend, config.max_tokens, context.seed)


def _warn_of_self_judging(models: Models, judges: list[Judge], out: Output) -> None:
    candidates = {dialogue.model for dialogues in models.values() for dialogue in dialogues.values()}
    for judge in judges:
        out.add_model(f"judge {judge.name}", judge.identity)
        if judge.identity in candidates:
            out.warn(f"judge {judge.name} is one of the models it judges ({judge.identity}); it may favour itself")


def cut(
    pairs: Sequence[tuple[str, str]], models: Models, judges: Sequence[Judge], size: int
) -> Iterator[records.Block]:
    """Cut the work into blocks of at most `size` scenarios: by judge, then pair, then scenario id.

    Raises:
        InputError: two models of a pair share no scenario.
    """
    for judge in judges:
        for a, b in pairs:
            matched = match(models[a], models[b])
            if not matched.pairs:
                raise InputError(
                    f"{a} and {b} share no scenario, so there is nothing to compare",
                    next_step="roll both out on the same scenarios",
                )
            unmatched = {f"only_in_{a}": matched.only_a, f"only_in_{b}": matched.only_b}
            for start in range(0, len(matched.pairs), size):
                chosen = matched.pairs[start : start + size]
                yield records.Block(judge, a, b, chosen, unmatched if start == 0 else {})


def _judge_block(index: int, block: records.Block, out: Output) -> None:
    if out.has_shard(records.CALLS, index):
        calls = pq.read_table(out.path / shard_name(records.CALLS, index))
    else:
        calls = records.ask(block)
        out.write_shard(records.CALLS, index, calls, counts=records.call_counts(calls))
    if not out.has_shard(records.VERDICTS, index):
        verdicts = records.pair_verdicts(block, calls)
        out.write_shard(records.VERDICTS, index, verdicts, counts=records.pair_counts(block))


def _summarise(out: Output) -> None:
    found = bias.measure(read_table(out.path, records.VERDICTS).to_pylist())
    out.write_shard(bias.TABLE, 0, bias.table(found))
    header = ("judge", "A", "B", "pairs", *(state.value for state in Verdict), "1st seat", "words A", "words B")
    rows = [(*key, *_summary_cells(one)) for key, one in found.items()]
    pairs = sum(one.pairs for one in found.values())
    note = "1st seat: share of calls that chose the dialogue shown first. Words: mean length of a reply."
    title = f"{pairs} verdicts, each from two calls with the seats exchanged"
    out.write_text("summary.txt", f"{title}\n\n{text_table(header, rows, left=3)}\n\n{note}\n")
    failed = sum(count for one in found.values() for state, count in one.verdicts.items() if state.failed)
    if failed:
        out.warn(f"{failed} of {pairs} pairs have no readable verdict; they are excluded and counted")


def _summary_cells(one: bias.Bias) -> list[str]:
    share = one.first_seat_share
    words = ["-" if mean is None else f"{mean:.1f}" for mean in (one.words_a, one.words_b)]
    states = [str(one.verdicts[state]) for state in Verdict]
    return [str(one.pairs), *states, "-" if share is None else f"{share:.0%}", *words]
