"""Failure mode "unsolved maths" (paper Appendix G, Figure 10): word problems asked inside a chat, how many get solved.

The agent answers some small talk, then the question; if its reply holds no number at all, it is asked once more for the
number. A problem is solved when the reply's last number is the answer ("last", the stricter rule) or any of its numbers
is ("any"); what counts as a number stands in `numbers.py`. Failed calls are counted and take no part; the share if all
of them had been right, or wrong, stands beside.

    sage eval maths --agent sage1/model --out maths-sage1/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Self

import pyarrow as pa
from pydantic import Field, model_validator

from sage_data.chat import Sampling
from sage_data.chat.meter import Meter, Prices
from sage_data.rollout import Speaker
from sage_data.sac import ALL_SLOTS, SLOTS, Slot
from sage_data.stage import SUMMARY, Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.shards import read_table
from sage_eval.maths.problems import Problem, in_blocks, problems, read_gsm8k
from sage_eval.maths.talking import FAILED, NO_NUMBER, recall, talk
from sage_eval.stats.signs import wilson_interval
from sage_eval.tables import show_interval, show_share, text_table

VERSION = 2
INPUTS = (
    Need("agent", "model folder of the agent, for the URI hf:@agent", optional=True),
    Need("problems", "JSON Lines with question and answer, as gsm8k has them; generated when left out", optional=True),
)
ANSWERS, RATES = "maths_answers", "maths_rates"
ALL = "all"
RULES = ("last", "any")
ANSWER_SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("kind", pa.string()),
        ("question", pa.string()),
        ("answer", pa.string()),
        ("answer_in_question", pa.bool_()),
        ("attempt", pa.int64()),
        ("asked", pa.string()),
        ("outcome", pa.string()),
        ("reply", pa.string()),
        ("numbers", pa.list_(pa.string())),
        ("last_right", pa.bool_()),
        ("any_right", pa.bool_()),
        ("u_motivation", pa.string()),
        ("u_emotion", pa.string()),
        ("a_motivation", pa.string()),
        ("a_emotion", pa.string()),
        ("tags", pa.string()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
    ]
)
RATE_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),
        ("after", pa.string()),
        ("rule", pa.string()),
        ("problems", pa.int64()),
        ("failed", pa.int64()),
        ("no_number", pa.int64()),
        ("n", pa.int64()),
        ("solved", pa.int64()),
        ("rate", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("worst", pa.float64()),
        ("best", pa.float64()),
        ("level", pa.float64()),
        ("seed", pa.int64()),
    ]
)


class Config(StageConfig):
    """Who is asked what."""

    volatile: ClassVar[frozenset[str]] = frozenset({"max_cost"})

    agent_uri: str = Field("hf:@agent", description="Backend of the agent; @agent is the input of that name.")
    count: int = Field(200, ge=1, description="Problems to generate; of a file, take at most so many.")
    nudges: int = Field(1, ge=0, le=5, description="Times the number is asked for again when a reply holds none.")
    slots: tuple[Slot, ...] = Field(ALL_SLOTS, min_length=1, description="Slots that the agent was taught.")
    max_tokens: int = Field(256, ge=1, description="Longest reply, tags included, in tokens.")
    temperature: float = Field(0.0, ge=0, description="Of the agent; 0 is greedy.")
    top_k: int = Field(0, ge=0, description="Of the agent; 0 keeps all.")
    level: float = Field(0.95, gt=0.0, lt=1.0, description="Coverage of the intervals.")
    block: int = Field(64, ge=1, description="Problems asked together; one shard each.")
    input_price: float = Field(0.0, ge=0.0, description="US dollars per million prompt tokens.")
    output_price: float = Field(0.0, ge=0.0, description="US dollars per million generated tokens.")
    max_cost: float | None = Field(
        None, ge=0.0, description="US dollars that the calls of all attempts may cost; then it ends, code 4."
    )

    @model_validator(mode="after")
    def _budget_can_be_kept(self) -> Self:
        if self.max_cost is not None and not any((self.input_price, self.output_price)):
            raise ValueError("max_cost needs input_price or output_price, or nothing could be counted")
        return self


Row = dict[str, Any]


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `maths_answers` (one row a reply to a question), `maths_rates` and the summary.

    Raises:
        ConfigError: the agent's URI names an input that was not given.
        InputError: a line of the problems is not of gsm8k's shape.
        BackendError: the model cannot be loaded or used.
        BudgetStopError: the allowed cost is reached; finished calls are kept.
    """
    asked = _problems(config, inputs, context.seed)
    meter = Meter(Prices(input_usd=config.input_price, output_usd=config.output_price), config.max_cost)
    backend = context.chat(config.agent_uri, inputs, meter)
    out.add_model("agent", backend.identity)
    speaker = Speaker(backend, Sampling(config.temperature, config.top_k, max_tokens=config.max_tokens))
    slots = tuple(slot for slot in SLOTS if slot in config.slots)
    with context.progress("maths", total=len(asked), unit="problems") as bar:
        for index, block in enumerate(in_blocks(asked, config.block)):
            if out.has_shard(ANSWERS, index):
                if config.max_cost is not None:
                    recall(speaker, block, slots, config.nudges, context.seed)
            else:
                found = [row for one in talk(speaker, block, slots, config.nudges, context.seed) for row in one.rows]
                out.write_shard(ANSWERS, index, pa.Table.from_pylist(found, ANSWER_SCHEMA), counts=_counts(found))
            bar.advance(len(block))
    rows = read_table(out.path, ANSWERS).to_pylist()
    rates = list(rate_rows(rows, config.level, context.seed))
    out.write_shard(RATES, 0, pa.Table.from_pylist(rates, RATE_SCHEMA))
    out.write_text(SUMMARY, summary(backend.identity, rows, rates))
    _report_failures(rows, out)


