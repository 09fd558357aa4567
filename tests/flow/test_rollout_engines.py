"""Rollouts with a real model in this process, alone and beside a server.

pytest -m slow tests/flow/test_rollout_engines.py
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from chat_server import Ask, ChatServer
from real_servers import make_tiny_model

from sage_data.chat import Message
from sage_data.dialogue import Scenario
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import read_dialogues, scenarios_to_table
from sage_data.store.shards import read_table, write_table

STAGE = "sage_eval.rollout"
WORDS = ["I lost my keys at the station.", "Oh no! Where did you see them last?", "At home, I think.", "How so?"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    talks = [([Message("user", asked)], said) for asked, said in pairwise(WORDS)]
    return make_tiny_model(tmp_path_factory.mktemp("tiny") / "model", talks, steps=5)


@pytest.fixture
def scenarios(tmp_path: Path) -> Path:
    listed = [Scenario(f"t{number}", f"{WORDS[number]} {number}", None, "test") for number in range(4)]
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(listed))
    return tmp_path / "sc"


def test_more_samples_and_other_blocks_leave_the_first_as_it_was(model: Path, scenarios: Path, tmp_path: Path) -> None:
    given = {"agent": model, "user": model, "scenarios": scenarios}
    found = []
    for name, more in (("one", {}), ("two", {"samples": 2, "block": 3})):
        config = {"exchanges": 3, "max_tokens": 12, **more}
        run_stage(STAGE, config, given, tmp_path / name, Context(seed=2))
        found.append(list(read_dialogues(tmp_path / name)))
    one, two = found
    assert [dialogue for dialogue in two if dialogue.sample == 0] == one
    twins = [dialogue for dialogue in two if dialogue.sample == 1]
    assert [dialogue.utterances for dialogue in twins] != [dialogue.utterances for dialogue in one]
    assert len({str(dialogue.utterances) for dialogue in two}) == len(two)


def test_a_model_in_this_process_talks_to_a_server(model: Path, scenarios: Path, tmp_path: Path) -> None:
    def user(ask: Ask) -> str:
        return f"Drawn {ask.body['seed']}."

    with ChatServer(user, delay_s=0.05) as server:
        config = {"exchanges": 3, "max_tokens": 12, "user_uri": f"openai:user@{server.url}", "user_output_price": 1.0}
        given = {"agent": model, "scenarios": scenarios}
        run_stage(STAGE, config, given, tmp_path / "warm", Context(seed=2))
        run_stage(STAGE, {**config, "temperature": 1.5}, given, tmp_path / "hot", Context(seed=2))
        assert server.most_at_once > 1, "a block is asked at once"
    warm, hot = ({one.id: one for one in read_dialogues(tmp_path / name)} for name in ("warm", "hot"))
    both = [([one.text for one in warm[name].utterances], [one.text for one in hot[name].utterances])
            for name in sorted(warm.keys() & hot.keys())]  # fmt: skip
    # A model that hardly learned anything may say nothing, which ends its dialogue early.
    assert all(heard == again for first, second in both for heard, again in zip(first[::2], second[::2], strict=False))
    assert any(said != other for first, second in both for said, other in zip(first[1::2], second[1::2], strict=False))
    assert sum(min(len(first), len(second)) > 2 for first, second in both) >= 2
    rows = read_table(tmp_path / "warm", "outcomes").to_pylist()
    assert all(row["user_completion_tokens"] % 2 == 0 for row in rows)
    assert any(row["user_completion_tokens"] == 2 * 2 < row["completion_tokens"] for row in rows)
