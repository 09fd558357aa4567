"""The stage's run with a language model: pilot, all dialogues, report.

sage data annotate kept/ --out annotated/ --annotator llm --model openai:MODEL@URL
"""

from __future__ import annotations

from typing import cast

import pyarrow.parquet as pq

from sage_data.annotation.llm.asking import Asking
from sage_data.annotation.llm.outcome import ASKED
from sage_data.annotation.llm.pilot import Pilot
from sage_data.annotation.llm.prompt import Mode, Prompt
from sage_data.annotation.llm.reply import Rules
from sage_data.annotation.llm.report import Totals, failure_message, make_report, read_totals, report_lines
from sage_data.annotation.llm.request import Request, reply_schema
from sage_data.annotation.llm.shelf import Shelf
from sage_data.annotation.llm.tags import CanonicalTags, shipped_tags
from sage_data.annotation.settings import Config
from sage_data.annotation.tally import TagCounts
from sage_data.chat import Sampling, StreamingChat
from sage_data.chat.meter import Meter, Prices
from sage_data.stage import Context, Inputs, Output


def annotate_with_model(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Ask about every dialogue that lacks a state, and write all shards.

    Raises:
        BudgetStopError: the allowed cost is reached, or only the pilot was wanted.
        BackendError: the model cannot be used at all.
    """
    meter = Meter(prices_of(config) or Prices(), config.max_cost)
    # With a meter a context gives a chat that streams, whatever its backend can do.
    chat = cast(StreamingChat, context.chat(str(config.model), inputs, meter))
    try:
        out.add_model("annotator", chat.identity)
        _count_finished(out, meter)
        _annotate(config, inputs, out, context, _asking(config, inputs, chat, context.seed))
    finally:
        if (close := getattr(chat, "close", None)) is not None:
            close()


def _count_finished(out: Output, meter: Meter) -> None:
    """Count what finished shards cost: nobody asks about them again, but the budget is for all attempts together."""
    totals = Totals()
    for path in sorted(out.path.glob(f"{ASKED}-[0-9]*.parquet")):
        if out.has(path.name.replace(ASKED, "dialogues")):
            totals.add_table(pq.read_table(path))
    meter.paid_before += totals.sums["calls"]
    meter.prompt_tokens_before += totals.sums["prompt_tokens"]
    meter.completion_tokens_before += totals.sums["completion_tokens"]


def _annotate(config: Config, inputs: Inputs, out: Output, context: Context, asking: Asking) -> None:
    folder = inputs.one("dialogues").path
    known = Pilot(config, prices_of(config), folder, out, context, asking).run()
    shelf = Shelf(folder, out, replace_states=config.existing == "replace", known=known)
    with context.progress("annotation", None, "dialogues") as bar:
        passed_by = 0
        for job in asking.run(shelf.jobs()):
            shelf.put(job)
            bar.advance(1 + shelf.passed_by - passed_by)
            passed_by = shelf.passed_by
        shelf.write()
        bar.advance(shelf.passed_by - passed_by)


def _asking(config: Config, inputs: Inputs, chat: StreamingChat, seed: int) -> Asking:
    given = inputs.optional("tag_map")
    tags = shipped_tags() if given is None else CanonicalTags.load(given.path)
    mode = Mode(config.keep_text, config.bridge, config.max_topics)
    return Asking(
        chat,
        Request(Prompt.load(mode, tags)),
        Rules(mode, tags, config.min_similarity),
        Sampling(temperature=config.temperature, max_tokens=config.max_tokens, json_schema=reply_schema(mode)),
        rounds=config.retry_failed + 1,
        seed=seed,
    )


def prices_of(config: Config) -> Prices | None:
    """The prices given, or None."""
    if config.input_price is None or config.output_price is None:
        return None
    return Prices(input_usd=config.input_price, output_usd=config.output_price)


def report_on(config: Config, out: Output, tags: TagCounts) -> list[str]:
    """Write `report.json`, say which dialogues failed, and give the lines of the summary."""
    report = make_report(read_totals(out.path), tags, prices_of(config))
    out.write_json("report.json", report)
    if (message := failure_message(report, config)) is not None:
        out.fail(message)
    return report_lines(report, config)
