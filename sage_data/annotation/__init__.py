"""Dialogues -> the same dialogues with a state on each utterance: motivation, emotion and topics (paper section 3.2).

    sage data annotate kept/ --out annotated/
    sage data annotate kept/ --out annotated/ --annotator llm --model openai:MODEL@URL

States are columns; nothing is written into the text. The lexicon annotator leaves the text as it came; a language model
makes it more readable and may add bridging questions (paper Appendix B), and `rewrites-*.parquet` then keeps every
original. A dialogue that cannot be annotated is kept apart with its reason, in `rejected/`. Dialogues that have their
states pass through unchanged, so annotating twice changes no row; how many states were there before is counted. Shards
stay one to one, so a killed run goes on at the first unfinished shard, and with a model repeats no finished call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from sage_data.annotation.agreement import Comparison, compare, read_gold
from sage_data.annotation.annotator import AnnotationFailure, Annotator
from sage_data.annotation.cues import CUE_FILE
from sage_data.annotation.lexicon import LexiconAnnotator
from sage_data.annotation.llm import RESOURCES as LLM_RESOURCES
from sage_data.annotation.llm.stage import annotate_with_model, report_on
from sage_data.annotation.settings import Config
from sage_data.annotation.shards import keep_existing, left_lines, stated, write_annotated
from sage_data.annotation.tally import agreement_lines, count_tags, tag_lines
from sage_data.annotation.topics import WORD_FILE
from sage_data.dialogue import Dialogue
from sage_data.gates.lexicon import load_lexicon
from sage_data.gates.sentiment import CompoundScorer
from sage_data.stage import Context, Inputs, Need, Output
from sage_data.store.dialogues import from_table, read_dialogues
from sage_data.store.shards import read_shards

__all__ = ["INPUTS", "RESOURCES", "VERSION", "Config", "count_tags", "keep_existing", "run"]

VERSION = 3
INPUTS = (
    Need("dialogues", "folder of dialogues, as `sage_data.reddit` or `sage_data.gates` writes them"),
    Need("gold", "true states to compare with: a Parquet file, or a folder with states.parquet", optional=True),
    Need("tag_map", "llm: canonical motivations and emotions in place of the shipped ones (TOML)", optional=True),
    Need("weights", "llm: folder of the model, where `model` names it as hf:@weights", optional=True),
)


def resources_of(config: Config) -> Sequence[Path]:
    """The word lists of the lexicon annotator, or the prompt and canonical tags of a language model."""
    return LLM_RESOURCES if config.annotator == "llm" else (CUE_FILE, WORD_FILE)


RESOURCES = resources_of


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Annotate shard by shard; then write `tags.json` (how often each tag occurs, by role) and a summary.

    With the input `gold`, `agreement.json` says how well the states agree with it. With a language model, `report.json`
    says what became of all dialogues, and `estimate.json` what the pilot foretold.

    Raises:
        BudgetStopError: the allowed cost is reached, or only the pilot was wanted.
        BackendError: the model cannot be used at all.
        InputError: there are no dialogues, or a file that was given is damaged.
    """
    by_model = config.annotator == "llm"
    if by_model:
        annotate_with_model(config, inputs, out, context)
    else:
        _annotate_by_cues(config, inputs, out, context)
    tags = count_tags(read_dialogues(out.path))
    out.write_json("tags.json", tags)
    lines = [*(report_on(config, out, tags) if by_model else ()), *left_lines(out.counts()), *tag_lines(tags)]
    if (compared := _compared(inputs, out)) is not None:
        out.write_json("agreement.json", asdict(compared))
        lines += agreement_lines(compared)
    out.write_text("summary.txt", "\n".join(lines) + "\n")


def _annotate_by_cues(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    lexicon = load_lexicon(config.lexicon_sha256)
    annotator = LexiconAnnotator(CompoundScorer(lexicon.valences).compound, config.max_topics)
    out.add_model("annotator", annotator.identity)
    with context.progress("annotation", None, "dialogues") as bar:
        for index, table in enumerate(read_shards(inputs.one("dialogues").path, "dialogues")):
            if not out.has_shard("dialogues", index):
                _annotate_shard(out, index, from_table(table), annotator, config)
            bar.advance(table.num_rows)


def _annotate_shard(
    out: Output, index: int, dialogues: Sequence[Dialogue], annotator: Annotator, config: Config
) -> None:
    annotated: list[Dialogue] = []
    failures: list[AnnotationFailure] = []
    keep, left = config.existing == "keep", 0
    for before, result in zip(dialogues, annotator.annotate(dialogues), strict=True):
        if isinstance(result, AnnotationFailure):
            failures.append(result)
        else:
            annotated.append(keep_existing(before, result) if keep else result)
            left += stated(before) if keep else 0
    write_annotated(out, index, dialogues, annotated, failures, left)


def _compared(inputs: Inputs, out: Output) -> Comparison | None:
    gold = inputs.optional("gold")
    return None if gold is None else compare(read_dialogues(out.path), read_gold(gold.path))
