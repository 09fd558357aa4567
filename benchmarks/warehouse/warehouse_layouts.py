"""The same made-up dialogues in three layouts: nested Parquet, JSON text in Parquet, and the warehouse's flat tables.

Everything follows from DuckDB's hash of the numbers of dialogue, turn and word, so the same size gives the same rows.

    layouts(Path("/tmp/layouts"), turns=5_000_000)
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from sage_data.stage import Output, run_stage
from sage_data.store.dialogues import DIALOGUE_SCHEMA
from sage_data.store.manifest import InputEntry, Manifest, content_hash, list_files, write_manifest
from sage_data.store.shards import write_table
from sage_eval.judge.records import VERDICT_SCHEMA

MODELS = ("m0", "m1", "m2", "m3", "m4", "m5")
TURNS = 10
"""Utterances of a dialogue."""
PAIRS = ((0, 1), (2, 3), (4, 5))
"""Models that are judged against each other on every scenario."""
BATCH = 50_000
"""Dialogues of a shard."""
_WORDS = """
the of and to in that it was he for on with as his they at be this from have or by one had not but what all were
when we there can an your which their said if do will each about how up out them then she many some so these would
other into has more her two like him see time could no make than first been its who now people my made over did
down only way find use may water long little very after words called just where most know lake garden neighbour
"""
_STORY = """
SELECT
    format('{}/d{:08d}', $model, i) AS id,
    list_transform(range($turns), lambda t: {
        role: if(t % 2 = 0, 'user', 'assistant'),
        text: array_to_string(
            list_transform(
                range(6 + (i * 31 + t * 17) % 13),
                lambda w: $words[
                    1 + CAST(hash(i, t, w, $seed) % len($words) AS BIGINT)
                ]
            ), ' ') || if((i + t) % 3 = 0, '?', '.'),
        state: {
            motivation: $motivations[1 + CAST(hash(i, t, 'motivation', $seed) % len($motivations) AS BIGINT)],
            emotion: $emotions[1 + CAST(hash(i, t, 'emotion', $seed) % len($emotions) AS BIGINT)],
            topics: [$topics[1 + CAST(hash(i, 'topic', $seed) % len($topics) AS BIGINT)]]
        },
        perceived: if(t % 2 = 0, NULL, {motivation: 'sharing', emotion: 'calm', topics: NULL::VARCHAR[]}),
        source_id: NULL::VARCHAR
    }) AS utterances,
    {corpus: 'rollout', thread: NULL, place: NULL, created_utc: NULL, files: []::VARCHAR[], split: NULL} AS source,
    format('s{:08d}', i) AS scenario_id,
    $model AS model
FROM range($first, $last) AS numbers(i)
"""
_VERDICTS = """
SELECT
    'judge' AS judge, 'made' AS judge_model, 'spec' AS spec_hash, format('s{:08d}', i) AS scenario_id,
    $a AS model_a, $b AS model_b, format('{}/d{:08d}', $a, i) AS dialogue_a, format('{}/d{:08d}', $b, i) AS dialogue_b,
    ['A', 'B', 'B', 'tie', 'inconsistent'][1 + CAST(hash(i, $seed) % 5 AS BIGINT)] AS verdict,
    'first' AS choice_ab, 'first' AS choice_ba, '' AS raw_ab, '' AS raw_ba, 9.0 AS words_a, 9.0 AS words_b
