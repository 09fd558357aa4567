"""A warehouse answers one SELECT and gives away nothing else."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_run import small_run

from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_eval.warehouse.confine import confined
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


WRITES_INSIDE = {
    "WITH d AS (COPY (SELECT 1 AS x) TO '{shard}' (FORMAT parquet, USE_TMP_FILE false)) SELECT 1": "COPY",
    "WITH d AS (COPY turns TO '{out}') SELECT 1": "COPY",
    "SELECT * FROM (WITH d AS MATERIALIZED (COPY turns TO '{out}') SELECT 1)": "COPY",
    "SELECT (WITH d AS (COPY turns TO '{out}') SELECT 1)": "COPY",
    "WITH d AS (INSERT INTO turns SELECT * FROM turns RETURNING *) FROM d": "INSERT",
    "WITH d AS (UPDATE turns SET text = '' RETURNING *) FROM d": "UPDATE",
    "WITH d AS (DELETE FROM turns RETURNING *) FROM d": "DELETE",
    "WITH d AS (TRUNCATE turns) SELECT 1": "DELETE",
}


@pytest.mark.parametrize("attack", WRITES_INSIDE)
def test_refuses_what_writes_inside_a_select(warehouse: Path, tmp_path: Path, attack: str) -> None:
    shutil.copytree(warehouse, tmp_path / "w", ignore=shutil.ignore_patterns("logs"))
    shard, out = tmp_path / "w" / "runs-00000.parquet", tmp_path / "out.csv"
    before = shard.read_bytes()
    with pytest.raises(QueryError, match=f"only SELECT is answered, found {WRITES_INSIDE[attack]} inside the query"):
        query(tmp_path / "w", attack.format(shard=shard.resolve(), out=out))
    assert shard.read_bytes() == before
    assert not out.exists()


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


TELLS_OR_DOES_MORE = {
    "FROM duckdb_settings()": "duckdb_settings may not be read from",
    "FROM duckdb_settings": "catalogue",
    "SELECT value FROM (FROM duckdb_settings()) WHERE name = 'allowed_paths'": "duckdb_settings may not",
    "FROM pg_catalog.pg_settings": "catalogue",
    "FROM pg_settings": "catalogue",
    "SELECT sql FROM duckdb_views()": "duckdb_views may not",
    "SELECT sql FROM sqlite_master": "catalogue",
    "SELECT view_definition FROM information_schema.views": "catalogue",
    "FROM duckdb_databases()": "duckdb_databases may not",
    "FROM pragma_database_list": "catalogue",
    "FROM pragma_version()": "pragma_version may not",
    "FROM duckdb_extensions()": "duckdb_extensions may not",
    "FROM duckdb_external_file_cache()": "duckdb_external_file_cache may not",
    "FROM duckdb_temporary_files()": "duckdb_temporary_files may not",
    "SHOW VARIABLES": "SHOW VARIABLES is not answered",
    "SELECT current_setting('allowed_paths')": "current_setting may not be used",
    "SELECT CURRENT_SETTING('home_directory')": "current_setting may not be used",
    "SELECT 'allowed_paths'.current_setting()": "current_setting may not be used",
    "SELECT max(current_setting(n)) FROM (VALUES ('threads')) AS t(n)": "current_setting may not be used",
    "SELECT list_transform(['threads'], lambda n: current_setting(n))": "current_setting may not be used",
    "SELECT 1 FROM turns QUALIFY row_number() OVER (ORDER BY getvariable('x')) = 1": "getvariable may not be used",
    "SELECT pg_get_viewdef(1)": "pg_get_viewdef may not be used",
    "FROM enable_logging(storage = 'file', storage_path = '/tmp/log')": "enable_logging may not",
    "FROM disable_logging()": "disable_logging may not",
    "SELECT write_log('x')": "write_log may not be used",
    "FROM enable_profiling()": "enable_profiling may not",
    "FROM checkpoint()": "checkpoint may not",
    "FROM query('SELECT 1')": "query may not",
    "FROM query_table('turns')": "query_table may not",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))": "json_execute_serialized_sql may not",
    "FROM arrow_scan(1, 2, 3)": "arrow_scan may not",
    "FROM python_map_function(1, 2)": "python_map_function may not",
    "FROM create_external_resource('a', 'b')": "create_external_resource may not",
    "FROM read_duckdb('/tmp/x.duckdb')": "read_duckdb may not",
    "FROM parquet_kv_metadata('{warehouse}/turns-00000.parquet')": "parquet_kv_metadata may not",
    "FROM '{warehouse}/turns-00000.parquet'": "looks like a file",
    'FROM "{warehouse}/../warehouse/turns-00000.parquet"': "looks like a file",
    "SUMMARIZE '/etc/passwd'": "looks like a file",
    "DESCRIBE '/etc/passwd'": "looks like a file",
    "FROM 'turns*.parquet'": "looks like a file",
    "FROM 'https://example.org/x.csv'": "looks like a file",
    "SELECT sleep_ms(100000)": "sleep_ms may not be used",
    "SELECT pg_sleep(1000)": "pg_sleep may not be used",
}
"""Queries that are one SELECT, with why they are refused."""


@pytest.mark.parametrize("attack", TELLS_OR_DOES_MORE)
def test_refuses_what_tells_paths_or_does_more_than_compute(locked: Connection, warehouse: Path, attack: str) -> None:
    with pytest.raises(QueryError, match=TELLS_OR_DOES_MORE[attack]):
        ask(locked, attack.format(warehouse=warehouse))


def test_a_query_hidden_deep_inside_another_is_found(locked: Connection) -> None:
    for wrapped in (
        "WITH a AS (WITH b AS (FROM duckdb_settings()) FROM b) FROM a",
        "SELECT * FROM turns WHERE EXISTS (SELECT 1 FROM duckdb_settings() WHERE name = text)",
        "SELECT 1 UNION ALL (SELECT 2 EXCEPT (SELECT len(value) FROM duckdb_settings()))",
        "SELECT CASE WHEN (SELECT count(*) FROM duckdb_settings()) > 0 THEN 1 END",
        "SELECT * FROM range(1) t(a), LATERAL (SELECT value FROM duckdb_settings() LIMIT 1)",
        "SELECT count(*) FILTER ((SELECT count(*) FROM duckdb_settings()) > 1) FROM turns",
        "DESCRIBE SELECT * FROM duckdb_settings()",
    ):
        with pytest.raises(QueryError, match="duckdb_settings may not be read from"):
            ask(locked, wrapped)


@pytest.mark.parametrize("sql", ["SELECT " + "+".join(["1"] * 20_000), "SELECT " + "(" * 3000 + "1" + ")" * 3000])
def test_a_query_nested_too_deep_is_refused_and_ends_nothing(locked: Connection, sql: str) -> None:
    with pytest.raises(QueryError, match="depth"):
        ask(locked, sql)
    assert ask(locked, "SELECT 1").rows() == [(1,)]


@given(st.one_of(st.text(), st.text().map(lambda text: f"SELECT {text} FROM turns")))
def test_any_text_is_answered_or_refused_and_never_breaks(locked: Connection, text: str) -> None:
    with contextlib.suppress(QueryError):
        ask(locked, text)


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


def test_refuses_links_that_a_run_folder_or_a_warehouse_holds(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "warehouse").symlink_to(warehouse)
    with pytest.raises(InputError, match="symbolic link inside a run folder"):
        query(tmp_path / "run", "SELECT 1")
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in warehouse.glob("*.parquet"):
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "warehouse.json").symlink_to(warehouse / "warehouse.json")
    with pytest.raises(InputError, match=r"warehouse\.json: a symbolic link"):
        query(copy, "SELECT 1")


def test_a_link_that_the_caller_names_is_followed_and_opens_what_it_leads_to(warehouse: Path, tmp_path: Path) -> None:
    (tmp_path / "named").symlink_to(warehouse)
    assert query(tmp_path / "named", "SELECT count(*) FROM runs").rows() == [(4,)]


def test_a_recursion_without_end_is_stopped(warehouse: Path) -> None:
    with pytest.raises(QueryError, match=r"stopped after 0\.5 s"):
        query(warehouse, "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) FROM t", timeout_s=0.5)
    grows = "WITH RECURSIVE t AS (SELECT 'xxxxxxxx' AS x UNION ALL SELECT x || x FROM t) SELECT max(len(x)) FROM t"
    with pytest.raises(QueryError, match=r"(?i)memory|stopped"):
        query(warehouse, grows, timeout_s=20, memory_limit="100MB")


BOMBS = {
    "SELECT sum(len(repeat('x', 1000000000 + range::INT))) FROM range(2000)": "memory",
    "SELECT len(range(4000000000))": "memory|stopped",
    "SELECT string_agg(repeat('x', 1000), '') FROM range(100000000)": "memory|stopped",
    "SELECT regexp_matches(repeat('a', 100000), '(((a{1,100}){1,100}){1,100})b')": "repetition|pattern|stopped|memory",
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is limited by the system on Linux only")
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_ends_the_command_and_not_the_machine(warehouse: Path, bomb: str) -> None:
    code = "from sage_data.cli.main import main; main()"
    command = [sys.executable, "-c", code, "eval", "sql", "--warehouse", str(warehouse), "--memory", "100MB"]
    run = subprocess.run([*command, "--timeout", "3", bomb], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert re.search(f"(?i){BOMBS[bomb]}", run.stderr), run.stderr
    assert not run.stdout


def test_a_call_that_cannot_be_interrupted_ends_the_process(tmp_path: Path) -> None:
    code = (
        "import time; from sage_eval.warehouse import confine; confine.GRACE_S = 0.2\n"
        "with confine.confined(10**9, 0.1): time.sleep(30)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=25)
    assert run.returncode == 2
    assert "stopped after 0.1 s and 0.2 s more: it is inside one long call" in run.stderr


def test_the_limit_on_memory_is_taken_back() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with confined(10**8, 60), contextlib.suppress(MemoryError):
        assert resource.getrlimit(resource.RLIMIT_DATA) != before or not Path("/proc/self/status").exists()
        bytearray(10**10)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


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
        "SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 2",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t",
        "WITH t AS MATERIALIZED (SELECT 1 AS a) SELECT * FROM t, (WITH u AS (FROM t) FROM u)",
        "FROM (SELECT role, words FROM turns) PIVOT (sum(words) FOR role IN ('user', 'assistant'))",
        "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b",
        "FROM information_schema.columns",
        "SELECT unnest([1, 2]), [x + 1 FOR x IN [1]]",
        "FROM histogram(turns, words)",
        "SELECT columns(lambda c: c LIKE '%motivation') FROM turns",
        "WITH pg AS (SELECT 1 AS a) FROM pg",
        "SELECT max_by(text, words) FROM turns GROUP BY ROLLUP (role)",
        "FROM json_each('{\"a\": 1}')",
        "FROM turns AS t ASOF JOIN dialogues AS d ON t.dialogue_id = d.dialogue_id AND t.turn >= d.turns - 9",
    ],
)
def test_answers_every_form_of_select(locked: Connection, sql: str) -> None:
    assert ask(locked, sql).table.num_rows >= 1
