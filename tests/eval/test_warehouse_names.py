"""Several warehouses open under names: each in a schema of its own, and all together."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from planted_run import small_run
from planted_talks import warehouse as talks

from sage_data.errors import ConfigError, InputError, SchemaVersionError
from sage_data.stage import run_stage
from sage_eval.cli import sql as command
from sage_eval.sql import Question, answer, export_views, read_warehouses
from sage_eval.warehouse import connect, query
from sage_eval.warehouse.contract import TABLES, sql_files
from sage_eval.warehouse.database import declared_tables, use_schema
from sage_eval.warehouse.export import export
from sage_eval.warehouse.opening import open_all
from sage_eval.warehouse.query import QueryError, ask

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two run folders, each with a warehouse; stages of both are called rollout-... and scenarios."""
    parent = tmp_path_factory.mktemp("two")
    talks(parent / "talks")
    run_stage("sage_eval.warehouse", {}, {"runs": small_run(parent / "small")}, parent / "small" / "warehouse")
    return {"small": parent / "small", "talks": parent / "talks"}


def test_each_name_is_a_schema_and_bare_names_mean_the_first(two: dict[str, Path]) -> None:
    counts = (
        "SELECT (SELECT count(*) FROM turns), (SELECT count(*) FROM small.turns), (SELECT count(*) FROM talks.turns)"
    )
    # small: 18 utterances; talks: 16 rolled out and 2 annotated.
    assert query(two, counts).rows() == [(18, 18, 18)]
    assert query(two, "SELECT count(*) FROM dialogues").rows() == [(6,)]
    assert query({"talks": two["talks"], "small": two["small"]}, "SELECT count(*) FROM dialogues").rows() == [(5,)]


def test_all_runs_has_the_rows_of_all_with_their_run_first(two: dict[str, Path]) -> None:
    result = query(two, "SELECT * FROM all_runs.scenarios ORDER BY run, scenario_id")
    assert result.columns[0] == "run"
    assert [(row["run"], row["scenario_id"]) for row in result.records()] == [
        ("small", "s1"),
        ("small", "s2"),
        ("talks", "s1"),
        ("talks", "s2"),
    ]


@pytest.mark.slow
def test_a_view_of_one_run_never_joins_rows_of_another(two: dict[str, Path]) -> None:
    assert query(two, "SELECT count(*) FROM talks.verdict_turns").rows() == [(32,)]
    assert query(two, "SELECT count(*) FROM small.verdict_turns").rows() == [(0,)]
    assert query(two, "SELECT run, count(*) FROM all_runs.verdict_turns GROUP BY run").rows() == [("talks", 32)]


def test_examples_answer_for_the_first_of_several(two: dict[str, Path]) -> None:
    swapped = {"talks": two["talks"], "small": two["small"]}
    sql = sql_files("examples")["transitions_before_win"].read_text(encoding="utf-8")
    assert query(swapped, sql).rows() == query(two["talks"], sql).rows() != []


def test_every_column_is_documented_in_every_schema(two: dict[str, Path]) -> None:
    with connect(two) as connection:
        for schema in ("small", "talks", "all_runs"):
            connection.execute("SELECT 1")
            use_schema(connection, schema)
            tables = declared_tables(connection)
            assert tables.keys() >= {table.name for table in TABLES} | {"verdict_turns", "judge_specs", "annotations"}
            for table in tables.values():
                assert table.comment, (schema, table.name)
                missing = [column.name for column in table.columns if not column.comment]
                assert not missing, (schema, table.name, missing)


