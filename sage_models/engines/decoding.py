"""Decode many conversations with many candidates each, all at once.

The candidates of a conversation share its prompt: they are branches of one cached sequence, told apart by the
attention mask, so the prompt is read once and kept once, and each step reads its keys once for all candidates.
Finished candidates leave the batch; finished conversations leave the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from sage_data.chat import Sampling
from sage_models.engines.drawing import draw
from sage_models.engines.prefill import EVERYBODY, NOBODY, Prefilled, prefill
from sage_models.engines.room import cache_argument
from sage_models.steering import SlotAutomaton

Finish = Literal["stop", "length", "control_token"]
_COMPACT_BELOW = 0.75
"""Share of live conversations below which the cache is compacted: a copy costs about as much as one step."""
_NO_BOOST: Mapping[int, float] = {}


@dataclass(frozen=True)
class Rules:
    """What ends a reply and how its tokens are drawn."""

    sampling: Sampling
    end_tokens: frozenset[int]
    text_of: Callable[[Sequence[int]], str]
    """Token ids -> text; used for stop texts."""
    automaton: SlotAutomaton | None = None
    control_tokens: frozenset[int] = frozenset()
    """Tokens that are no words and no end either: a reply breaks off before one."""


@dataclass
class Draft:
    """One candidate while it is being drawn, and when it is finished."""

    prompt: int
    """Number of its prompt in the batch."""
    row: int
    """Its own number in the batch; tells it apart from the other branches of its prompt."""
    key: int
    """What its draws depend on, see `row_key`."""
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    """Sum over the drawn tokens, the the one that ends it included, under the unmodified distribution."""
    finish: Finish | None = None
    state: int = 0

    def boosts(self, automaton: SlotAutomaton | None) -> Mapping[int, float]:
        """What to add to the logits of its next token."""
        return _NO_BOOST if automaton is None else automaton.boosts(self.state)

    def accept(self, token: int, logprob: float, rules: Rules) -> None:
        """Take the drawn token, and finish where the rules say so."""
        if token not in rules.end_tokens and len(self.tokens) == rules.sampling.max_tokens:
            self.finish = "length"
            return
        self.logprob += logprob
        if token in rules.end_tokens:
            self.finish = "stop"
            return
        if token in rules.control_tokens:
            self.finish = "control_token"
            return
        self.tokens.append(token)
        if rules.automaton is not None:
            self.state = rules.automaton.advance(self.state, token)
        if rules.sampling.stop and _has_stop(rules.text_of(self.tokens), rules.sampling.stop):
            self.finish = "stop"


@torch.inference_mode()
def decode(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], keys: Sequence[Sequence[int]], rules: Rules
) -> list[list[Draft]]:
    """Answer each prompt (token ids) with one finished draft for each of its keys; result[i][j] belongs to keys[i][j].

    Each prompt with `max_tokens` more must fit into the model's context.
    """
    numbers = count()
    drafts = [[Draft(place, next(numbers), key) for key in row] for place, row in enumerate(keys)]
    live = [draft for row in drafts for draft in row]
    filled = prefill(model, prompts)
    owners = torch.tensor([draft.prompt for draft in live], device=model.device)
    seen = _seen(prompts, filled.logits, owners, rules)
    branches = _Branches(model, filled, [len(prompt) for prompt in prompts])
    logits = filled.logits[owners]
    for step in range(rules.sampling.max_tokens + 1):
        _extend(live, logits, seen, step, rules)
        live = [draft for draft in live if draft.finish is None]
        if not live:
            break
        logits = branches.advance(live)
    return drafts


def _extend(live: list[Draft], logits: Tensor, seen: Tensor | None, step: int, rules: Rules) -> None:
    """Draw the next token of each live draft from its row of `logits` (drafts, vocabulary)."""
    rows = torch.tensor([draft.row for draft in live], device=logits.device)
    keys = torch.tensor([draft.key for draft in live], device=logits.device)
    boosts = [draft.boosts(rules.automaton) for draft in live]
    drawn = draw(logits, keys, step, rules.sampling, None if seen is None else seen[rows], boosts)
    logprobs = logits.gather(-1, drawn.unsqueeze(-1)).squeeze(-1) - logits.logsumexp(-1)
    if seen is not None:
        seen[rows, drawn] = True
    for draft, token, logprob in zip(live, drawn.tolist(), logprobs.tolist(), strict=True):
        draft.accept(token, logprob, rules)


def _seen(prompts: Sequence[Sequence[int]], logits: Tensor, owners: Tensor, rules: Rules) -> Tensor | None:
    """Mark the tokens of each draft's prompt: (drafts, vocabulary), bool; None when no penalty asks for it."""
    if rules.sampling.repetition_penalty == 1:
        return None
    seen = torch.zeros_like(logits, dtype=torch.bool)
    for row, prompt in enumerate(prompts):
        seen[row, torch.tensor(prompt, device=logits.device)] = True
    return seen[owners]


def _has_stop(text: str, stops: Sequence[str]) -> bool:
    return any(stop in text for stop in stops)


class _Branches:
    """The cached prompts with the candidates that branch off from them."""

    def __init__(self, model: PreTrainedModel, filled: Prefilled, lengths: Sequence[int]) -> None:
        self._model = model
        self._cache = filled.cache
        self._owner = filled.owner
        self._lengths = lengths
        self._rows = list(range(len(lengths)))

    def advance(self, live: Sequence[Draft]) -> Tensor:
        """Read the last token of each live draft; return its next logits, (drafts, vocabulary), float32."""
        branches = {place: list(group) for place, group in groupby(live, key=lambda draft: draft.prompt)}
        if len(branches) < _COMPACT_BELOW * len(self._rows):
            self._compact(list(branches))
        width = max(map(len, branches.values()))
        ids, mine, positions = (torch.zeros(len(self._rows), width, dtype=torch.long) for _ in range(3))
        mine += NOBODY
        cells = []
        for row, place in enumerate(self._rows):
            for slot, draft in enumerate(branches.get(place, [])):
                ids[row, slot], mine[row, slot] = draft.tokens[-1], draft.row
                positions[row, slot] = self._lengths[place] + len(draft.tokens) - 1
                cells.append((row, slot))
        rows, slots = zip(*cells, strict=True)
        return self._forward(ids, mine, positions)[list(rows), list(slots)].float()

    def _forward(self, ids: Tensor, mine: Tensor, positions: Tensor) -> Tensor:
        device = self._owner.device
        mine = mine.to(device)
        self._owner = torch.cat([self._owner, mine], dim=-1)
        seen = (self._owner == EVERYBODY).unsqueeze(1) | (self._owner.unsqueeze(1) == mine.unsqueeze(-1))
        output = self._model(
            input_ids=ids.to(device),
            attention_mask=seen.unsqueeze(1),
            position_ids=positions.to(device),
            **cache_argument(self._model, self._cache),
            use_cache=True,
        )
        logits: Tensor = output.logits
        return logits

    def _compact(self, places: list[int]) -> None:
        kept = torch.tensor([self._rows.index(place) for place in places], device=self._owner.device)
        self._rows = places
        self._owner = self._owner[kept]
        for layer in self._cache.layers:
            layer.take(kept)
