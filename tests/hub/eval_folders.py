"""A small evaluation with planted words and scores, as `sage eval publish` finds it.

python tests/hub/eval_folders.py       # writes results_card.md again, the card that a test compares with
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.stage import Counts, Output, run_stage
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_data.store.manifest import (
    InputEntry,
    Manifest,
    Origin,
    as_ancestor,
    content_hash,
    list_files,
    read_manifest,
    write_manifest,
)
from sage_eval.bench.records import METRIC_SCHEMA
from sage_eval.judge.records import CALL_SCHEMA, VERDICT_SCHEMA

EMPATHETIC = Origin(
    name="EmpatheticDialogues",
    license="cc-by-nc-4.0",
    url="https://huggingface.co/datasets/facebook/empathetic_dialogues",
)
SITUATIONS = tuple(f"My neighbour number {number} sold the old piano that we loved so much." for number in range(8))
REPLY = 'That must have been a hard "goodbye" & I hope you kept the {thing} at least.'
JUDGE = "openai:/home/jane/models/judge@http://10.0.0.7:8000/v1"
VERDICTS = ("B",) * 6 + ("A", "tie")
SEATS = {"A": ("first", "second"), "B": ("second", "first"), "tie": ("tie", "tie")}
GSM8K = 0.2767


def replies(model: str) -> list[str]:
    """What a model says in each scenario."""
    return [REPLY.format(thing=f"{model} stool of room {number}") for number in range(len(SITUATIONS))]


def finish(
    folder: Path,
    uses: str,
    origins: Sequence[Origin] = (),
    config: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[str]] | None = None,
    above: Sequence[Manifest] = (),
) -> Path:
    """Write the manifest of a stage whose files are there already."""
    files = list_files(folder)
    given = {name: [InputEntry(label=one, fingerprint="0") for one in some] for name, some in (inputs or {}).items()}
    manifest = Manifest(
        stage=folder.name,
        uses=uses,
        version=1,
        fingerprint=content_hash(files),
        content_hash=content_hash(files),
        config=dict(config or {}),
        seed=0,
        inputs=given,
        origins=list(origins),
        lineage=[as_ancestor(one) for one in above],
        files=files,
    )
    write_manifest(folder, manifest)
    return folder


def stage(parent: Path, name: str, uses: str, tables: Mapping[str, pa.Table], **about: Any) -> Path:
    folder = parent / name
    folder.mkdir(parents=True)
    for family, rows in tables.items():
        counts = Counts(unit=family, came_in=rows.num_rows, kept=rows.num_rows)
        Output(folder).write_shard(family, 0, rows, counts=counts)
    return finish(folder, uses, **about)


def warehouse(parent: Path, origins: Sequence[Origin] = (EMPATHETIC,), secret: str = "") -> Path:
    """Two models' dialogues, one judge's verdicts on them, and benchmarks; `secret` is the name of a judge."""
    told = [Scenario(f"s{number}", text, "sad", "test") for number, text in enumerate(SITUATIONS)]
    folders = [stage(parent, "scenes", "sage_data.scenarios", {"scenarios": scenarios_to_table(told)}, origins=origins)]
    for model in ("plain", "tuned"):
        talks = [
            Dialogue(
                f"{model}-{number}",
                (
                    Utterance("user", SITUATIONS[number]),
                    Utterance("assistant", said, State("empathy", "caring", ("piano",))),
                ),
                Source("rollout"),
                f"s{number}",
                f"hf:/home/jane/runs/{model}",
            )
            for number, said in enumerate(replies(model))
        ]
        given = {"agent": [model]}
        folders.append(
            stage(
                parent,
                f"rollout-{model}",
                "sage_eval.rollout",
                {"dialogues": to_table(talks)},
                origins=origins,
                inputs=given,
            )
        )
    folders += [_judged(parent, origins, secret), *_benchmarks(parent)]
    run_stage("sage_eval.significance", {}, {"verdicts": [parent / "judged"]}, parent / "significance")
    runs = {"runs": [*folders, parent / "significance"]}
    run_stage("sage_eval.warehouse", {}, runs, parent / "warehouse")
    return parent / "warehouse"


def _judged(parent: Path, origins: Sequence[Origin], secret: str) -> Path:
    same = {
        "judge": secret or "warm",
        "judge_model": JUDGE,
        "spec_hash": "spec",
        "model_a": "plain",
        "model_b": "tuned",
    }
    calls, pairs = [], []
    for number, verdict in enumerate(VERDICTS):
        key = {**same, "scenario_id": f"s{number}"}
        seats = dict(zip(("ab", "ba"), SEATS[verdict], strict=True))
        for order, choice in seats.items():
            cell = {"prompt_hash": "p", "order": order, "raw": f"I would say it is the {choice} one", "choice": choice}
            calls.append(
                {**key, **cell, "verdict": verdict, "status": "ok", "prompt_tokens": 9, "completion_tokens": 1}
            )
        told = {f"{part}_{order}": choice for order, choice in seats.items() for part in ("choice", "raw")}
        ids = {"dialogue_a": f"plain-{number}", "dialogue_b": f"tuned-{number}", "words_a": 12.0, "words_b": 12.0}
        pairs.append({**key, **told, **ids, "verdict": verdict})
    tables = {
        "judge_calls": pa.Table.from_pylist(calls, schema=CALL_SCHEMA),
        "pair_verdicts": pa.Table.from_pylist(pairs, schema=VERDICT_SCHEMA),
    }
    given = {"transcripts": ["rollout-plain", "rollout-tuned"]}
    settings = {"strip_prefix": "rollout-"}
    return stage(parent, "judged", "sage_eval.judge", tables, origins=origins, inputs=given, config=settings)


def score(task: str, metric: str, value: float | None, n: int | None, **more: Any) -> dict[str, Any]:
    """One row of a benchmark's metrics."""
    known = {"filter": "none", "stderr": 0.0125, "higher_is_better": True, "num_fewshot": 0, "version": "1.0"}
    return {**known, "task": task, "metric": metric, "value": value, "n": n, "is_group": n is None, **more}


