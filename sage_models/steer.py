"""Stage: boost words of the agent's action and show what changes, reply by reply and dose by dose (section 3.7).

Every scenario is answered once for each amount, with the same draws, so a steered reply and its unsteered twin differ
by the boost alone. The share of replies whose action shows a boosted word, against the amount, is the dose-response
curve (the form of the paper's Tables 3 to 5).

    sage model steer sage1/model --scenarios scenarios/ --out steered/
"""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
from pydantic import Field, field_validator

from sage_data.chat import Message, Sampling, Steering
from sage_data.dialogue import Scenario, Split, State
from sage_data.rollout import Ask, Reply, Speaker
from sage_data.rollout.recording import blocks, chosen_scenarios, reason_without_text, rounded
from sage_data.sac import Chain
from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig, derive_seed
from sage_data.store.shards import read_table

VERSION = 3
INPUTS = (Need("agent", "model folder of the agent"), Need("scenarios", "folder of scenarios"))
STEERING_SCHEMA = pa.schema(
    [
        ("boost", pa.float64()),
        ("scenario_id", pa.string()),
        ("sample", pa.int64()),
        ("seed", pa.int64()),
        ("situation", pa.string()),
        ("content", pa.string()),
        ("text", pa.string()),
        ("u_motivation", pa.string()),
        ("u_emotion", pa.string()),
        ("a_motivation", pa.string()),
        ("a_emotion", pa.string()),
        ("a_topics", pa.list_(pa.string())),
        ("hit", pa.bool_()),
        ("tags", pa.string()),
        ("logprob", pa.float64()),
        ("status", pa.string()),
    ]
)
"""One row a reply. `boost`: the amount. `hit`: a boosted word stands in its slot. `tags`: see TagForm."""
_WILSON_Z = 1.959964
"""Normal quantile of a 95% interval."""


