"""Several datasets -> one, by weight: for example dialogues with instructions, to hold on to general skills.

The paper names mixing in instruction data as the remedy for what fine-tuning on small talk unlearns (section 4, "LLM
benchmarks"). The inputs hold one table in common, dialogues, messages or conversations. Each gets its exact share of
the rows, rounded by largest remainder; its rows are drawn without replacement, and everything drawn is shuffled. With
`blend`, so many dialogues, of whatever inputs, follow one another in one context; rows that do not go from user to
assistant in turn, such as those with a system message, then stay in `rejected/` and take no part in the shares.

Each row says what it is made of: its id is `INPUT/ID` (`INPUT/ID~PASS` where an input is gone through more than once;
`blend-NUMBER` in a blend), and `source_datasets` and `source_ids` name the inputs and the rows in them. `mix.json` has
the shares. The inputs' licences go on by themselves.

Rows do not depend on how the inputs are cut into shards, but on their order. Every input is read twice (ids, then
rows; for `blend` a third time), from its beginning to its end; memory holds about 100 bytes a row, some thousand rows
of one input and one shard of the output; disk holds what is drawn a second time until the stage ends.

    sage data mix chains/ sharegpt/ --weight 0.8 --weight 0.2 --out mixed/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from typing import Any, Literal

from pydantic import Field, field_validator

from sage_data.errors import ConfigError, InputError
from sage_data.inputs import maker
from sage_data.mixing.blending import blend
from sage_data.mixing.drawing import Draws, draw
from sage_data.mixing.fitting import REASON, set_apart
from sage_data.mixing.laying import Layers
from sage_data.mixing.shares import apportion, as_shares, largest_total
from sage_data.mixing.sources import Source, check_ids, open_sources
from sage_data.stage import Context, Counts, Inputs, Need, Origin, Output, StageConfig
from sage_data.store.files import remove

VERSION = 2
INPUTS = (Need("datasets", "folders with dialogues-*, messages-* or conversations-*.parquet", many=True),)
SHARD_ROWS = 20_000
"""Rows of a finished shard."""
LAYERS = ".layers"


class Config(StageConfig):
    """How to mix."""

    weight: tuple[float, ...] = Field(
        default=(), description="Weight of each input, in the order given; none: each by its number of rows."
    )
    rows: int | None = Field(
        default=None,
        ge=1,
        description="Rows to write; null: as many as keep every input's exact share within the rows it has.",
    )
    on_short: Literal["error", "repeat", "stop"] = Field(
        default="error",
        description="When an input has fewer rows than `rows` asks of it: end with an error, go through it again, or "
        "write fewer rows in all, so that the shares hold.",
    )
    blend: int = Field(
        default=1,
        ge=1,
        description="Dialogues that are joined in each row (the last one may hold fewer); not for dialogues tables. "
        "Where an input is gone through again, a row may hold one dialogue twice. Rows with a system message, or one "
        "role twice in a row, stay in rejected/.",
    )
    table: Literal["dialogues", "messages", "conversations"] | None = Field(
        default=None, description="Table to mix; null: the first one that all inputs hold."
    )

    @field_validator("weight")
    @classmethod
    def _are_weights(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        """Refuse what is no weight."""
        if any(one < 0 or not isfinite(one) for one in value):
            raise ValueError("a weight is 0 or a number above it")
        return value


@dataclass(frozen=True, slots=True)
class Mix:
    """What is taken of each source."""

    shares: tuple[Fraction, ...]
    taken: tuple[int, ...]
    shortened: bool
    """True when fewer rows are taken than were asked for."""


def plan_mix(sources: Sequence[Source], config: Config) -> Mix:
    """How many dialogues of each source are taken.

    Raises:
        ConfigError: the weights do not fit the inputs.
        InputError: an input has too few rows.
    """
    shares = _shares(sources, config)
    sizes = [source.rows for source in sources]
    largest = largest_total(sizes, shares)
    wanted = largest if config.rows is None else config.rows * config.blend
    if config.on_short == "stop" and wanted > largest:
        wanted = largest - largest % config.blend
    taken = apportion(wanted, shares)
    if not wanted:
        raise InputError(
            f"the rows of {_listed(sources, sizes)} do not fill one blend of {config.blend} in these shares",
            next_step="blend fewer dialogues, or leave `rows` out",
        )
    if config.on_short != "repeat":
        _check_enough(sources, taken, config, largest)
    return Mix(shares, tuple(taken), config.rows is not None and wanted < config.rows * config.blend)


def _shares(sources: Sequence[Source], config: Config) -> tuple[Fraction, ...]:
    weights = config.weight or [source.rows for source in sources]
    if len(weights) != len(sources):
        raise ConfigError(
            f"expected one weight for each of {len(sources)} inputs ({', '.join(one.label for one in sources)}), "
            f"found {len(weights)}",
            next_step="repeat --weight once for each input, in the same order",
        )
    try:
        return as_shares(weights)
    except ValueError as error:
        raise ConfigError(f"{error}: nothing would be taken", next_step="give one input a weight above 0") from error


def _check_enough(sources: Sequence[Source], taken: Sequence[int], config: Config, largest: int) -> None:
    short = [(source, count) for source, count in zip(sources, taken, strict=True) if count > source.rows]
    if short:
        told = "; ".join(
            f"{source.path} has {source.rows:,} rows, {count:,} are asked of it" for source, count in short
        )
        raise InputError(
            f"too few rows for {sum(taken):,} dialogues in these shares: {told}",
            next_step=f"--rows {largest // config.blend}, or --on-short repeat, or --on-short stop",
        )


def _listed(sources: Sequence[Source], numbers: Sequence[int]) -> str:
    return ", ".join(f"{source.label} {number:,}" for source, number in zip(sources, numbers, strict=True))


# --- the stage ----------------------------------------------------------------------------------------------------


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the mixed table in shards of `SHARD_ROWS` rows, `mix.json`, and a summary.

    Raises:
        ConfigError: weights or options do not fit the inputs, or the inputs do not go together.
        InputError: an input is empty, too small, or not of its table's shape; two of its rows have one id.
    """
    sources = _looked_at(config, inputs, out)
    mix = plan_mix(sources, config)
    _warn(out, sources, mix)
    drawn = draw([source.rows for source in sources], mix.taken, context.seed)
    draws = [_among_fitting(source, one) for source, one in zip(sources, drawn, strict=True)]
    _write(config, sources, draws, out, context)
    described = [_described(source, mix, place) for place, source in enumerate(sources)]
    rows = -(-sum(mix.taken) // config.blend)
    whole = {"table": sources[0].table, "rows": rows, "dialogues": sum(mix.taken), "blend": config.blend}
    out.write_json("mix.json", {**whole, "seed": context.seed, "sources": described})
    out.write_text("summary.txt", _summary(whole, described))


def _looked_at(config: Config, inputs: Inputs, out: Output) -> list[Source]:
    """The inputs, checked; of those that are to be blended, the rows that can be."""
    given = inputs.many("datasets")
    sources = open_sources(given, config.table)
    if config.blend > 1 and sources[0].table == "dialogues":
        raise ConfigError(
            "blend joins messages, and these inputs hold dialogues", next_step="run sage data sac on each input first"
        )
    for one, source in zip(given, sources, strict=True):
        check_ids(source)
        if maker(one) is None:
            out.add_origin(Origin(name=source.label, license="unknown", note="No stage made this input."))
    return set_apart(sources, out, SHARD_ROWS) if config.blend > 1 else sources


def _among_fitting(source: Source, draws: Draws) -> Draws:
    """The same draws by the numbers that rows have in the source, where some of its rows cannot be taken."""
    return draws if source.fitting is None else replace(draws, rows=source.fitting[draws.rows])


def _warn(out: Output, sources: Sequence[Source], mix: Mix) -> None:
    if mix.shortened:
        out.warn(f"fewer rows than asked for, so that the shares hold: {_listed(sources, mix.taken)}")
    for source, share, taken in zip(sources, mix.shares, mix.taken, strict=True):
        if share and not taken:
            out.warn(f"{source.label}: its share of {sum(mix.taken):,} dialogues is less than one, so none is taken")
        if source.left_out:
            out.warn(f"{source.label}: these columns are left out: {', '.join(source.left_out)}")


def _write(config: Config, sources: Sequence[Source], draws: Sequence[Draws], out: Output, context: Context) -> None:
    table = sources[0].table
    drawn = SHARD_ROWS * config.blend
    shards = -(-sum(len(one.rows) for one in draws) // drawn)
    missing = [shard for shard in range(shards) if not out.has_shard(table, shard)]
    if not missing:
        return
    folder = out.path / LAYERS
    remove(folder)
    layers = Layers(folder)
    with context.progress("mixing", sum(source.rows + source.apart for source in sources), "rows") as bar:
        for source, one in zip(sources, draws, strict=True):
            layers.lay(source, one, drawn, set(missing), bar.advance)
    for shard in missing:
        rows = layers.collect(shard)
        if config.blend > 1:
            rows = blend(rows, config.blend, shard * SHARD_ROWS)
        out.write_shard(table, shard, rows, counts=() if shard else _counts(sources, draws))
    remove(folder)


def _counts(sources: Sequence[Source], draws: Sequence[Draws]) -> Counts:
    """What became of the rows that came in; one taken several times counts once."""
    there, apart = sum(source.rows for source in sources), sum(source.apart for source in sources)
    kept = sum(min(source.rows, len(one.rows)) for source, one in zip(sources, draws, strict=True))
    dropped = {why: count for why, count in (("not_drawn", there - kept), (REASON, apart)) if count}
    return Counts(unit="dialogues", came_in=there + apart, kept=kept, dropped=dropped, quarantined=0)


def _described(source: Source, mix: Mix, place: int) -> dict[str, Any]:
    taken = mix.taken[place]
    return {
        "label": source.label,
        "content": source.fingerprint,
        "rows_in": source.rows + source.apart,
        "rows_apart": source.apart,
        "rows_taken": taken,
        "rows_repeated": max(0, taken - source.rows),
        "share_wanted": float(mix.shares[place]),
        "share": taken / sum(mix.taken),
    }


def _summary(whole: dict[str, Any], described: Sequence[dict[str, Any]]) -> str:
    width = max(len("source"), *(len(one["label"]) for one in described))
    lines = [f"{'source':{width}} {'rows':>10} {'taken':>10} {'repeated':>10} {'wanted':>8} {'share':>8}"]
    for one in described:
        numbers = f"{one['rows_in']:10,} {one['rows_taken']:10,} {one['rows_repeated']:10,}"
        lines.append(f"{one['label']:{width}} {numbers} {one['share_wanted']:8.2%} {one['share']:8.2%}")
    joined = f" of {whole['blend']} dialogues each" if whole["blend"] > 1 else ""
    return "\n".join([*lines, f"{whole['table']}: {whole['rows']:,} rows{joined}"]) + "\n"