PLAIN = (
    score("gsm8k", "exact_match", GSM8K, 1319, filter="strict-match", num_fewshot=5, version="3.0"),
    score("gsm8k", "exact_match", 0.3, 1319, filter="flexible-extract", num_fewshot=5, version="3.0"),
    score("hellaswag", "acc", 0.5, 10042),
    score("hellaswag", "acc_norm", 0.6812, 10042),
    score("mmlu", "acc", 0.123456789012345, None, version="2"),
    score("mmlu_anatomy", "acc", 0.2, 135),
    score("mmlu_law", "acc", 0.1, 13907),
    score("piqa", "acc_norm", None, 1838),
    score("winogrande", "acc", 0.5, 500),
    score("sums", "acc", 0.8, 50),
)
"""What may be stated of gsm8k, hellaswag and mmlu, and what may not of the others."""


def _benchmarks(parent: Path) -> list[Path]:
    tuned = (score("gsm8k", "exact_match", 0.25, 1319, filter="strict-match", num_fewshot=5),)
    return [
        bench(parent, "plain", PLAIN),
        bench(parent, "tuned", tuned, {"apply_chat_template": True}),
        bench(parent, "quick", (score("arc_easy", "acc_norm", 0.4, 2376),), {"limit": 10}),
    ]


def bench(
    parent: Path, model: str, rows: Sequence[Mapping[str, Any]], config: Mapping[str, Any] | None = None, name: str = ""
) -> Path:
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=METRIC_SCHEMA)
    about = {"inputs": {"model": [model]}, "config": {"limit": None, **(config or {})}}
    return stage(parent, name or f"bench-{model}", "sage_eval.bench", {"bench_metrics": table}, **about)


FIRST = (
    "<!doctype html><title>Board</title><h1>Board</h1><p>plain loses to tuned.</p><a href='explorer.html'>Dialogues</a>"
)
PAGES = {
    "index.html": FIRST,
    "data.html": "<!doctype html><title>Data</title><p>Eight scenarios.</p><script src='assets/site.js'></script>",
    "explorer.html": "<!doctype html><title>Explorer</title><script src='assets/explorer.js'></script>",
    "assets/site.css": "body { margin: 0 }\n",
    "assets/site.js": '"use strict";\n',
    "assets/explorer.js": "const path = (name) => `data/${name}.js`;\n",
    "data/words/00.js": 'SAGE.load("words/00", ["piano", [1, 2, 3]]);\n',
    "summary.txt": "A board.\n",
}
"""A report as its stage writes it, but for the dialogues."""


def report(
    parent: Path,
    pages: Mapping[str, str] | None = None,
    origins: Sequence[Origin] = (EMPATHETIC,),
    of: Path | None = None,
) -> Path:
    """A report whose explorer reads what was said from `data/`; beside it lies what nobody put into its manifest.

    It is made from the warehouse `of`, or from the one beside it.
    """
    folder = parent / "report"
    said = [[text, *replies("plain")] for text in SITUATIONS]
    talk = f'SAGE.load("dialogues/00000", {json.dumps(said)});\n'
    for name, text in {"data/dialogues/00000.js": talk, **PAGES, **(pages or {})}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    made_from = read_manifest(of or parent / "warehouse")
    finish(folder, "sage_eval.report", origins, above=[made_from] if made_from else [])
    (folder / ".env").write_text("KEY=1")
    (folder / "notes.html").write_text("<p>mine</p>")
    (parent / "secret.html").write_text("<p>secret</p>")
    (folder / "assets" / "linked.js").symlink_to(parent / "secret.html")
    return folder


GOLDEN = Path(__file__).parent / "results_card.md"


def golden_card(folder: Path) -> str:
    """The card of two tables, without what follows from versions, and from which other tables there are."""
    options = {"dataset": "me/rows", "title": "Piano talk", "summary": "Two models on eight scenarios."}
    tables = {"tables": ["bench_metrics", "run_inputs"]}
    run_stage("sage_eval.publish", {**options, **tables}, {"warehouse": warehouse(folder)}, folder / "out")
    text = (folder / "out" / "dataset" / "README.md").read_text(encoding="utf-8")
    for pattern, shown in (
        (r"^(Tables with rows that are not published): .*$", r"\1: others."),
        (r"(num_bytes|download_size|dataset_size): \d+", r"\1: 0"),
        (r"^(sage-dialogue|pyarrow|    version): .*$", r"\1: 0"),
        (r"^(\| \S+ \| sage\\_\S+ \|) \d+ \| 0 \| [0-9a-f]{16} \|$", r"\1 0 | 0 | 0 |"),
        (r"^(\| \S+ \| [\d,]+ \|) [\d,]+ \| (?=[A-Z])", r"\1 0 | "),
    ):
        text = re.sub(pattern, shown, text, flags=re.MULTILINE)
    return text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        GOLDEN.write_text(golden_card(Path(made)), encoding="utf-8")