def test_a_single_one_with_a_name_has_both_schemas(two: dict[str, Path]) -> None:
    sql = "SELECT (SELECT count(*) FROM a.runs), (SELECT any_value(run) FROM all_runs.runs)"
    assert query({"a": two["small"]}, sql).rows() == [(4, "a")]


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["a b"], "expected letters"),
        (["1a"], "expected letters"),
        (['a"; DROP'], "expected letters"),
        (["main"], "has a meaning already"),
        (["all_runs"], "has a meaning already"),
        (["Information_Schema"], "has a meaning already"),
        (["a", "A"], "upper and lower case are one"),
        ([], "at least one"),
    ],
)
def test_names_that_cannot_be_used_are_refused(two: dict[str, Path], names: list[str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        connect(dict.fromkeys(names, two["small"]))


def test_a_newer_warehouse_among_several_is_refused_by_its_folder(two: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(two["small"] / "warehouse", tmp_path / "w")
    (tmp_path / "w" / "warehouse.json").write_text(json.dumps({"schema_version": 2}), encoding="utf-8")
    with pytest.raises(SchemaVersionError, match=f"{tmp_path}/w: warehouse schema 2 is newer than 1"):
        connect({**two, "new": tmp_path / "w"})


@pytest.mark.parametrize(
    "attack",
    [
        "FROM read_parquet('{folder}/warehouse/turns-00000.parquet')",
        "FROM '{folder}/warehouse/manifest.json'",
        "FROM read_text('{folder}/warehouse/warehouse.json')",
        "FROM glob('{folder}/**')",
        "SELECT sql FROM duckdb_views()",
        "ATTACH '{folder}/x.duckdb' AS other",
        "USE talks",
        "DETACH talks",
        "CREATE VIEW small.turns AS SELECT 1",
        "SELECT * FROM talks.duckdb_settings()",
    ],
)
def test_several_are_as_closed_as_one(two: dict[str, Path], attack: str) -> None:
    with connect(two) as connection:
        for folder in two.values():
            with pytest.raises(QueryError):
                ask(connection, attack.format(folder=folder))


def test_the_command_line_takes_several_under_names(two: dict[str, Path]) -> None:
    given = [part for name, folder in two.items() for part in ("--warehouse", f"{name}={folder}")]
    sql = "SELECT run, count(*) AS n FROM all_runs.runs GROUP BY run ORDER BY run"
    found = CliRunner().invoke(command, [*given, "--csv", sql])
    assert found.output == "run,n\nsmall,4\ntalks,6\n"
    listed = CliRunner().invoke(command, [*given, "--list"]).output
    assert "TABLE is small.TABLE, and all_runs.TABLE has the rows of all" in listed
    assert f"talks ({two['talks']})" in listed


def test_what_warehouse_may_name(two: dict[str, Path], tmp_path: Path) -> None:
    assert read_warehouses([str(tmp_path)]) == tmp_path
    assert read_warehouses([f"a={tmp_path}"]) == {"a": tmp_path}
    assert read_warehouses(["a=s3://bucket/run", f"b={tmp_path}"]) == {"a": "s3://bucket/run", "b": tmp_path}
    assert read_warehouses(["hf://datasets/o/n@a=b"]) == "hf://datasets/o/n@a=b"
    # A folder whose own name looks like NAME=FOLDER is that folder.
    (tmp_path / "x=y").mkdir()
    assert read_warehouses([f"{tmp_path}/x=y"]) == tmp_path / "x=y"
    for given in (["a=s3://b", "a=s3://c"], [str(tmp_path), f"b={tmp_path}"]):
        with pytest.raises(ConfigError, match="need a name each"):
            read_warehouses(given)
    with pytest.raises(InputError, match="no such folder"):
        read_warehouses([f"a={tmp_path}/nothing"])


def test_a_duckdb_file_of_views_answers_as_the_warehouse_does(two: dict[str, Path], tmp_path: Path) -> None:
    file = tmp_path / "all.duckdb"
    export(open_all(two), file)
    sql = "SELECT outcome, motivation, count(*) FROM talks.verdict_turns GROUP BY ALL ORDER BY ALL"
    with duckdb.connect(str(file), read_only=True) as connection:
        assert connection.execute(sql).fetchall() == query(two, sql).rows()
        assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE NOT internal").fetchall() == [(0,)]
        about = "SELECT comment FROM duckdb_views() WHERE schema_name = 'talks' AND view_name = 'runs'"
        assert connection.execute(about).fetchall() == [("One row a finished stage, in the order of the recipe.",)]
    with pytest.raises(ConfigError, match="exists already"):
        export(open_all(two), file)


def test_a_relative_file_moves_with_its_run(two: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(two["talks"], tmp_path / "here" / "talks")
    export(open_all(tmp_path / "here" / "talks"), tmp_path / "here" / "w.duckdb", relative=True)
    (tmp_path / "here").rename(tmp_path / "there")
    script = "import duckdb; print(duckdb.connect('w.duckdb').execute('SELECT count(*) FROM verdict_turns').fetchall())"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path / "there", capture_output=True, text=True, check=True
    )
    assert run.stdout == "[(32,)]\n"


def test_an_export_says_that_it_is_not_sandboxed_and_answers_nothing_else(two: dict[str, Path], tmp_path: Path) -> None:
    said = export_views(two, tmp_path / "a.duckdb", Question(), relative=False)
    assert "no sandbox" in said
    assert f"duckdb {tmp_path}/a.duckdb" in said
    with pytest.raises(ConfigError, match="answers no question"):
        export_views(two, tmp_path / "b.duckdb", Question(sql="SELECT 1"), relative=False)


def test_an_answer_of_one_without_a_name_is_as_before(two: dict[str, Path]) -> None:
    assert answer(two["small"], Question(sql="SELECT count(*) AS n FROM runs")) == b"n\n\xe2\x94\x80\n4\n(1 row)\n"
