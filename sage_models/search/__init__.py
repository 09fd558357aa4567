"""Stage: self-play with many candidates a reply, one of which a selector chooses (paper section 3.4, Figure 4).

SAGE_k plays the agent, SAGE_1 the user; each scenario's situation opens a dialogue. The agent draws 16 candidates for
every reply with top-k 100, temperature 1.1 and repetition penalty 1.1, the user one. The chosen path is the trajectory
that the next model learns from; every candidate is kept beside it, with what the selector thought of it.

    sage model search sage1/model --user sage1/model --scenarios scenarios/ --out search1/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

import pyarrow as pa
from pydantic import Field, field_validator

from sage_data.dialogue import Split
from sage_data.rollout import OPENER, Speaker, roll
from sage_data.rollout.recording import (
    PLAY_INPUTS,
    PlayConfig,
    blocks,
    chosen_scenarios,
    describe,
    reason_without_text,
    write_transcripts,
)
from sage_data.stage import Context, Counts, Inputs, Output
from sage_data.store.shards import read_table
from sage_models.search.candidates import CANDIDATE_SCHEMA, SearchingSpeaker
from sage_models.search.rubric import CUES, RubricSelector
from sage_models.search.selector import Selector

VERSION = 4
INPUTS = PLAY_INPUTS
RESOURCES = (OPENER, CUES)
TABLES = ("outcomes", "candidates", "dialogues")
SELECTORS: Mapping[str, Callable[[], Selector]] = {"rubric": RubricSelector}
"""What the option `selector` may name."""


class Config(PlayConfig):
    """Settings of a search; the defaults are the paper's."""

    exchanges: int = Field(6, ge=1, description="Exchanges of a user utterance and a reply (paper: up to 12 turns).")
    split: Split | None = Field("train", description="Take only scenarios of this split; null takes all.")
    candidates: int = Field(16, ge=1, description="Candidates drawn for each reply of the agent.")
    selector: str = Field("rubric", description="Who chooses among them; rubric needs no model.")
    temperature: float = Field(1.1, ge=0, description="Of the agent; 0 is greedy.")
    repetition_penalty: float = Field(1.1, gt=0, description="Of the agent; 1 is none.")
    user_temperature: float = Field(1.1, ge=0, description="Of the user simulator.")
    user_repetition_penalty: float = Field(1.1, gt=0, description="Of the user simulator.")

    @field_validator("selector")
    @classmethod
    def _is_known(cls, selector: str) -> str:
        if selector not in SELECTORS:
            raise ValueError(f"selector must be one of {', '.join(SELECTORS)}; found {selector!r}")
        return selector


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the trajectories (`dialogues`), every candidate (`candidates`), how each went (`outcomes`), `summary.txt`.

    Raises:
        InputError: there are no scenarios of the split.
        BackendError: a model cannot be loaded or used.
    """
    scenarios = chosen_scenarios(inputs.one("scenarios").path, config.split, config.limit)
    agent = Speaker(context.chat(config.agent_uri, inputs), config.agent_sampling())
    user = Speaker(context.chat(config.user_uri, inputs), config.user_sampling())
    selector = SELECTORS[config.selector]()
    out.add_model("agent", agent.backend.identity)
    out.add_model("user", user.backend.identity)
    out.add_model("selector", selector.identity)
    settings = config.settings(context.seed, "self-play")
    for index, block in blocks(scenarios, config.block, TABLES, out, context, "self-play"):
        searching = SearchingSpeaker(agent, selector, config.candidates)
        transcripts = roll(block, searching, user, settings)
        table = pa.Table.from_pylist(searching.rows(), CANDIDATE_SCHEMA)
        out.write_shard("candidates", index, table, counts=_counts(table))
        write_transcripts(transcripts, index, out)
    out.write_text("summary.txt", "\n".join([*describe(out), *_describe_choice(out)]) + "\n")


def _counts(table: pa.Table) -> Counts:
    """Count the candidates: the selected are kept, the rest dropped by reason."""
    fate: Counter[str] = Counter()
    for row in table.select(["selected", "merged_into", "score", "acceptable", "status"]).to_pylist():
        if row["selected"]:
            fate["selected"] += 1
        elif row["merged_into"] is not None:
            fate["duplicate"] += 1
        elif row["score"] is None:
            fate[reason_without_text(row["status"])] += 1
        else:
            fate["not_selected" if row["acceptable"] else "not_acceptable"] += 1
    selected = fate.pop("selected", 0)
    return Counts(unit="candidates", came_in=table.num_rows, kept=selected, dropped=fate)


def _describe_choice(out: Output) -> list[str]:
    columns = ["selected", "chosen_by", "score", "merged_into"]
    rows = read_table(out.path, "candidates", columns).to_pylist()
    chosen = [row for row in rows if row["selected"]]
    judged = [row["score"] for row in rows if row["score"] is not None]
    merged = sum(row["merged_into"] is not None for row in rows)
    how = Counter(row["chosen_by"] for row in chosen)
    return [
        f"{len(rows)} candidates for {len(chosen)} replies, {merged} merged",
        "chosen by " + ", ".join(f"{name} {count}" for name, count in sorted(how.items())),
        f"mean score: all candidates {_mean(judged):.3f}, chosen {_mean([row['score'] for row in chosen]):.3f}",
    ]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
