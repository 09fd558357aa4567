"""Stage: roll out an agent against a user simulator on every scenario (paper section 4: 8 exchanges, held-out split).

AGENT and --user are folders of models; leave one out where --agent-uri or --user-uri names any other backend, such as
openai:MODEL@URL. Two agents rolled out with the same user, scenarios and seed meet a user with the same draws, so that
their transcripts can be compared scenario by scenario; with --samples they meet on each scenario several times. A run
that was killed or came to its --max-cost goes on when the same command runs again, and repeats no finished call.

What one rollout draws depends on the seed, its scenario and its sample alone: more samples leave the first as it was.
Where both sides are servers, every dialogue moves on as soon as its turn is answered (`sage_data.rollout.threads`);
with a model in this process a block is played in lock-step, turn by turn. What fails is kept in `rejected/`, as far as
it came, with its reason.

    sage eval rollout sage1/model --user sage1/model --scenarios scenarios/ --out rollout-sage1/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyarrow.parquet as pq
from pydantic import Field, model_validator

from sage_data.chat.meter import Meter, Prices
from sage_data.dialogue import Split
from sage_data.errors import BudgetStopError, InputError
from sage_data.progress import Bar
from sage_data.rollout import OPENER, Speaker, StopReason, Talk, play
from sage_data.rollout.recording import PLAY_INPUTS, PlayConfig, chosen_scenarios, describe, write_transcripts
from sage_data.stage import SUMMARY, Context, Inputs, Output
from sage_data.store.dialogues import rollouts_to_table
from sage_data.store.shards import read_table, shard_name

VERSION = 3
INPUTS = PLAY_INPUTS
RESOURCES = (OPENER,)
TABLES = ("outcomes", "dialogues")
_TOKENS = ("prompt_tokens", "completion_tokens", "user_prompt_tokens", "user_completion_tokens")


class Config(PlayConfig):
    """Settings of an evaluation rollout."""

    volatile: ClassVar[frozenset[str]] = frozenset({"max_cost"})

    split: Split | None = Field("test", description="Take only scenarios of this split; null takes all.")
    samples: int = Field(1, ge=1, description="Rollouts of each scenario, with other draws each.")
    input_price: float = Field(0.0, ge=0, description="Of the agent, US dollars per million prompt tokens.")
    output_price: float = Field(0.0, ge=0, description="Of the agent, US dollars per million generated tokens.")
    user_input_price: float = Field(0.0, ge=0, description="Of the user simulator, like --input-price.")
    user_output_price: float = Field(0.0, ge=0, description="Of the user simulator, like --output-price.")
    max_cost: float | None = Field(
        None,
        ge=0,
        description="US dollars that all calls may cost; then it ends, code 4. Calls that are open by then are waited "
        "for, paid and counted, so somewhat more may be spent.",
    )

    @model_validator(mode="after")
    def _budget_can_be_kept(self) -> Self:
        if self.max_cost is not None and not any((*self.agent_prices(), *self.user_prices())):
            raise ValueError("max_cost needs a price of the agent or of the user, or nothing could be counted")
        return self

    def agent_prices(self) -> tuple[float, float]:
        """US dollars per million tokens (read, generated)."""
        return self.input_price, self.output_price

    def user_prices(self) -> tuple[float, float]:
        """The same of the user simulator."""
        return self.user_input_price, self.user_output_price


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the transcripts (`dialogues`), how each went (`outcomes`), and `summary.txt`.

    Raises:
        ConfigError: a URI names an input that was not given.
        InputError: there are no scenarios of the split, or two rollouts would have one id.
        BackendError: a model cannot be loaded or used.
        BudgetStopError: the allowed cost is reached; finished calls are kept.
    """
    talks = _talks(config, inputs, context.seed)
    cast = _Cast.open(config, inputs, context)
    out.add_model("agent", cast.agent.backend.identity)
    out.add_model("user", cast.user.backend.identity)
    with context.progress("rollout", total=len(talks), unit="dialogues") as bar:
        waiting = list(_unfinished(talks, config.block, cast, out, bar))
        try:
            for index, transcripts in play(waiting, cast.agent, cast.user):
                write_transcripts(transcripts, index, out, rollouts_to_table)
                bar.advance(len(transcripts))
        except BudgetStopError as error:
            raise cast.stop(error) from error
    for line in cast.spent():
        context.report.say(line)
    rows = read_table(out.path, "outcomes", ["scenario_id", "stop_reason", "error", *_TOKENS]).to_pylist()
    out.write_text(SUMMARY, "\n".join([*describe(out), *_more(rows, config)]) + "\n")
    _report_failures(rows, out)


