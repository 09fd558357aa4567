"""Finished stage folders with planted rows, so that what the warehouse and the pages say can be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sage_data.dialogue import Dialogue, Scenario, Source, State, Utterance
from sage_data.stage import Counts, Output
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_data.store.manifest import InputEntry, Manifest, content_hash, list_files, write_manifest


def write_stage(
    parent: Path,
    name: str,
    uses: str,
    tables: Mapping[str, pa.Table | Sequence[pa.Table]],
    *,
    counts: Sequence[Counts] = (),
    config: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Sequence[str]] | None = None,
    models: Mapping[str, str] | None = None,
    jsons: Mapping[str, Any] | None = None,
) -> Path:
    """Write one finished stage folder as the store would."""
    folder = parent / name
    folder.mkdir(parents=True)
    out = Output(folder)
    for family, given in tables.items():
        for index, table in enumerate([given] if isinstance(given, pa.Table) else given):
            out.write_shard(family, index, table, counts=counts if index == 0 and family == next(iter(tables)) else ())
    for file, value in (jsons or {}).items():
        out.write_json(file, value)
    files = list_files(folder)
    manifest = Manifest(
        stage=name,
        uses=uses,
        version=1,
        fingerprint=f"fingerprint-{name}",
        content_hash=content_hash(files),
        config=dict(config or {}),
        seed=7,
        inputs={
            key: [InputEntry(label=label, fingerprint=f"content-{label}") for label in labels]
            for key, labels in (inputs or {}).items()
        },
        models=dict(models or {}),
        counts=out.counts(),
        files=files,
        timings={"total": 1.25},
    )
    write_manifest(folder, manifest)
    return folder


def said(role: str, text: str, motivation: str | None = None, emotion: str | None = None, *topics: str) -> Utterance:
    """An utterance, with a state when a motivation or emotion is given."""
    state = State(motivation, emotion, topics) if motivation or emotion else None
    return Utterance("user" if role == "user" else "assistant", text, state)


def rollout(scenario: str, model: str, *utterances: Utterance) -> Dialogue:
    """One dialogue of a model on a scenario."""
    return Dialogue(f"{model}/{scenario}", utterances, Source(corpus="rollout"), scenario, f"{model}-identity")


SCENARIOS = [
    Scenario("s1", "I passed my exam today!", "proud", "test"),
    Scenario("s2", "My dog ran away, and I miss him.", "sad", "test"),
]


def dialogues_of(model: str) -> list[Dialogue]:
    """Two short rollouts."""
    return [
        rollout(
            "s1",
            model,
            said("user", SCENARIOS[0].situation, "sharing", "proud", "exam"),
            said("assistant", "Well done! How did it go?", "curiosity", "happy", "exam"),
            said("user", "It was hard, but fun.", "answering", "relieved", "exam"),
            said("assistant", "You earned it.", "praise", "warm", "exam"),
        ),
        rollout("s2", model, said("user", SCENARIOS[1].situation), said("assistant", "I am so sorry.")),
    ]


def small_run(parent: Path) -> list[Path]:
    """Gates, scenarios and two rollouts."""
    gates = Counts(unit="dialogues", came_in=10, kept=2, dropped={"no_question": 5, "too_few_turns": 2}, quarantined=1)
    return [
        write_stage(parent, "gated", "sage_data.gates", {"dialogues": to_table(dialogues_of("found"))}, counts=[gates]),
        write_stage(parent, "scenarios", "sage_data.scenarios", {"scenarios": scenarios_to_table(SCENARIOS)}),
        *(
            write_stage(
                parent,
                f"rollout-{model}",
                "sage_eval.rollout",
                {"dialogues": [to_table([one]) for one in dialogues_of(model)]},
                inputs={"agent": [model], "scenarios": ["scenarios"]},
                models={"agent": f"{model}-identity"},
                config={"exchanges": 8},
            )
            for model in ("sage0", "sage1")
        ),
    ]
