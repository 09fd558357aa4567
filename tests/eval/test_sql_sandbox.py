"""A warehouse answers one SELECT and gives away nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from planted_run import small_run

from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_eval.warehouse.database import Connection
from sage_eval.warehouse.query import QueryError, ask, connect, query


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run_stage("sage_eval.warehouse", {}, {"runs": small_run(folder)}, folder / "warehouse")
    return folder / "warehouse"


@pytest.fixture(scope="module")
def locked(warehouse: Path) -> Iterator[Connection]:
    with connect(warehouse) as connection:
        yield connection


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.csv"
    path.write_text("token\ncanary-7f3a\n", encoding="utf-8")
    return path


NOT_A_SELECT = [
    "COPY turns TO '{out}'",
    "COPY (SELECT 1) TO '{out}' (FORMAT csv)",
    "ATTACH '{out}' AS other",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "SET threads = 1",
    "SET enable_external_access = true",
    "RESET memory_limit",
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW turns AS SELECT 1",
    "DROP VIEW turns",
    "INSERT INTO turns SELECT * FROM turns",
    "UPDATE turns SET text = ''",
    "DELETE FROM turns",
    "EXPORT DATABASE '{out}'",
    "IMPORT DATABASE '{out}'",
    "EXPLAIN ANALYZE SELECT 1",
    "PREPARE p AS SELECT 1",
    "CHECKPOINT",
    "BEGIN TRANSACTION",
    "COMMENT ON VIEW turns IS 'x'",
]


@pytest.mark.parametrize("attack", NOT_A_SELECT)
def test_refuses_whatever_is_not_a_select(locked: Connection, tmp_path: Path, attack: str) -> None:
    target = tmp_path / "out.csv"
    with pytest.raises(QueryError, match="only SELECT is answered"):
        ask(locked, attack.format(out=target))
    assert not target.exists()


@pytest.mark.parametrize("attack", ["SELECT 1; SELECT 2", "SELECT 1; DROP VIEW turns", "", "   ", "-- nothing", ";"])
def test_refuses_anything_but_exactly_one_statement(locked: Connection, attack: str) -> None:
    with pytest.raises(QueryError, match="exactly one SELECT, found"):
        ask(locked, attack)


READS_A_FILE = [
    "SELECT * FROM read_csv('{path}')",
    "SELECT * FROM read_csv_auto('{path}')",
    "SELECT * FROM '{path}'",
    "FROM read_text('{path}')",
    "FROM read_blob('{path}')",
    "FROM read_json('{path}')",
    "FROM read_parquet('{path}')",
    "FROM sniff_csv('{path}')",
    "FROM glob('{folder}/*')",
    "FROM parquet_metadata('{path}')",
    "WITH t AS MATERIALIZED (FROM read_text('{path}')) SELECT * FROM t",
    "SELECT (SELECT content FROM read_text('{path}'))",
    "FROM read_text('{warehouse}/../../{path}')",
    "FROM read_text('file://{path}')",
    "FROM query('FROM read_text(''{path}'')')",
    "FROM query('COPY turns TO ''{path}''')",
    "FROM read_csv('/etc/passwd')",
    "FROM read_text('/proc/self/environ')",
    "FROM read_csv('https://example.org/x.csv')",
    "FROM read_parquet('s3://bucket/x.parquet')",
    "FROM duckdb_secrets()",
    "SELECT getenv('HOME')",
]


@pytest.mark.parametrize("attack", READS_A_FILE)
def test_reads_no_file_but_its_own(locked: Connection, warehouse: Path, secret: Path, attack: str) -> None:
    with pytest.raises(QueryError) as caught:
        ask(locked, attack.format(path=secret, folder=secret.parent, warehouse=warehouse))
    assert "canary" not in str(caught.value)


def test_cannot_list_the_folder_it_lies_in(locked: Connection, warehouse: Path) -> None:
    with pytest.raises(QueryError):
        ask(locked, f"FROM glob('{warehouse}/*')")


def test_reads_no_manifest_or_neighbour(locked: Connection, warehouse: Path) -> None:
    for name in ("manifest.json", "../gated/dialogues-00000.parquet", "turns-00000.parquet/../manifest.json"):
        with pytest.raises(QueryError):
            ask(locked, f"FROM read_text('{warehouse}/{name}')")


def test_sees_no_python_variable(locked: Connection) -> None:
    # DuckDB would otherwise take a table of that name from the calling frames.
    with pytest.raises(QueryError, match="does not exist"):
        ask(locked, "SELECT * FROM connection")


def test_configuration_stays_locked_after_attacks(warehouse: Path) -> None:
    with connect(warehouse) as connection:
        for attack in ("SET enable_external_access = true", "FROM read_text('/etc/passwd')"):
            with pytest.raises(QueryError):
                ask(connection, attack)
        assert ask(connection, "SELECT count(*) FROM runs").rows() == [(4,)]


def test_refuses_a_warehouse_whose_table_is_a_link(warehouse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in warehouse.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    (copy / "turns-00000.parquet").unlink()
    (copy / "turns-00000.parquet").symlink_to(warehouse / "turns-00000.parquet")
    with pytest.raises(InputError, match="symbolic link"):
        query(copy, "SELECT 1")


def test_stops_a_query_that_runs_too_long(warehouse: Path) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"stopped after 0\.2 s"):
        query(warehouse, "SELECT sum(a.range * b.range % 7) FROM range(10000000) a, range(100000) b", timeout_s=0.2)
    assert time.monotonic() - started < 5


def test_stops_a_query_that_needs_too_much_memory(warehouse: Path) -> None:
    with pytest.raises(QueryError, match=r"(?i)memory"):
        query(warehouse, "SELECT list(range ORDER BY hash(range)) FROM range(50000000)", memory_limit="100MB")


def test_the_answer_counts_against_the_memory_limit(warehouse: Path) -> None:
    with pytest.raises(QueryError, match="answer is larger than the memory limit of 50 MB"):
        query(warehouse, "SELECT * FROM range(40000000)", memory_limit="50MB")
    assert query(warehouse, "SELECT * FROM range(1000000)", memory_limit="50MB").table.num_rows == 1_000_000


def test_stops_an_answer_that_takes_too_long_to_hand_over(warehouse: Path) -> None:
    sql = "SELECT range FROM range(100000000000) WHERE range % 100000 = 0"
    with pytest.raises(QueryError, match=r"stopped after 0\.2 s"):
        query(warehouse, sql, timeout_s=0.2)


def test_an_error_halfway_through_the_answer_is_a_wrong_query(warehouse: Path) -> None:
    with pytest.raises(QueryError, match="halfway"):
        query(warehouse, "SELECT CASE WHEN range > 3000000 THEN error('halfway') ELSE 'x' END FROM range(4000000)")


def test_a_connection_answers_on_after_a_refused_answer(warehouse: Path) -> None:
    with connect(warehouse, memory_limit="50MB") as connection:
        for _ in range(2):
            with pytest.raises(QueryError, match="answer is larger"):
                ask(connection, "SELECT * FROM range(40000000)")
            assert ask(connection, "SELECT 1").rows() == [(1,)]


def test_values_that_python_cannot_hold_are_named(warehouse: Path) -> None:
    result = query(warehouse, "SELECT * FROM test_all_types()")
    with pytest.raises(QueryError, match=r"column date \(date32\[day\]\) holds a value that cannot be shown"):
        result.rows()
    sql = "SELECT CAST('infinity'::TIMESTAMP AS VARCHAR) AS t"
    assert query(warehouse, sql).rows() == [("infinity",)]


def test_rejects_a_timeout_that_is_no_time(warehouse: Path) -> None:
    with pytest.raises(ConfigError, match="above 0"):
        query(warehouse, "SELECT 1", timeout_s=0)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM turns;",
        "WITH t AS (SELECT 1 AS a) SELECT a FROM t",
        "FROM turns SELECT count(*)",
        "/* why */ SELECT 1 -- so",
        "(SELECT 1)",
        "VALUES (1)",
        "DESCRIBE turns",
        "SHOW TABLES",
    ],
)
def test_answers_every_form_of_select(locked: Connection, sql: str) -> None:
    assert ask(locked, sql).table.num_rows >= 1
