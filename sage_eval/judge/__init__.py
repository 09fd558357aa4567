"""Judges transcripts of two models on the same scenarios, in both orders, with one or more judges (paper section 3.6).

A judge is `rubric:warm` or `rubric:plain` (offline baselines), `reward:PATH` (a reward model), or any chat backend's
URI. What will be compared, tested and claimed is written to a plan before the first call, and each judge answers
questions with known answers before it judges.

    sage eval judge rollout-sage0/ rollout-sage1/ --out judged/ --judges openai:MODEL@URL --stop e-value

Read in this order: `settings`, `opening` (who judges what), `likeness` (what is not compared like with like),
`planning`, `transcripts` (what a judge is shown), `llm`, `reward` and `rubric` (how it answers), `pilot` and `purse`
(what it will cost), `examining` and `self_test` (whether it can be trusted), `running`, `stopping`, `panel`, `records`
(the tables), `trust` (`bias`, `agreement`), `summary`.
"""

from __future__ import annotations

from sage_data.stage import SUMMARY, Context, Inputs, Need, Output
from sage_data.store.shards import read_table
from sage_eval.judge import llm, rubric, spoiling
from sage_eval.judge.chart import chart
from sage_eval.judge.examining import Examination, finished_tests
from sage_eval.judge.likeness import warn_of_unlike
from sage_eval.judge.opening import load_models, match_models, open_judges, warn_of_kinship
from sage_eval.judge.pilot import Pilot
from sage_eval.judge.planning import make_plan, tasks_of
from sage_eval.judge.purse import Purse, finished_calls
from sage_eval.judge.records import CALLS
from sage_eval.judge.running import Course
from sage_eval.judge.settings import Config
from sage_eval.judge.stopping import PATHS, STOPS, path_table, stop_table
from sage_eval.judge.summary import Told, summary, tell_failures
from sage_eval.judge.trust import origins, write_trust
from sage_eval.plan import PANEL, keep_plan

__all__ = ["INPUTS", "RESOURCES", "VERSION", "Config", "run"]

VERSION = 5
INPUTS = (
    Need("transcripts", "folders of rolled-out dialogues, one a model", many=True, manifest=True),
    Need("judge", "checkpoint of a judge, named by the URI hf:@judge or reward:@judge", optional=True),
)
RESOURCES = (rubric.RUBRICS, llm.SYSTEM, llm.USER, spoiling.TEXTS)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Plan, test the water, test the judges, judge every pair, and write what that came to.

    Raises:
        ConfigError: a pair names a model without transcripts, two judges or inputs share a name, or an attempt that is
            gone on with was begun under another plan.
        InputError: two models share no scenario, or a transcript belongs to none.
        BackendError: a judge cannot be used, or failed its self-test and would cost money.
        BudgetStopError: the allowed cost is reached, or only the pilot was wanted.
    """
    models = load_models(config, inputs)
    matched = match_models(config, models)
    purse = Purse(config.max_cost)
    judges = open_judges(config, inputs, context, purse)
    warn_of_unlike(config, inputs, matched, out)
    warn_of_kinship(config, inputs, models, judges, out)
    examination = Examination.of(config, matched, context.seed)
    # Nothing was asked yet, and nothing is before the plan is on disk.
    plan = keep_plan(make_plan(config, inputs, matched, judges, examination.checks, context.seed), out)
    tasks, left_out = tasks_of(config, plan, matched, judges, context.seed)
    finished = finished_calls(out.path)
    purse.count([*finished, *finished_tests(out)])
    known = Pilot(config, purse, tuple(examination.questions()), out, context).run(tasks, finished)
    tested = examination.run(judges, purse, out, context)
    course = Course(config, plan, purse, known, tested, out, context)
    course.run(tasks, left_out)
    if plan.panel:
        course.panel([judge.name for judge in judges])
    own = [row for row in course.verdicts if row["judge"] != PANEL]
    biases = write_trust(own, origins(inputs, models, config), out, context.seed)
    prices = {judge.name: config.prices(spec) for judge, spec in zip(judges, config.judges, strict=True)}
    calls = read_table(out.path, CALLS).to_pylist()
    tell_failures(course.verdicts, calls, config.retry_failed + 1, out, greedy=config.temperature == 0)
    told = Told(plan, course.verdicts, calls, examination.calls, tested, prices, biases, course.stops, out.warnings)
    _tell(told, out)
    for line in purse.lines():
        context.report.say(line)


def _tell(told: Told, out: Output) -> None:
    """Write what a reader looks at first."""
    if told.stops:
        found = [stop.evidence for stop in told.stops]
        out.write_shard(PATHS, 0, path_table(found, told.plan))
        out.write_shard(STOPS, 0, stop_table(told.stops, told.plan))
        out.write_text("e-values.svg", chart(found, told.plan))
    out.write_text(SUMMARY, summary(told))
