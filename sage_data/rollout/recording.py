"""The part that every stage with rollouts shares: its settings, its blocks of scenarios, its tables and its summary.

Blocks are fixed runs of scenarios, one shard each. A block's bytes depend on its scenarios, the models, the seed and
the settings of the backends, never on other blocks, so a killed stage repeats at most one block. Models that run here
add in an order that follows their thread count, which is therefore fixed by the backend's URI; another kind of
processor can still round otherwise, and now and then draw another word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pydantic import Field

from sage_data.chat import CompletionStatus, Sampling
from sage_data.dialogue import Dialogue, Scenario, Split
from sage_data.errors import InputError
from sage_data.rollout.playing import Settings, Transcript
from sage_data.rollout.speaking import StopReason, TagForm
from sage_data.sac import ALL_SLOTS, SLOTS, Slot
from sage_data.stage import Context, Counts, Need, Output, StageConfig
from sage_data.store.dialogues import read_scenarios, to_table
from sage_data.store.shards import read_table

PLAY_INPUTS = (
    Need("agent", "model folder of the agent, for the URI hf:@agent", optional=True, positional=True),
    Need("user", "model folder of the user simulator, for the URI hf:@user", optional=True),
    Need("scenarios", "folder of scenarios"),
)
OUTCOME_SCHEMA = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("scenario_id", pa.string()),
        ("sample", pa.int64()),
        ("stop_reason", pa.string()),
        ("stopped_by", pa.string()),
        ("exchanges", pa.int64()),
        *[(f"agent_{form.value}", pa.int64()) for form in TagForm],
        ("problems", pa.list_(pa.struct([("utterance", pa.int64()), ("problem", pa.string())]))),
        ("forgotten", pa.int64()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("user_prompt_tokens", pa.int64()),
        ("user_completion_tokens", pa.int64()),
        ("error", pa.string()),
    ]
)
"""One row a dialogue, the rejected ones included: how it went. See `sage_data.rollout.Transcript`."""


class PlayConfig(StageConfig):
    """Who talks, about what, for how long, and how the words are drawn."""

    agent_uri: str = Field("hf:@agent", description="Backend of the agent; @agent is the input of that name.")
    user_uri: str = Field("hf:@user", description="Backend of the user simulator; @user is the input of that name.")
    exchanges: int = Field(8, ge=1, description="Exchanges of a user utterance and a reply.")
    split: Split | None = Field(None, description="Take only scenarios of this split; null takes all.")
    limit: int | None = Field(None, ge=1, description="Take at most this many scenarios, in file order.")
    block: int = Field(64, ge=1, description="Dialogues played together; one shard each.")
    max_tokens: int = Field(128, ge=1, description="Longest reply, tags included, in tokens.")
    temperature: float = Field(0.8, ge=0, description="Of the agent; 0 is greedy.")
    top_k: int = Field(100, ge=0, description="Of the agent; 0 keeps all tokens.")
    repetition_penalty: float = Field(1.0, gt=0, description="Of the agent; 1 is none.")
    user_temperature: float = Field(0.8, ge=0, description="Of the user simulator.")
    user_top_k: int = Field(100, ge=0, description="Of the user simulator.")
    user_repetition_penalty: float = Field(1.0, gt=0, description="Of the user simulator.")
    trim_user: bool = Field(True, description="Cut a user's utterance after its first question.")
    slots: tuple[Slot, ...] = Field(ALL_SLOTS, min_length=1, description="Slots that the agent was taught.")
    user_slots: tuple[Slot, ...] = Field(
        ALL_SLOTS, min_length=1, description="Slots that the user simulator was taught."
    )

    def agent_sampling(self) -> Sampling:
        """How the agent draws."""
        return Sampling(self.temperature, self.top_k, self.repetition_penalty, self.max_tokens)

    def user_sampling(self) -> Sampling:
        """How the user simulator draws."""
        return Sampling(self.user_temperature, self.user_top_k, self.user_repetition_penalty, self.max_tokens)

    def settings(self, seed: int, corpus: str) -> Settings:
        """How to play."""
        slots, user_slots = (tuple(slot for slot in SLOTS if slot in given) for given in (self.slots, self.user_slots))
        return Settings(self.exchanges, seed, self.trim_user, corpus, slots, user_slots)


def chosen_scenarios(folder: Path, split: Split | None, limit: int | None) -> list[Scenario]:
    """Read the scenarios to play.

    Raises:
        InputError: there are none of that split.
    """
    found = list(read_scenarios(folder))
    chosen = [scenario for scenario in found if split in (None, scenario.split)][:limit]
    if not chosen:
        splits = Counter(scenario.split for scenario in found)
        raise InputError(
            f"{folder}: no scenario of split {split!r}; found {dict(splits)}", next_step="choose another `split`"
        )
    return chosen


def blocks(
    scenarios: Sequence[Scenario], size: int, tables: Sequence[str], out: Output, context: Context, label: str
) -> Iterator[tuple[int, Sequence[Scenario]]]:
    """Yield (shard number, scenarios) for each block of which some table is still missing."""
    with context.progress(label, total=len(scenarios), unit="dialogues") as bar:
        for index, begin in enumerate(range(0, len(scenarios), size)):
            block = scenarios[begin : begin + size]
            # Each finished shard must be asked for, so that its counts are counted.
            finished = [out.has_shard(table, index) for table in tables]
            if not all(finished):
                yield index, block
            bar.advance(len(block))


def write_transcripts(
    transcripts: Sequence[Transcript],
    index: int,
    out: Output,
    to_table: Callable[[Iterable[Dialogue]], pa.Table] = to_table,
) -> None:
    """Write one block: `outcomes` first, then `dialogues`, whose rejects are those that failed or never began.

    `to_table` lays out the dialogues: with their samples or, as is enough where a scenario has one, without.
    """
    out.write_shard("outcomes", index, pa.Table.from_pylist([_outcome(one) for one in transcripts], OUTCOME_SCHEMA))
    reasons = [_rejection(one) for one in transcripts]
    kept = [one.dialogue for one, reason in zip(transcripts, reasons, strict=True) if reason is None]
    lost = [one.dialogue for one, reason in zip(transcripts, reasons, strict=True) if reason is not None]
    dropped = Counter(reason for reason in reasons if reason is not None)
    out.write_shard(
        "dialogues",
        index,
        to_table(kept),
        counts=Counts(unit="dialogues", came_in=len(transcripts), kept=len(kept), dropped=dropped),
        rejected=to_table(lost).append_column("reason", pa.array(filter(None, reasons), pa.string())),
    )


def reason_without_text(status: str) -> str:
    """Name of the reason, in counts, why a completion of this status that has no usable text is dropped."""
    return status if status in (CompletionStatus.API_ERROR, CompletionStatus.REFUSED) else "no_text"


def rounded(logprob: float | None) -> float | None:
    """Keep four decimals of a log-probability; the others depend on the order in which a processor adds."""
    return None if logprob is None else round(logprob, 4)


def describe(out: Output) -> list[str]:
    """Say in a few lines how the dialogues of a stage went."""
    rows = read_table(out.path, "outcomes", ["stop_reason", "exchanges", "forgotten", *_FORMS]).to_pylist()
    stops = Counter(row["stop_reason"] for row in rows)
    forms = {name: sum(row[name] for row in rows) for name in _FORMS}
    replies = max(1, sum(forms.values()))
    shares = ", ".join(f"{count / replies:.1%} {name.removeprefix('agent_')}" for name, count in forms.items())
    outgrown = sum(row["forgotten"] > 0 for row in rows)
    return [
        f"agent {out.models['agent']}, user {out.models['user']}: {len(rows)} dialogues, "
        f"{sum(row['exchanges'] for row in rows)} replies",
        "ended by " + ", ".join(f"{reason} {count}" for reason, count in sorted(stops.items())),
        f"tags of the replies: {shares}",
        f"dialogues that outgrew a model's context (oldest messages left out): {outgrown}",
    ]


_FORMS = tuple(f"agent_{form.value}" for form in TagForm)


def _rejection(transcript: Transcript) -> str | None:
    """Say why a transcript is not a dialogue to learn from or to judge; None when it is one."""
    if transcript.stop_reason is StopReason.FAILED:
        return "backend_failed"
    return None if transcript.exchanges else "no_reply"


def _outcome(transcript: Transcript) -> dict[str, object]:
    forms = Counter(form for role, form in transcript.forms if role == "assistant")
    return {
        "dialogue_id": transcript.dialogue.id,
        "scenario_id": transcript.dialogue.scenario_id,
        "sample": transcript.dialogue.sample,
        "stop_reason": transcript.stop_reason.value,
        "stopped_by": transcript.stopped_by,
        "exchanges": transcript.exchanges,
        **{f"agent_{form.value}": forms[form] for form in TagForm},
        "problems": [{"utterance": place, "problem": problem} for place, problem in transcript.problems],
        "forgotten": transcript.forgotten,
        "prompt_tokens": transcript.prompt_tokens,
        "completion_tokens": transcript.completion_tokens,
        "user_prompt_tokens": transcript.user_prompt_tokens,
        "user_completion_tokens": transcript.user_completion_tokens,
        "error": transcript.error,
    }
