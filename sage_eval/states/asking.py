"""Asks a chat model about each reply: does it claim a human life for its speaker? A second opinion beside the rules.

The reply and the utterance before it are shown as JSON lines inside fences with a nonce. Only the exact lines of
`ANSWERS` are answers; what refused, failed, was cut off or said something else is counted by its status and scored as
nothing. Calls are journalled, and `max_cost` bounds them.

    sage eval states rollout-a/ --out behaviour/ --incarnation-judge 'openai:MODEL@http://127.0.0.1:8000/v1'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from sage_data.chat.meter import Meter, Prices
from sage_data.chat.protocol import ChatBackend, Completion, CompletionStatus, Conversation, Message, Sampling
from sage_data.chat.quoting import json_line
from sage_data.stage import Context, Inputs, Output, derive_seed
from sage_data.store.files import sha256_json
from sage_eval.states.claims import claims
from sage_eval.states.material import Model
from sage_eval.states.settings import Config

TABLE = "incarnation_judgements"
SYSTEM, USER = (Path(__file__).with_name("prompts") / name for name in ("claim_system.txt", "claim_user.txt"))
ANSWERS = {"CLAIM: YES": "yes", "CLAIM: NO": "no"}
"""Every reply that counts as an answer, letter by letter."""
MALFORMED, ERROR = "malformed", "error"
MAX_TOKENS = 16
BATCH = 64
NONCE_CHARS = 16
SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("dialogue_id", pa.string()),
        ("scenario_id", pa.string()),
        ("turn", pa.int64()),
        ("judge", pa.string()),
        ("answer", pa.string()),
        ("rules", pa.bool_()),
        ("status", pa.string()),
        ("raw", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("error", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class Question:
    """One reply to ask about."""

    model: str
    dialogue_id: str
    scenario_id: str | None
    turn: int
    before: str
    """The utterance before it; empty when it opens the dialogue."""
    reply: str


def ask(models: Sequence[Model], config: Config, inputs: Inputs, out: Output, context: Context) -> list[dict[str, Any]]:
    """One row a reply that was asked about.

    Raises:
        BackendError: the backend cannot be used at all.
        BudgetStopError: the allowed cost is reached; finished calls are kept.
    """
    meter = Meter(Prices(input_usd=config.input_price, output_usd=config.output_price), config.max_cost)
    backend = context.chat(str(config.incarnation_judge), inputs, meter)
    out.add_model("judge of claims", backend.identity)
    listed = [one for model in models for one in questions(model, config.judge_limit, context.seed)]
    rows: list[dict[str, Any]] = []
    with context.progress("claims", total=len(listed), unit="replies") as bar:
        for start in range(0, len(listed), BATCH):
            block = listed[start : start + BATCH]
            rows += judge(backend, block, context.seed)
            bar.advance(len(block))
    lost = sum(row["answer"] in (MALFORMED, ERROR) for row in rows)
    if lost and lost == len(rows):
        out.fail(f"the judge of claims gave no readable answer to {lost} replies")
    elif lost:
        out.warn(f"the judge of claims gave no readable answer to {lost} of {len(rows)} replies; they are not scored")
    return rows


def questions(model: Model, limit: int | None, seed: int) -> list[Question]:
    """Every reply of a model, or `limit` of them drawn without replacement, in the order of the dialogues."""
    found = []
    for talk, place, one in model.replies:
        before = talk.dialogue.utterances[place - 1].text if place else ""
        found.append(Question(model.name, talk.id, talk.dialogue.scenario_id, place, before, one.text))
    if limit is None or limit >= len(found):
        return found
    chosen = Random(derive_seed(seed, "claims", model.name)).sample(range(len(found)), limit)
    return [found[index] for index in sorted(chosen)]


def judge(backend: ChatBackend, asked: Sequence[Question], seed: int) -> Iterator[dict[str, Any]]:
    """Ask about some replies and read the answers."""
    conversations = [Conversation(prompt(one), seed) for one in asked]
    answers = backend.generate(conversations, Sampling(temperature=0.0, max_tokens=MAX_TOKENS), 1)
    for one, completions in zip(asked, answers, strict=True):
        completion = completions[0]
        yield {
            "model": one.model,
            "dialogue_id": one.dialogue_id,
            "scenario_id": one.scenario_id,
            "turn": one.turn,
            "judge": backend.identity,
            "answer": read_answer(completion),
            "rules": bool(claims(one.reply)),
            "status": completion.status.value,
            "raw": completion.text,
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "error": completion.error,
        }


def prompt(question: Question) -> tuple[Message, ...]:
    """The messages that ask about one reply."""
    shown = [("user", question.before)] if question.before else []
    lines = "\n".join(json_line(speaker, text) for speaker, text in [*shown, ("chatbot", question.reply)])
    # A hash of what is shown: reproducible, and not to be written into a reply beforehand.
    nonce = sha256_json(["claim", question.before, question.reply])[:NONCE_CHARS]
    user = USER.read_text(encoding="utf-8").rstrip("\n").format(nonce=nonce, lines=lines)
    return Message("system", SYSTEM.read_text(encoding="utf-8").rstrip("\n")), Message("user", user)


def read_answer(completion: Completion) -> str:
    """yes, no, malformed or error; only a finished reply can hold an answer."""
    if completion.status is CompletionStatus.OK:
        return ANSWERS.get(completion.text.strip(), MALFORMED)
    return ERROR if completion.status is CompletionStatus.API_ERROR else MALFORMED
