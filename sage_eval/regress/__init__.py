"""Compares two models' benchmark scores document by document: the paper's Table 2 with n, p, interval and a verdict.

Documents are paired, and their hashes must match: the same document, the same prompt, the same target. Right-or-wrong
scores are put to the exact McNemar test, others to the paired bootstrap, mmlu to tests over its 57 subjects. Each task
counts once; p-values are adjusted over all m tasks (Holm). A loss is ruled out by the lower limit of an interval at
level 1 - 2 alpha / m (one-sided, Bonferroni); the interval that is shown has `level` and is each task's own.

Either side may be what lm-eval itself wrote (results_*.json, with samples_*.jsonl or without). Without samples the
comparison is unpaired, and says so. A regression makes the command end with exit code 3.

    sage eval regress bench-base/ --new bench-sage1/ --out regressions/
"""

from __future__ import annotations

from collections.abc import Sequence

from sage_data.stage import Context, Counts, Input, Inputs, Need, Output
from sage_eval.regress.chart import chart
from sage_eval.regress.comparing import Outcome, Regression, compare
from sage_eval.regress.matching import match
from sage_eval.regress.outputs import read_outputs
from sage_eval.regress.records import SCHEMA, TABLE, table
from sage_eval.regress.settings import Config, FailOn
from sage_eval.regress.sides import Side, is_stage, read_stage
from sage_eval.regress.text import summary

__all__ = ["INPUTS", "SCHEMA", "VERSION", "Config", "FailOn", "Outcome", "Regression", "compare", "read_side", "run"]

VERSION = 4
INPUTS = (
    Need("base", "benchmark scores of the model before: a bench stage, or results of lm-eval"),
    Need("new", "benchmark scores of the model after"),
)
PLOT = "regress.svg"


def read_side(given: Input) -> Side:
    """Read a benchmark stage's folder, or what lm-eval wrote.

    Raises:
        InputError: it is neither, or cannot be read.
    """
    if is_stage(given.path):
        return read_stage(given.path, given.label)
    return read_outputs(given.path, given.label)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the `regressions` table, its summary and its plot.

    Raises:
        InputError: the two sides do not hold the same documents, were run under different terms, or share no metric.
    """
    base, new = read_side(inputs.one("base")), read_side(inputs.one("new"))
    matched = match(base, new, config)
    for warning in matched.warnings:
        out.warn(warning)
    with context.progress("regress", total=len(matched.lines), unit="tasks") as bar:
        found = compare(matched.lines, config, context.seed)
        bar.advance(len(found))
    documents = sum(one.n or 0 for one in found)
    counts = Counts(unit="compared scores", came_in=documents, kept=documents, quarantined=0)
    out.write_shard(TABLE, 0, table(found), counts=counts)
    out.write_text("summary.txt", summary(found, base.label, new.label))
    out.write_text(PLOT, chart(found, base.label, new.label))
    judge(found, config.fail_on, (base.label, new.label), out)


def judge(found: Sequence[Regression], fail_on: FailOn, names: tuple[str, str], out: Output) -> None:
    """Let the stage end with a failure, or a warning, where the family shows what must not be."""
    said = {
        Outcome.REGRESSED: f"{names[1]} is worse than {names[0]} on",
        Outcome.UNDECIDED: f"with {names[1]}, a loss beyond the margin is not ruled out on",
    }
    for outcome, words in said.items():
        tasks = [f"{one.task} ({one.filter})" for one in found if one.member and one.outcome is outcome]
        fails = fail_on is FailOn.UNDECIDED or (fail_on is FailOn.REGRESSED and outcome is Outcome.REGRESSED)
        if tasks and fails:
            out.fail(f"{words} {', '.join(tasks)}")
        elif tasks and outcome is Outcome.REGRESSED:
            out.warn(f"{words} {', '.join(tasks)}")
