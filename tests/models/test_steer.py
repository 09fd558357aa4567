"""Steering end to end: a model that speaks with tags is trained in seconds and then pushed."""

from __future__ import annotations

import json
import math
from functools import reduce
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from transformers import AutoModelForCausalLM, LogitsProcessorList, PreTrainedTokenizerBase

from sage_data.chat import Conversation, Message, Sampling, Steering
from sage_data.dialogue import Scenario, State
from sage_data.sac import Chain, parse_lenient
from sage_data.stage import run_stage
from sage_data.store.dialogues import scenarios_to_table
from sage_data.store.shards import read_table, write_table
from sage_models.base.architecture import new_model
from sage_models.engines.transformers_engine import open_transformers
from sage_models.engines.vocabulary import token_bytes
from sage_models.steer import Config, shows, wilson
from sage_models.steering import SlotAutomaton

MOTIVES = ("asking", "asking", "asking", "joking")
ASKED = "I feel happy about my dog today."


def reply(motive: str) -> str:
    tags = "{u_motivation: sharing, u_emotion: happy, u_topic: [dog]}"
    return f"{tags} {{a_motivation: {motive}, a_emotion: curious, a_topic: [dog]}} Tell me more."


@pytest.fixture(scope="module")
def parrot(tiny_tokenizer: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt one reply with a motivation that is "joking" one time in four."""
    model = new_model(tiny_tokenizer, hidden=64, layers=2, max_length=256, seed=7)
    talks = [[{"role": "user", "content": ASKED}, {"role": "assistant", "content": reply(one)}] for one in MOTIVES]
    texts = [str(tiny_tokenizer.apply_chat_template(talk, tokenize=False)) for talk in talks]
    batch = tiny_tokenizer(texts, return_tensors="pt", padding=True, padding_side="right", add_special_tokens=False)
    labels = batch["input_ids"].masked_fill(batch["attention_mask"] == 0, -100)
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(80):
        model(**batch, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    folder = tmp_path_factory.mktemp("parrot") / "model"
    model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


class SteeringProcessor:
    """The boosts once more, for `model.generate`: every row is read from its beginning at every step."""

    def __init__(self, automaton: SlotAutomaton, prompt_length: int) -> None:
        self.automaton, self.prompt_length = automaton, prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        for row, tokens in enumerate(input_ids[:, self.prompt_length :].tolist()):
            for token, amount in self.automaton.boosts(reduce(self.automaton.advance, tokens, 0)).items():
                scores[row, token] += amount
        return scores


def boosting(amount: float, word: str = "joking") -> Steering:
    return Steering({"a_motivation": {word: amount}})


def test_our_greedy_decoding_equals_generate_with_the_processor(
    parrot: Path, tiny_tokenizer: PreTrainedTokenizerBase
) -> None:
    backend = open_transformers(f"{parrot}?device=cpu")
    model = AutoModelForCausalLM.from_pretrained(parrot)
    found = set()
    for amount in (0.0, 6.0):
        conversation = Conversation((Message("user", ASKED),))
        [[ours]] = backend.generate([conversation], Sampling(max_tokens=90, steering=boosting(amount)))
        messages = [{"role": "user", "content": ASKED}]
        ids = tiny_tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        length = ids["input_ids"].shape[1]
        machine = SlotAutomaton(
            boosting(amount), token_bytes(tiny_tokenizer), lambda text: tiny_tokenizer(text)["input_ids"]
        )
        output = model.generate(
            **ids,
            do_sample=False,
            max_new_tokens=90,
            logits_processor=LogitsProcessorList([SteeringProcessor(machine, length)]),
        )
        assert ours.text == tiny_tokenizer.decode(output[0, length:], skip_special_tokens=True)
        found.add(parse_lenient(ours.text).chain.action.motivation)  # type: ignore[union-attr]
    assert found == {"asking", "joking"}


def test_outside_the_slot_the_processor_leaves_every_bit(tiny_tokenizer: PreTrainedTokenizerBase) -> None:
    machine = SlotAutomaton(boosting(3.0), token_bytes(tiny_tokenizer), lambda text: tiny_tokenizer(text)["input_ids"])
    tokens = tiny_tokenizer(reply("joking"))["input_ids"]
    table = token_bytes(tiny_tokenizer)
    touched = []
    for end in range(len(tokens) + 1):
        scores = torch.randn(1, len(table), generator=torch.Generator().manual_seed(end))
        steered = SteeringProcessor(machine, 0)(torch.tensor([tokens[:end]], dtype=torch.long), scores.clone())
        if not torch.equal(scores, steered):
            touched.append((end, (scores != steered).sum().item()))
    written = [b"".join(table[token] for token in tokens[:end]).decode() for end, _ in touched]
    assert {count for _, count in touched} == {1}
    assert all("joking".startswith(text.partition("{a_motivation:")[2].strip()) for text in written)


def test_the_dose_response_is_the_one_of_theory(parrot: Path) -> None:
    backend = open_transformers(f"{parrot}?device=cpu")
    conversation = Conversation((Message("user", ASKED),), seed=4)

    def share(steering: Steering | None) -> float:
        [row] = backend.generate([conversation], Sampling(1.0, max_tokens=70, steering=steering), n=240)
        return sum("{a_motivation: joking" in one.text for one in row) / len(row)

    plain = share(None)
    assert 0.1 < plain < 0.45
    for amount in (1.0, 2.5):
        expected = plain * math.exp(amount) / (1 - plain + plain * math.exp(amount))
        assert abs(share(boosting(amount)) - expected) < 0.1
    assert share(boosting(-20.0)) < 0.03


def test_the_stage_writes_twins_doses_and_a_summary(parrot: Path, tmp_path: Path) -> None:
    scenarios = [Scenario(f"s{n}", ASKED, "joyful", "test") for n in range(12)]
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(scenarios))
    config = {"boost": {"a_motivation": {"joking": 1.0}}, "amounts": [0, 5], "max_tokens": 90, "block": 5}
    inputs = {"agent": [parrot], "scenarios": [tmp_path / "sc"]}
    manifest = run_stage("sage_models.steer", config, inputs, tmp_path / "out")
    rows = read_table(tmp_path / "out", "steering").to_pylist()
    assert len(rows) == 24
    assert all(row["hit"] == (row["a_motivation"] == "joking") for row in rows)
    plain, steered = ([row for row in rows if row["boost"] == boost] for boost in (0, 5))
    assert {(row["scenario_id"], row["seed"]) for row in plain} == {
        (row["scenario_id"], row["seed"]) for row in steered
    }
    assert sum(row["hit"] for row in plain) < sum(row["hit"] for row in steered)
    summary = (tmp_path / "out" / "summary.txt").read_text()
    assert "boost 0: {u_motivation: sharing" in summary
    assert "a_motivation: joking" in summary.partition("boost 5: ")[2]
    assert max(map(len, summary.splitlines())) <= 110
    [counts] = manifest.counts
    assert (counts.unit, counts.came_in) == ("replies", 24)
    again = run_stage("sage_models.steer", config, inputs, tmp_path / "again")
    assert again.content_hash == manifest.content_hash


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 0, 0.0, 1.0), (8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775)]
)
def test_wilson_intervals_of_worked_examples(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_a_boosted_word_counts_in_its_own_slot_only() -> None:
    boost = {"a_motivation": {"joke": 1.0}, "u_topic": {"dog": 1.0}}
    assert shows(Chain(None, State("joke"), ""), boost)
    assert shows(Chain(State(topics=("cat", "dog")), None, ""), boost)
    assert not shows(Chain(State("joke"), State("no", "joke", ("dog",)), "joke dog"), boost)


@pytest.mark.parametrize("amounts", [(), (1.0, 2.0), (0.0, 1.0, 1.0), (0.0, 4.0, 2.0), (0.0, -1.0)])
def test_amounts_rise_from_unsteered(amounts: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="begin with 0"):
        Config.model_validate({"amounts": amounts})


def test_replies_lost_to_the_backend_are_not_called_empty(tmp_path: Path) -> None:
    scenarios = [Scenario(f"s{n}", f"{ASKED} {n}", "joyful", "test") for n in range(3)]
    write_table(tmp_path / "sc" / "scenarios-00000.parquet", scenarios_to_table(scenarios))
    answers = [
        {"when": {"contains": " 0"}, "status": "api_error"},
        {"when": {"contains": " 1"}, "say": [""]},
        {"say": [reply("asking")]},
    ]
    (tmp_path / "agent.json").write_text(json.dumps({"answers": answers}))
    config = {"agent_uri": f"scripted:{tmp_path / 'agent.json'}", "amounts": [0]}
    inputs = {"agent": [tmp_path / "sc"], "scenarios": [tmp_path / "sc"]}
    [counts] = run_stage("sage_models.steer", config, inputs, tmp_path / "out").counts
    assert (counts.came_in, counts.kept, counts.dropped) == (3, 1, {"api_error": 1, "no_text": 1})
