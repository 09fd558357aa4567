"""`sage eval`: judge models, ask questions in SQL, write pages."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sage_data.cli.lazy import Lazy, LazyGroup
from sage_data.errors import ConfigError

COMMANDS = {
    "rollout": Lazy(
        "let an agent and a user simulator talk through scenarios",
        "sage_eval.rollout",
        "sage eval rollout sage1/model --user sage1/model --scenarios scenarios/ --out rollout-sage1/",
    ),
    "judge": Lazy(
        "compare models pair by pair, in both orders",
        "sage_eval.judge",
        "sage eval judge rollout-a/ rollout-b/ --out judged/ --judges openai:MODEL@URL --stop e-value",
    ),
    "significance": Lazy(
        "exact tests over the verdicts: a table like the paper's Table 1",
        "sage_eval.significance",
        "sage eval significance judged/ --out significance/",
    ),
    "ratings": Lazy(
        "rate many models: strengths with intervals, groups that cannot be told apart, fit and cycles",
        "sage_eval.ratings",
        "sage eval ratings judged/ --out ratings/",
    ),
    "plan-size": Lazy("how many pairs to judge, or what so many can show", "sage_eval.sizes:plan_size"),
    "check-paper": Lazy(
        "recompute a published table and list what does not add up", "sage_eval.paper.command:check_paper"
    ),
    "bench": Lazy(
        "run lm-eval tasks and keep every sample",
        "sage_eval.bench",
        "sage eval bench sage1/model --tasks world/tasks --out bench-sage1/",
    ),
    "bench mirror": Lazy(
        "put the data of benchmarks where lm-eval finds it without a network",
        "sage_eval.bench.mirror",
        "sage eval bench mirror --from benchmarks/ --out mirror/",
    ),
    "regress": Lazy(
        "compare two models' benchmarks item by item: a table like the paper's Table 2",
        "sage_eval.regress",
        "sage eval regress bench-base/ --new bench-sage1/ --out regressions/",
    ),
    "states": Lazy(
        "measure how models talk: states, tags, emotions read, style, steering, claims to be human",
        "sage_eval.states",
        "sage eval states rollout-a/ rollout-b/ --scenarios scenarios/ --out behaviour/",
    ),
    "maths": Lazy(
        "ask word problems inside a chat and count the solved ones",
        "sage_eval.maths",
        "sage eval maths --agent sage1/model --out maths-sage1/",
    ),
    "warehouse": Lazy(
        "gather every stage's Parquet into tables for SQL",
        "sage_eval.warehouse",
        "sage eval warehouse runs/quickstart/judged runs/quickstart/search --out warehouse/",
    ),
    "sql": Lazy("ask the warehouse of a run a question in SQL", "sage_eval.cli:sql"),
    "report": Lazy(
        "write the pages: one static folder, no outside request",
        "sage_eval.report",
        "sage eval report warehouse/ --out report/",
    ),
    "publish": Lazy(
        "publish pages, tables and scores on the Hugging Face Hub; a dry run unless told otherwise",
        "sage_eval.publish",
        "sage eval publish --report report/ --warehouse warehouse/ --space me/board --dataset me/rows --out published/",
    ),
}

group = LazyGroup("eval", COMMANDS, "Judge models, ask questions in SQL, write pages.")


@click.command(epilog='\b\nExample:\n  sage eval sql "SELECT model, count(*) FROM turns GROUP BY model"')
@click.argument("query", required=False)
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the query from a file."
)
@click.option("--example", metavar="NAME", help="Run a query that ships with sage; --list names them.")
@click.option("--list", "catalogue", is_flag=True, help="List tables, columns and examples.")
@click.option(
    "--warehouse",
    "warehouses",
    multiple=True,
    metavar="[NAME=]PLACE",
    help="Warehouse or run folder, or hf:// or s3:// URL; several under names [default: the only run below runs/].",
)
@click.option(
    "--export-duckdb",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a DuckDB file of views over the Parquet instead; it is not sandboxed.",
)
@click.option("--relative", is_flag=True, help="With --export-duckdb: paths relative to the file's folder.")
@click.option("--json", "form", flag_value="json", help="Print JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV.")
@click.option("--parquet", "form", flag_value="parquet", help="Print Parquet, for a pipe or file.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True, help="Seconds."
)
@click.option("--memory", default="2GB", show_default=True, help="Memory the query may use.")
def sql(
    query: str | None,
    file: Path | None,
    example: str | None,
    catalogue: bool,
    warehouses: tuple[str, ...],
    export_duckdb: Path | None,
    relative: bool,
    form: str | None,
    timeout: float,
    memory: str,
) -> None:
    """Ask the warehouse of a run one question in SQL: a single SELECT, read-only."""
    from sage_eval.sql import Question, answer, export_views, read_warehouses
    from sage_eval.warehouse.output import Format

    question = Question(
        sql=query,
        file=file,
        example=example,
        catalogue=catalogue,
        form=Format(form or "table"),
        timeout_s=timeout,
        memory_limit=memory,
        alone=True,
    )
    found = read_warehouses(warehouses) if warehouses else only_run()
    if export_duckdb is not None:
        click.echo(export_views(found, export_duckdb, question, relative=relative))
        return
    sys.stdout.buffer.write(answer(found, question))


def only_run(runs: Path = Path("runs")) -> Path:
    """The one run below `runs` that has a warehouse.

    Raises:
        ConfigError: there is none, or more than one.
    """
    found = sorted(path.parent for path in runs.glob("*/warehouse"))
    if len(found) != 1:
        names = ", ".join(map(str, found)) or "none"
        raise ConfigError(
            f"expected one run with a warehouse below {runs}/, found {names}",
            next_step="name one with --warehouse, or make one: sage run quickstart",
        )
    return found[0]
