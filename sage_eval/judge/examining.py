"""The self-test's place in the stage: each judge answers questions with known answers before its verdicts are paid for.

A judge that fails, or that could not be asked, is not asked further: the stage ends, and says how to go on all the
same. A reward model costs nothing and goes on; the stage then counts as finished with a failed part. A rubric is a
baseline that nobody need trust, so a warning does. Whatever went on, each verdict says how its judge did. Where there
are too few scenarios to tell, a warning says so.

    outcomes = Examination.of(config, matched, seed=7).run(judges, purse, out, context)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sage_data.errors import BackendError
from sage_data.stage import Context, Output, derive_seed
from sage_data.store.shards import read_table
from sage_eval.judge import self_test_tables as tables
from sage_eval.judge.probes import Check, Material, RealPair, draw, probes
from sage_eval.judge.protocol import Judge, PaidJudge
from sage_eval.judge.purse import Purse
from sage_eval.judge.rubric import RubricJudge
from sage_eval.judge.self_test import run_self_test
from sage_eval.judge.self_test_results import SelfTest
from sage_eval.judge.self_test_rules import Outcome, Settings, overall
from sage_eval.judge.self_test_text import summary
from sage_eval.judge.settings import Config
from sage_eval.judge.transcripts import Matched, Presentation, transcript

TEXT = "self-test.txt"
_BAD = (Outcome.FAILED, Outcome.NOT_ASKED)
Row = Mapping[str, Any]


@dataclass
class Examination:
    """One run's self-test: what is asked, and what came of it."""

    settings: Settings
    material: Material | None
    """None when no judge is to be tested."""
    calls: list[Row] = field(default_factory=list)
    """One row a call, once it has run."""

    @classmethod
    def of(cls, config: Config, matched: Mapping[tuple[str, str], Matched], seed: int) -> Examination:
        """Draw the scenarios that the questions are made of."""
        settings = Settings.model_validate({"skip": config.self_test_skip, "pairs": config.self_test_pairs})
        real = [
            RealPair(pair.scenario_id, names, (transcript(pair.a), transcript(pair.b)))
            for names, found in matched.items()
            for pair in found.pairs
        ]
        wanted = config.self_test and set(Check) > set(settings.skip)
        seed = derive_seed(seed, "judge", "self-test")
        return cls(settings, draw(real, n=settings.pairs, seed=seed) if wanted else None)

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the checks that are made."""
        return () if self.material is None else tuple(one.value for one in Check if one not in self.settings.skip)

    def questions(self) -> Iterator[Presentation]:
        """One presentation of each pair that a judge is asked about in both orders, to tell what that will cost."""
        if self.material is None:
            return
        for check in Check:
            if check not in self.settings.skip:
                for probe in probes(check, self.material, self.settings.null_replies):
                    yield Presentation(probe.a, probe.b)

    def run(self, judges: Sequence[Judge], purse: Purse, out: Output, context: Context) -> dict[str, Outcome]:
        """Test every judge, write the tables, and say how each did; what an earlier attempt wrote is read.

        Raises:
            BackendError: a judge whose calls may cost money has failed, or could not be asked.
            BudgetStopError: the budget is used up.
        """
        if self.material is None:
            return dict.fromkeys((judge.name for judge in judges), Outcome.SKIPPED)
        if not (out.has_shard(tables.TABLE, 0) and out.has_shard(tables.CALLS_TABLE, 0)):
            self._ask(self.material, judges, purse, out, context)
        self.calls += read_table(out.path, tables.CALLS_TABLE).to_pylist()
        rows = read_table(out.path, tables.TABLE).to_pylist()
        outcomes = {judge.name: _outcome([row for row in rows if row["judge"] == judge.name]) for judge in judges}
        for judge in judges:
            _tell(judge, outcomes[judge.name], [row for row in rows if row["judge"] == judge.name], out)
        return outcomes

    def _ask(self, material: Material, judges: Sequence[Judge], purse: Purse, out: Output, context: Context) -> None:
        found: list[SelfTest] = []
        with context.progress("self-test", total=len(judges), unit="judges") as bar:
            for judge in judges:
                with purse.spending(judge.name):
                    found.append(run_self_test(judge, material, self.settings))
                bar.advance()
        out.write_text(TEXT, summary(found))
        out.write_shard(tables.CALLS_TABLE, 0, tables.calls_table(found))
        out.write_shard(tables.TABLE, 0, tables.table(found))


def finished_tests(out: Output) -> list[Row]:
    """The self-test's calls that an earlier attempt finished, for the budget."""
    if not any(out.path.glob(f"{tables.CALLS_TABLE}-[0-9]*.parquet")):
        return []
    rows: list[Row] = read_table(out.path, tables.CALLS_TABLE).to_pylist()
    return rows


def _outcome(rows: Sequence[Row]) -> Outcome:
    return overall({Check(row["check_name"]): Outcome(row["outcome"]) for row in rows if row["required"]})


def _tell(judge: Judge, outcome: Outcome, rows: Sequence[Row], out: Output) -> None:
    """Say what is wrong with a judge.

    Raises:
        BackendError: it is bad enough not to spend money on.
    """
    missed = [row for row in rows if row["required"] and row["outcome"] == outcome.value]
    why = f"judge {judge.name}: self-test {outcome.value} ({_reasons(missed)})"
    if outcome is Outcome.UNDECIDED:
        out.warn(f"{why}; whether its verdicts can be trusted is not known")
    elif outcome in _BAD and isinstance(judge, PaidJudge):
        checks = " ".join(f"--self-test-skip {row['check_name']}" for row in missed)
        raise BackendError(
            f"{why}, so it was asked nothing more; {TEXT} in {out.path} has the details",
            next_step=f"choose another judge; {checks} leaves these checks out, --no-self-test all of them",
        )
    elif outcome in _BAD:
        say = out.warn if isinstance(judge, RubricJudge) else out.fail
        say(f"{why}; its verdicts should not be counted")


def _reasons(rows: Sequence[Row]) -> str:
    """Each reason with the checks that have it."""
    checks: dict[str, list[str]] = {}
    for row in rows:
        checks.setdefault(row["reason"], []).append(row["check_name"])
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in checks.items())