FROM range($scenarios) AS numbers(i)
"""
_VALUES = {
    "words": _WORDS.split(),
    "motivations": ["sharing", "asking", "empathy", "curiosity", "advice", "humor", "praise"],
    "emotions": ["proud", "sad", "afraid", "grateful", "angry", "hopeful", "lonely", "surprised", "calm", "warm"],
    "topics": ["garden", "exam", "dog", "journey", "music", "neighbour", "kitchen", "football", "lake", "work"],
}


@dataclass(frozen=True, slots=True)
class Layouts:
    """Where the layouts lie."""

    nested: str
    """Glob of the Parquet files with one row a dialogue and its utterances as LIST of STRUCT: what stages write."""
    json: str
    """Glob of those with the utterances as JSON text instead."""
    verdicts: str
    """Glob of the pair verdicts, which are flat in all layouts."""
    warehouse: Path
    turns: int
    seconds: dict[str, float]
    """What making took: dialogues, json, warehouse."""

    def bytes(self) -> dict[str, int]:
        """Size of the dialogues in each layout."""
        flat = self.warehouse.glob("turns-*.parquet")
        named = {"flat": flat, "nested": _files(self.nested), "json": _files(self.json)}
        return {name: sum(path.stat().st_size for path in files) for name, files in named.items()}


def _files(pattern: str) -> list[Path]:
    parent, _, name = pattern.rpartition("/rollout-*/")
    return sorted(Path(parent).glob(f"rollout-*/{name}"))


def layouts(folder: Path, turns: int) -> Layouts:
    """Make about so many turns in all layouts below a folder that does not exist yet."""
    scenarios = max(1, math.ceil(turns / TURNS / len(MODELS)))
    began = time.monotonic()
    stages = [_rollout(folder, seed, scenarios) for seed in range(len(MODELS))]
    stages.append(_judged(folder, scenarios))
    dialogues = time.monotonic()
    for stage in stages[:-1]:
        _as_json(stage)
    json_done = time.monotonic()
    run_stage("sage_eval.warehouse", {}, {"runs": stages}, folder / "warehouse")
    seconds = {"dialogues": dialogues - began, "json": json_done - dialogues, "warehouse": time.monotonic() - json_done}
    return Layouts(
        f"{folder}/rollout-*/dialogues-*.parquet",
        f"{folder}/rollout-*/text-*.parquet",
        f"{folder}/judged/pair_verdicts-*.parquet",
        folder / "warehouse",
        scenarios * len(MODELS) * TURNS,
        seconds,
    )


def _rollout(folder: Path, seed: int, scenarios: int) -> Path:
    stage = folder / f"rollout-{MODELS[seed]}"
    stage.mkdir(parents=True)
    out = Output(stage)
    for index, first in enumerate(range(0, scenarios, BATCH)):
        values = {**_VALUES, "model": MODELS[seed], "seed": seed, "turns": TURNS}
        last = min(first + BATCH, scenarios)
        out.write_shard("dialogues", index, _asked(_STORY, {**values, "first": first, "last": last}, DIALOGUE_SCHEMA))
    return _finish(stage, "sage_eval.rollout", {})


def _judged(folder: Path, scenarios: int) -> Path:
    stage = folder / "judged"
    stage.mkdir()
    out = Output(stage)
    for index, (a, b) in enumerate(PAIRS):
        values = {"a": MODELS[a], "b": MODELS[b], "seed": index, "scenarios": scenarios}
        out.write_shard("pair_verdicts", index, _asked(_VERDICTS, values, VERDICT_SCHEMA))
    return _finish(stage, "sage_eval.judge", {"transcripts": [f"rollout-{model}" for model in MODELS]})


def _asked(sql: str, values: dict[str, object], schema: pa.Schema) -> pa.Table:
    with duckdb.connect(":memory:") as connection:
        named = {name: value for name, value in values.items() if f"${name}" in sql}
        rows = connection.sql(sql, params=named).to_arrow_table()
    # Columns that later versions of a stage write stay empty.
    columns = [
        rows[n] if n in rows.column_names else pa.nulls(rows.num_rows, schema.field(n).type) for n in schema.names
    ]
    return pa.table(columns, names=schema.names).cast(schema)


def _as_json(stage: Path) -> None:
    """The same dialogues with their utterances as text."""
    for path in sorted(stage.glob("dialogues-*.parquet")):
        with duckdb.connect(":memory:") as connection:
            sql = "SELECT id, scenario_id, model, CAST(to_json(utterances) AS VARCHAR) AS body FROM read_parquet(?)"
            rows = connection.sql(sql, params=[str(path)]).to_arrow_table()
        write_table(path.with_name(path.name.replace("dialogues", "text")), rows)


def _finish(stage: Path, uses: str, inputs: dict[str, list[str]]) -> Path:
    files = list_files(stage)
    manifest = Manifest(
        stage=stage.name,
        uses=uses,
        version=1,
        fingerprint=f"made-{stage.name}",
        content_hash=content_hash(files),
        config={"strip_prefix": "rollout-"},
        seed=0,
        inputs={
            name: [InputEntry(label=label, fingerprint=label) for label in labels] for name, labels in inputs.items()
        },
        files=files,
    )
    write_manifest(stage, manifest)
    return stage
