"""A judge stage over made-up models, with chat judges behind a real server on this machine.

manifest = run_judge(two_models(tmp_path, 40), tmp_path / "judged", judges=[uri(server)])
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chat_server import Ask, ChatServer
from made_dialogues import dialogue, given

from sage_data.dialogue import Dialogue
from sage_data.stage import Context, Input, run_stage
from sage_data.store.dialogues import rollouts_to_table
from sage_data.store.manifest import Manifest
from sage_data.store.shards import read_table, shard_name, write_table

QUICK = "retry_wait=0.01&retry_wait_max=0.1&breaker_wait=0.05&connect_timeout=2"
GOOD, BAD = "I love that story, what came next?", "Noted and filed, as is the rule here."


def played(folder: Path, model: str, words: Mapping[tuple[str, int], str]) -> Input:
    """A rollout folder: (scenario, sample) -> what the assistant says first; labelled rollout-MODEL."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / shard_name("dialogues", 0), rollouts_to_table(_dialogue(model, *one) for one in words.items()))
    return given(folder, f"rollout-{model}")


def _dialogue(model: str, place: tuple[str, int], said: str) -> Dialogue:
    scenario, sample = place
    heard = (f"About {scenario}, take {sample}.", "Go on.")
    made = dialogue(scenario, (said, "And then?"), model=model, user=heard)
    return replace(made, id=f"{model}-{scenario}-{sample}", sample=sample)


def two_models(
    parent: Path, scenarios: int, samples: int = 1, better: Callable[[int], str] = lambda n: "b"
) -> list[Input]:
    """Models a and b; in scenario n, `better(n)` says which of the two is friendly ("a", "b" or "neither")."""
    words: dict[str, dict[tuple[str, int], str]] = {"a": {}, "b": {}}
    for number in range(scenarios):
        for sample in range(samples):
            for model, said in words.items():
                said[f"s{number:04}", sample] = GOOD if better(number) == model else BAD
    return [played(parent / model, model, said) for model, said in words.items()]


def verdict_on(ask: Ask) -> str:
    """What an honest judge says: the friendly seat wins."""
    first, second = (GOOD in part for part in seats(ask.last))
    word = "TIE" if first == second else "FIRST" if first else "SECOND"
    return json.dumps({"verdict": word})


def seats(asked: str) -> tuple[str, str]:
    """The two conversations inside their fences."""
    found = re.findall(r"CONVERSATION>>>\n(.*?)\n<<<[0-9a-f]{16} END>>>", asked, re.DOTALL)
    assert len(found) == 2
    return found[0], found[1]


def uri(server: ChatServer, options: str = "") -> str:
    """The server's address, with little patience."""
    return f"openai:tiny@{server.url}?{QUICK}{options}"


def run_judge(
    transcripts: Sequence[Input], out: Path, *, seed: int = 7, journal: bool = True, **config: Any
) -> Manifest:
    """Run the stage, without the self-test unless it is asked for; calls are kept in a journal beside its folder."""
    config = {"self_test": False, **config}
    context = Context(seed=seed, journal=out.parent / "journal.sqlite" if journal else None)
    return run_stage("sage_eval.judge", config, {"transcripts": transcripts}, out, context)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """All rows of a table."""
    found: list[dict[str, Any]] = read_table(folder, table).to_pylist()
    return found


def work(out: Path) -> Path:
    """Where an unfinished attempt lies."""
    return out.parent / ".work" / out.name
