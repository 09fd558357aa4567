"""Puts pair verdicts to exact tests: the paper's Table 1 with what it lacks (exact p, intervals, failures).

Family, alpha, correction, tie rule and stopping rule are the analysis plan's. Each scenario counts once; with several
rollouts it counts with their mean. Ties and inconsistent pairs are listed apart; malformed and error pairs are excluded
and counted, with what they could change. Repeats for test-retest are no evidence.

    sage eval significance judged/ --out significance/
"""

from __future__ import annotations

from sage_data.stage import SUMMARY, Context, Counts, Inputs, Need, Output
from sage_eval.evidence import Evidence, doubts, read_evidence
from sage_eval.plan import read_plan
from sage_eval.significance.chart import chart
from sage_eval.significance.comparing import Comparison, Conclusion, Significance, compare
from sage_eval.significance.pairs import Pairs, found_in, group
from sage_eval.significance.records import SCHEMA, TABLE, table
from sage_eval.significance.terms import Config, Terms, settle
from sage_eval.significance.testing import Method
from sage_eval.significance.text import summary
from sage_eval.verdict import Verdict

__all__ = [
    "INPUTS",
    "SCHEMA",
    "VERSION",
    "Comparison",
    "Conclusion",
    "Config",
    "Method",
    "Pairs",
    "Significance",
    "Terms",
    "compare",
    "run",
    "summary",
    "table",
]

VERSION = 2
INPUTS = (Need("verdicts", "folders of pair verdicts", many=True),)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the `significance` table, its summary, all of it as JSON, and a forest plot.

    Raises:
        ConfigError: see `sage_eval.significance.terms.settle`.
        InputError: there are no verdicts, a pair is judged twice, or judges or orders are mixed up (see
            `sage_eval.evidence.read_evidence` and `sage_eval.significance.pairs.group`).
    """
    folders = [one.path for one in inputs.many("verdicts")]
    evidence = read_evidence(folders)
    plans = [plan for folder in folders if (plan := read_plan(folder)) is not None]
    settled = settle(config, plans, found_in(evidence), context.seed)
    pairs = group(evidence, settled.family)
    planned = set(settled.family) - set(settled.unplanned) if plans else None
    with context.progress("significance", total=None, unit="comparisons") as bar:
        found = compare(pairs, settled.terms, planned=planned)
        bar.advance(found.n)
    out.write_shard(TABLE, 0, table(found), counts=_counts(evidence, found))
    out.write_text(SUMMARY, summary(found))
    out.write_text("significance.json", found.to_json() + "\n")
    out.write_text("significance.svg", chart(found))
    for warning in (*settled.warnings, *doubts(evidence.judges), *_shaky(found)):
        out.warn(warning)


def _counts(evidence: Evidence, found: Significance) -> Counts:
    dropped = {state.value: sum(one.counts[state] for one in found.comparisons) for state in Verdict if state.failed}
    dropped = {reason: lost for reason, lost in (dropped | {"repeat": len(evidence.repeats)}).items() if lost}
    came_in = sum(map(len, evidence.judges.values())) + len(evidence.repeats)
    kept = came_in - sum(dropped.values())
    return Counts(unit="verdicts", came_in=came_in, kept=kept, dropped=dropped, quarantined=0)


def _shaky(found: Significance) -> list[str]:
    return [
        f"{one.judge}: {one.better} may owe its lead over {one.model_a if one.better == one.model_b else one.model_b} "
        f"to {one.failures.n} failed pairs, which are excluded"
        for one in found.comparisons
        if one.holds is False
    ]