class Config(StageConfig):
    """What to boost, how much, and on which scenarios."""

    agent_uri: str = Field("hf:@agent", description="Backend of the agent; it must be able to steer.")
    boost: Mapping[str, Mapping[str, float]] = Field(
        default={"a_motivation": {"humor": 1.0, "joke": 1.0}},
        description="Slot -> word -> weight; a word's logit rises by weight times amount.",
    )
    amounts: tuple[float, ...] = Field((0.0, 1.0, 2.0, 4.0), description="Amounts to try, rising from 0.")
    split: Split | None = Field("test", description="Take only scenarios of this split; null takes all.")
    limit: int | None = Field(64, ge=1, description="Take at most this many scenarios, in file order.")
    samples: int = Field(1, ge=1, description="Replies to each scenario and amount.")
    block: int = Field(64, ge=1, description="Scenarios answered together; one shard each.")
    max_tokens: int = Field(128, ge=1, description="Longest reply, tags included, in tokens.")
    temperature: float = Field(1.0, ge=0, description="0 is greedy.")
    top_k: int = Field(100, ge=0, description="0 keeps all tokens.")

    @field_validator("amounts")
    @classmethod
    def _rise_from_unsteered(cls, amounts: tuple[float, ...]) -> tuple[float, ...]:
        if amounts[:1] != (0,) or any(one >= other for one, other in pairwise(amounts)):
            raise ValueError(f"amounts must begin with 0 and rise from each to the next, found {amounts}")
        return amounts

    def sampling(self, amount: float) -> Sampling:
        """How to draw with every weight times `amount`."""
        boost = {slot: {word: one * amount for word, one in words.items()} for slot, words in self.boost.items()}
        steering = Steering(boost) if amount else None
        return Sampling(self.temperature, self.top_k, max_tokens=self.max_tokens, steering=steering)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `steering` (one row a reply), `dose_response.parquet` and `summary.txt`.

    Raises:
        ConfigError: a slot is unknown.
        InputError: there are no scenarios of the split.
        BackendError: the model cannot be loaded, or cannot be steered.
    """
    scenarios = chosen_scenarios(inputs.one("scenarios").path, config.split, config.limit)
    backend = context.chat(config.agent_uri, inputs)
    out.add_model("agent", backend.identity)
    for index, block in blocks(scenarios, config.block, ("steering",), out, context, "steering"):
        rows = [
            row
            for amount in config.amounts
            for row in _answered(block, Speaker(backend, config.sampling(amount)), amount, config, context.seed)
        ]
        lost = Counter(reason_without_text(row["status"]) for row in rows if row["hit"] is None)
        counts = Counts(unit="replies", came_in=len(rows), kept=len(rows) - lost.total(), dropped=lost)
        out.write_shard("steering", index, pa.Table.from_pylist(rows, STEERING_SCHEMA), counts=counts)
    rows = read_table(out.path, "steering").to_pylist()
    doses = [dose(amount, [row for row in rows if row["boost"] == amount]) for amount in config.amounts]
    out.write_table("dose_response.parquet", pa.Table.from_pylist(doses))
    out.write_text("summary.txt", "\n".join(_summary(config, doses, rows)) + "\n")


def _answered(
    block: Sequence[Scenario], speaker: Speaker, amount: float, config: Config, seed: int
) -> list[dict[str, Any]]:
    asks = [
        Ask(scenario, "assistant", 0, (Message("user", scenario.situation),), derive_seed(seed, scenario.id, "steer"))
        for scenario in block
    ]
    drawn = speaker.draw(asks, config.samples)
    return [
        _row(ask, sample, reply, amount, config)
        for ask, replies in zip(asks, drawn, strict=True)
        for sample, reply in enumerate(replies)
    ]


def _row(ask: Ask, sample: int, reply: Reply, amount: float, config: Config) -> dict[str, Any]:
    state, action = reply.chain.state or State(), reply.chain.action or State()
    return {
        "boost": amount,
        "scenario_id": ask.scenario.id,
        "sample": sample,
        "seed": ask.seed,
        "situation": ask.scenario.situation,
        "content": reply.completion.text,
        "text": reply.chain.text,
        "u_motivation": state.motivation,
        "u_emotion": state.emotion,
        "a_motivation": action.motivation,
        "a_emotion": action.emotion,
        "a_topics": list(action.topics),
        "hit": None if reply.stop is not None else shows(reply.chain, config.boost),
        "tags": reply.form.value,
        "logprob": rounded(reply.completion.logprob),
        "status": reply.completion.status.value,
    }


def shows(chain: Chain, boost: Mapping[str, Mapping[str, float]]) -> bool:
    """Tell whether some boosted word stands in its slot."""
    for slot, words in boost.items():
        prefix, name = slot.split("_")
        state = (chain.state if prefix == "u" else chain.action) or State()
        values = {"motivation": (state.motivation,), "emotion": (state.emotion,), "topic": state.topics}[name]
        if set(values) & set(words):
            return True
    return False


def dose(amount: float, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the share of replies that show a boosted word, with its 95% Wilson interval, at one amount."""
    known = [row for row in rows if row["hit"] is not None]
    hits = sum(row["hit"] for row in known)
    low, high = wilson(hits, len(known))
    return {
        "boost": amount,
        "replies": len(known),
        "hits": hits,
        "share": hits / len(known) if known else None,
        "low": low,
        "high": high,
        "well_formed": sum(row["tags"] == "well_formed" for row in known),
    }


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95% score interval of a proportion (Wilson 1927); the whole range when n is 0."""
    if n == 0:
        return 0.0, 1.0
    z2 = _WILSON_Z**2
    centre = (hits + z2 / 2) / (n + z2)
    half = _WILSON_Z / (n + z2) * math.sqrt(hits * (n - hits) / n + z2 / 4)
    return max(0.0, centre - half), min(1.0, centre + half)


def _summary(config: Config, doses: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    words = "; ".join(f"{slot}: {', '.join(wanted)}" for slot, wanted in config.boost.items())
    lines = [f"boosted {words}", "boost  replies  share shown  95% interval    tags well-formed"]
    for one in doses:
        share = "    -" if one["share"] is None else f"{one['share']:5.3f}"
        lines.append(
            f"{one['boost']:5g}  {one['replies']:7d}  {share:>11}  {one['low']:.3f} - {one['high']:.3f}"
            f"   {one['well_formed']:16d}"
        )
    return lines + _twins(rows, config.amounts[-1])


def _twins(rows: Sequence[Mapping[str, Any]], amount: float) -> list[str]:
    """Show one steered reply beside its unsteered twin: the first pair of which only the steered one is a hit.

    A pair that says something else is preferred to one that only means it differently.
    """
    plain = {(row["scenario_id"], row["sample"]): row for row in rows if row["boost"] == 0}
    pairs = [(plain[row["scenario_id"], row["sample"]], row) for row in rows if row["boost"] == amount]
    hits = [(one, other) for one, other in pairs if other["hit"] and not one["hit"]]
    pair = min(hits, key=lambda two: two[0]["text"] == two[1]["text"], default=None)
    if pair is None:
        return [f"no reply shows a boosted word at {amount:g} that does not show it unsteered"]
    shown = [("user", pair[0]["situation"]), ("boost 0", pair[0]["content"]), (f"boost {amount:g}", pair[1]["content"])]
    return [
        line
        for label, text in shown
        for line in textwrap.wrap(f"{label:>9}: {text}", width=108, subsequent_indent=" " * 11, max_lines=4)
    ]