def _talks(config: Config, inputs: Inputs, seed: int) -> list[Talk]:
    """Every rollout of every scenario, those of one scenario in a row."""
    scenarios = chosen_scenarios(inputs.one("scenarios").path, config.split, config.limit)
    settings = config.settings(seed, "rollout")
    talks = [Talk(scenario, settings, sample) for scenario in scenarios for sample in range(config.samples)]
    known: set[str] = set()
    for talk in talks:
        if talk.id in known:
            raise InputError(
                f"{inputs.one('scenarios').path}: two rollouts would have the id {talk.id!r}: expected scenarios with "
                f"ids of their own, none of which is another's with # and a number",
                next_step="make the scenarios with sage data scenarios, or give them other ids",
            )
        known.add(talk.id)
    return talks


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who speaks, and what that costs."""

    agent: Speaker
    user: Speaker
    agent_meter: Meter | None
    user_meter: Meter | None

    @classmethod
    def open(cls, config: Config, inputs: Inputs, context: Context) -> Self:
        """Open both backends; one that both roles name is opened once, so that its limits hold for both together."""
        agent_meter = _meter(config.agent_prices(), config.max_cost, None)
        agent = context.chat(config.agent_uri, inputs, agent_meter)
        if (config.agent_uri, config.agent_prices()) == (config.user_uri, config.user_prices()):
            user, user_meter = agent, agent_meter
        else:
            user_meter = _meter(config.user_prices(), config.max_cost, agent_meter)
            user = context.chat(config.user_uri, inputs, user_meter)
        return cls(
            Speaker(agent, config.agent_sampling()), Speaker(user, config.user_sampling()), agent_meter, user_meter
        )

    @property
    def _meters(self) -> dict[str, Meter]:
        """Role -> its meter; both roles share one where one backend plays them."""
        if self.agent_meter is not None and self.agent_meter is self.user_meter:
            return {"agent and user": self.agent_meter}
        both = {"agent": self.agent_meter, "user": self.user_meter}
        return {role: meter for role, meter in both.items() if meter is not None}

    def spent(self) -> list[str]:
        """What each role was asked and cost, now and before."""
        return [f"{role}: {meter}" for role, meter in self._meters.items()]

    def stop(self, error: BudgetStopError) -> BudgetStopError:
        """The error again with what was spent by now: calls open at the first refusal have been paid since."""
        return next((meter.stop() for meter in self._meters.values()), error)

    def paid_before(self, rows: Sequence[dict[str, Any]]) -> None:
        """Count what finished shards cost: nobody asks about them again, but the budget is for all attempts together.

        The number of calls, which only tells what one costs in the mean, is taken from the replies.
        """
        for row in rows:
            prompt, completion = row["user_prompt_tokens"], row["user_completion_tokens"]
            if self.user_meter is not None:
                _add(self.user_meter, max(row["exchanges"] - 1, 0), prompt, completion)
            if self.agent_meter is not None:
                read, generated = row["prompt_tokens"] - prompt, row["completion_tokens"] - completion
                _add(self.agent_meter, row["exchanges"], read, generated)


def _meter(prices: tuple[float, float], max_cost: float | None, other: Meter | None) -> Meter | None:
    """A meter where calls have a price; a model in this process is not held up by counting."""
    if not any(prices):
        return None
    asked = Prices(input_usd=prices[0], output_usd=prices[1])
    return Meter(asked, max_cost) if other is None else other.beside(asked)


def _add(meter: Meter, calls: int, prompt_tokens: int, completion_tokens: int) -> None:
    meter.paid_before += calls
    meter.prompt_tokens_before += prompt_tokens
    meter.completion_tokens_before += completion_tokens


def _unfinished(
    talks: Sequence[Talk], size: int, cast: _Cast, out: Output, bar: Bar
) -> Iterator[tuple[int, Sequence[Talk]]]:
    """Yield the blocks of which some table is still missing; what the others cost is counted."""
    for index, begin in enumerate(range(0, len(talks), size)):
        block = talks[begin : begin + size]
        # Each finished shard must be asked for, so that its counts are counted.
        finished = [out.has_shard(table, index) for table in TABLES]
        if not all(finished):
            yield index, block
            continue
        cast.paid_before(pq.read_table(out.path / shard_name("outcomes", index)).to_pylist())
        bar.advance(len(block))


def _more(rows: Sequence[dict[str, Any]], config: Config) -> Iterator[str]:
    """Lines of the summary about samples, tokens and money."""
    scenarios = len({row["scenario_id"] for row in rows})
    yield f"{scenarios} scenarios with {config.samples} {'sample' if config.samples == 1 else 'samples'} each"
    both_read, both_made, read, made = (sum(row[name] for row in rows) for name in _TOKENS)
    agent, user = (both_read - read, both_made - made), (read, made)
    yield (
        f"tokens read and generated: agent {agent[0]:,} and {agent[1]:,}, user {user[0]:,} and {user[1]:,}"
        + _priced(agent, user, config)
    )


def _priced(agent: tuple[int, int], user: tuple[int, int], config: Config) -> str:
    """What the replies cost, however many attempts they took; nothing where no price is known."""
    if not any((*config.agent_prices(), *config.user_prices())):
        return ""
    of_agent, of_user = (
        Prices(input_usd=prices[0], output_usd=prices[1]).cost(*tokens)
        for prices, tokens in ((config.agent_prices(), agent), (config.user_prices(), user))
    )
    return f": {of_agent + of_user:.4f} USD"


def _report_failures(rows: Sequence[dict[str, Any]], out: Output) -> None:
    lost = [row for row in rows if row["stop_reason"] == StopReason.FAILED]
    if not lost:
        return
    example = next((row["error"] for row in lost if row["error"]), "it did not say why")
    said = f"{len(lost)} of {len(rows)} dialogues broke off because a backend failed or refused, as with: {example}"
    advice = f"to ask again, remove {out.path.name} and repeat the command; finished calls of servers are not repeated"
    if len(lost) == len(rows):
        out.fail(f"{said}; {advice}")
    else:
        out.warn(f"{said}; what was said until then stands in rejected/; {advice}")
