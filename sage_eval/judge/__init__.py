"""Judges transcripts of two models on the same scenarios, in both orders, with one or more judges (paper section 3.6).

A judge is `rubric:warm` or `rubric:plain` (offline baselines), `reward:PATH` (a reward model), or any chat backend's
URI. What will be compared, tested and claimed is written to a plan before the first call.

    sage eval judge rollout-sage0/ rollout-sage1/ --out judged/ --judges openai:MODEL@URL --stop e-value

Read in this order: `settings`, `opening` (who judges what), `planning`, `transcripts` (what a judge is shown), `llm`,
`reward` and `rubric` (how it answers), `pilot` and `purse` (what it will cost), `running`, `stopping`, `panel`,
`records` (the tables), `bias`, `summary`.
"""

from __future__ import annotations

from sage_data.stage import SUMMARY, Context, Inputs, Need, Output
from sage_data.store.shards import read_table
from sage_eval.judge import bias, llm, rubric
from sage_eval.judge.chart import chart
from sage_eval.judge.opening import load_models, match_models, open_judges, warn_of_kinship
from sage_eval.judge.pilot import Pilot
from sage_eval.judge.planning import make_plan, tasks_of
from sage_eval.judge.purse import Purse, finished_calls
from sage_eval.judge.records import CALLS
from sage_eval.judge.running import Course
from sage_eval.judge.settings import Config
from sage_eval.judge.stopping import PATHS, STOPS, path_table, stop_table
from sage_eval.judge.summary import summary, tell_failures
from sage_eval.plan import PANEL, AnalysisPlan, keep_plan

__all__ = ["INPUTS", "RESOURCES", "VERSION", "Config", "run"]

VERSION = 3
INPUTS = (
    Need("transcripts", "folders of rolled-out dialogues, one a model", many=True),
    Need("judge", "checkpoint of a judge, named by the URI hf:@judge or reward:@judge", optional=True),
)
RESOURCES = (rubric.RUBRICS, llm.SYSTEM, llm.USER)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Plan, test the water, judge every pair, and write `judge_calls`, `pair_verdicts`, `judge_bias`.

    Raises:
        ConfigError: a pair names a model without transcripts, two judges or inputs share a name, or an attempt that is
            gone on with was begun under another plan.
        InputError: two models share no scenario, or a transcript belongs to none.
        BackendError: a judge cannot be used.
        BudgetStopError: the allowed cost is reached, or only the pilot was wanted.
    """
    models = load_models(config, inputs)
    matched = match_models(config, models)
    purse = Purse(config.max_cost)
    judges = open_judges(config, inputs, context, purse)
    warn_of_kinship(config, inputs, models, judges, out)
    # Nothing was asked yet, and nothing is before the plan is on disk.
    plan = keep_plan(make_plan(config, inputs, matched, judges, (), context.seed), out)
    tasks, left_out = tasks_of(config, plan, matched, judges, context.seed)
    finished = finished_calls(out.path)
    purse.count(finished)
    known = Pilot(config, purse, out, context).run(tasks, finished)
    course = Course(config, plan, purse, known, out, context)
    course.run(tasks, left_out)
    if plan.panel:
        course.panel([judge.name for judge in judges])
    _report(plan, course, out)


def _report(plan: AnalysisPlan, course: Course, out: Output) -> None:
    """Write what follows from verdicts and calls."""
    calls = read_table(out.path, CALLS).to_pylist()
    counted = [row for row in course.verdicts if not row["replicate"] and row["judge"] != PANEL]
    out.write_shard(bias.TABLE, 0, bias.table(bias.measure(counted)))
    if course.stops:
        found = [stop.evidence for stop in course.stops]
        out.write_shard(PATHS, 0, path_table(found, plan))
        out.write_shard(STOPS, 0, stop_table(course.stops, plan))
        out.write_text("e-values.svg", chart(found, plan))
    out.write_text(SUMMARY, summary(plan, course.verdicts, calls, course.stops))
    tell_failures(course.verdicts, calls, out)
