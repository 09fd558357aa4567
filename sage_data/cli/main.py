"""The front door: `sage`.

    sage run quickstart

Exit codes: 0 done; 1 failed; 2 usage or configuration; 3 finished and usable, but parts failed (each is named on a
line that begins with `failed:`); 5 locked by another process; 130 interrupted, 143 terminated. 4 is kept for budgets.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import click

from sage_data import __version__
from sage_data.cli.lazy import Lazy, LazyGroup
from sage_data.errors import BudgetStopError, SageError, Terminated

ABOUT = """Make dialogue datasets, train and steer models on them, and judge the results.

\b
Start here:
  sage run quickstart        the whole pipeline on this machine, offline, in minutes
  sage plan quickstart       what would run, and why
  sage doctor                what is installed, what is missing, how to get it
"""

COMMANDS = {
    "run": Lazy("run a recipe; finished stages are skipped", "sage_data.cli.recipes:run"),
    "plan": Lazy("say which stages are fresh, stale (why), partial or missing", "sage_data.cli.recipes:plan"),
    "status": Lazy("say where a run folder stands", "sage_data.cli.recipes:status"),
    "resume": Lazy("go on with an interrupted run folder", "sage_data.cli.recipes:resume"),
    "data": Lazy("make dialogues: sample, reddit, gate, funnel, annotate, sac, scenarios", "sage_data.cli.data:group"),
    "model": Lazy("learn and speak: base, sft, search, dpo, steer", "sage_models.cli:group"),
    "eval": Lazy("judge: rollout, judge, significance, bench, regress, sql, report", "sage_eval.cli:group"),
    "doctor": Lazy("say what is installed, what is missing and how to get it", "sage_data.cli.doctor:doctor"),
}

cli = LazyGroup("sage", COMMANDS, ABOUT)
cli.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        help="Print the version.",
        callback=lambda ctx, _, value: _print_version(ctx) if value else None,
    )
)
cli.params.append(
    click.Option(["--debug"], is_flag=True, expose_value=False, is_eager=True, help="Show tracebacks of errors.")
)

INTERRUPTED, TERMINATED = 130, 143


def _print_version(ctx: click.Context) -> None:
    click.echo(f"sage-dialogue {__version__}")
    ctx.exit()


def _on_sigterm(signum: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> None:
    """Run the command line and end the process with its exit code."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    signal.signal(signal.SIGTERM, _on_sigterm)
    # Threads that spin while they wait make two processes on one machine ten times slower than they need be
    # (docs/lab-log.md, 2026-11-23). Read by OpenMP when torch is loaded, so it is set before.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    code = call(arguments, debug=debug)
    sys.stdout.flush()
    sys.stderr.flush()
    if code in (INTERRUPTED, TERMINATED):
        # Worker threads of numeric libraries must not hold up an interrupted process.
        os._exit(code)
    sys.exit(code)


def call(arguments: list[str], *, debug: bool = False) -> int:
    """Run one command line and return its exit code.

    0 done, 1 failed, 2 usage, 3 failed in parts, 4 stopped by the budget, 5 locked.
    """
    try:
        result = cli.main(arguments, prog_name="sage", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        return _interrupted(INTERRUPTED)
    except Terminated:
        return _interrupted(TERMINATED)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (SageError, OSError) as error:
        if debug:
            raise
        return _failed(error)
    return result if isinstance(result, int) else 0


def _failed(error: SageError | OSError) -> int:
    """Say what went wrong in one sentence and give the exit code."""
    if isinstance(error, SageError):
        click.echo(f"{'stopped' if isinstance(error, BudgetStopError) else 'error'}: {error}", err=True)
        return error.exit_code
    where = f": {error.filename}" if error.filename else ""
    click.echo(f"error: {error.strerror or error}{where}", err=True)
    return 1


def _interrupted(code: int) -> int:
    click.echo("interrupted: finished work is kept, and is gone on with", err=True)
    return code


if __name__ == "__main__":
    main()