def _problems(config: Config, inputs: Inputs, seed: int) -> list[Problem]:
    given = inputs.optional("problems")
    return problems(seed, config.count) if given is None else read_gsm8k(given.path, seed, config.count)


def _counts(rows: Sequence[Row]) -> Counts:
    first = [row for row in rows if row["attempt"] == 0]
    lost = sum(row["outcome"] == FAILED for row in first)
    dropped = {FAILED: lost} if lost else {}
    return Counts(unit="problems", came_in=len(first), kept=len(first) - lost, dropped=dropped)


def rate_rows(rows: Sequence[Row], level: float, seed: int) -> Iterator[Row]:
    """Solved rates over all problems and by kind: after the question alone, and with the nudges.

    A nudge that failed leaves the problem with the reply it had: without a number, so not solved.
    """
    first = {row["problem_id"]: row for row in rows if row["attempt"] == 0}
    final = dict(first)
    for row in sorted(rows, key=lambda row: row["attempt"]):
        if row["outcome"] != FAILED:
            final[row["problem_id"]] = row
    kinds = list(dict.fromkeys(row["kind"] for row in rows))
    for after, chosen in (("question", first), ("nudges", final)):
        for kind in [ALL, *(kinds if len(kinds) > 1 else [])]:
            of_kind = [row for row in chosen.values() if kind in (ALL, row["kind"])]
            for rule in RULES:
                yield {"kind": kind, "after": after, "rule": rule, **_rate(of_kind, rule, level), "seed": seed}


def _rate(rows: Sequence[Row], rule: str, level: float) -> Row:
    known = [row for row in rows if row["outcome"] != FAILED]
    solved, failed = sum(row[f"{rule}_right"] for row in known), len(rows) - len(known)
    interval = wilson_interval(solved, len(known), level) if known else None
    return {
        "problems": len(rows),
        "failed": failed,
        "no_number": sum(row["outcome"] == NO_NUMBER for row in known),
        "n": len(known),
        "solved": solved,
        "rate": solved / len(known) if known else None,
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "worst": solved / len(rows),
        "best": (solved + failed) / len(rows),
        "level": level,
    }


def summary(agent: str, rows: Sequence[Row], rates: Sequence[Row]) -> str:
    """The rates as text, those of the kinds in a table of their own, and what the agent did in its first replies."""
    header = ("problems", "after", "rule", "asked", "failed", "no number", "solved", "rate", "interval", "if failed")
    lines = [
        (
            *(row[name] for name in ("kind", "after", "rule")),
            *(str(row[name]) for name in ("problems", "failed", "no_number", "solved")),
            "-" if row["rate"] is None else f"{row['rate']:.1%}",
            show_interval(row["low"], row["high"]),
            show_interval(row["worst"], row["best"]),
        )
        for row in rates
        if row["kind"] == ALL
    ]
    level = rates[0]["level"] if rates else 0.95
    note = (
        f"Solved: the last number of the reply is the answer, or any is. {level:.0%} Wilson intervals; 'if failed':\n"
        "the rate if all failed problems had been wrong, or right."
    )
    parts = [f"agent {agent}", text_table(header, lines, left=3), note, _by_kind(rates), _actions(rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _by_kind(rates: Sequence[Row]) -> str:
    """Solved of those scored, a line for each kind."""
    kinds = list(dict.fromkeys(row["kind"] for row in rates if row["kind"] != ALL))
    found = {(row["kind"], row["after"], row["rule"]): row for row in rates}
    columns = [(after, rule) for after in ("question", "nudges") for rule in RULES]
    lines = [
        (kind, *(show_share(found[kind, *one]["solved"], found[kind, *one]["n"]) for one in columns)) for kind in kinds
    ]
    header = ("kind", *(f"{after}, {rule}" for after, rule in columns))
    return f"Solved by kind, of those that did not fail\n{text_table(header, lines)}" if kinds else ""


def _actions(rows: Sequence[Row]) -> str:
    actions = Counter(row["a_motivation"] for row in rows if row["attempt"] == 0 and row["a_motivation"])
    most = sorted(actions.items(), key=lambda one: (-one[1], one[0]))[:5]
    if not most:
        return ""
    return "Most frequent motivations of the first replies: " + ", ".join(f"{one} {count}" for one, count in most)


def _report_failures(rows: Sequence[Row], out: Output) -> None:
    lost = [row for row in rows if row["outcome"] == FAILED]
    if lost and all(row["outcome"] == FAILED for row in rows):
        out.fail(f"the agent answered none of {len(lost)} problems: {lost[0]['error'] or lost[0]['status']}")
    elif lost:
        out.warn(f"{len(lost)} replies failed; their problems are counted and not scored")
