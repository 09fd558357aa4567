"""The loss mask: a model is trained on the system's messages alone (paper section 3.4: the user's are masked out).

For each of the assistant's messages these are the state tag, the action tag, the utterance and the end token; nothing
of the user's and nothing of the template around them. The mask comes from one full render of the dialogue with the
template's own generation markers, never from differences of rendered prefixes, which drift.
`check_template` proves on a probe dialogue that a template gives such a mask, and refuses it otherwise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import pyarrow as pa

from sage_data.errors import ConfigError
from sage_data.stage import Counts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Messages = Sequence[Mapping[str, str]]
IGNORED = -100
"""Label of a token that is not in the loss."""
CONTROL_TEXT = "special_token_in_text"
"""Reason to drop a text that a tokenizer would read as control tokens."""

_PROBE: Messages = (
    {"role": "user", "content": "How was it?"},
    {"role": "assistant", "content": "{u_motivation: asking} {a_motivation: sharing} It went well."},
    {"role": "user", "content": "Good!"},
    {"role": "assistant", "content": "Will you come along?"},
)
_MARKER = re.compile(r"\{%-?\s*generation\s*-?%\}")
_HELP = (
    "put {% generation %} before the assistant's content and {% endgeneration %} after its end token in the chat "
    "template, or use the template in sage_models/base/chat_template.jinja"
)


@dataclass(frozen=True, slots=True)
class Masked:
    """One dialogue as the model sees it."""

    input_ids: tuple[int, ...]
    mask: tuple[bool, ...]
    """True where the token is in the loss; as long as `input_ids`."""
    cut_messages: int = 0
    """Messages left off at the end because the whole did not fit."""

    @property
    def labels(self) -> list[int]:
        """The token where it is in the loss, else -100."""
        return [token if kept else IGNORED for token, kept in zip(self.input_ids, self.mask, strict=True)]

    def spans(self) -> list[tuple[int, ...]]:
        """Token ids of each unbroken run of tokens in the loss."""
        pairs = zip(self.mask, self.input_ids, strict=True)
        return [tuple(token for _, token in run) for kept, run in groupby(pairs, key=lambda pair: pair[0]) if kept]


def mask_dialogue(messages: Messages, tokenizer: PreTrainedTokenizerBase) -> Masked:
    """Render a dialogue once and mark the tokens between the template's generation markers."""
    encoded = tokenizer.apply_chat_template(
        [dict(message) for message in messages], tokenize=True, return_dict=True, return_assistant_tokens_mask=True
    )
    return Masked(tuple(encoded["input_ids"]), tuple(map(bool, encoded["assistant_masks"])))


def control_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """Id -> text of every token that stands for no words: those that begin, end or fill messages."""
    added = {number: str(token) for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    return added | dict(zip(tokenizer.all_special_ids, map(str, tokenizer.all_special_tokens), strict=True))


def control_pattern(tokens: Iterable[str]) -> re.Pattern[str]:
    """What finds the first control token written out in a text, which a tokenizer would read as the token itself."""
    longest_first = sorted(tokens, key=lambda token: (-len(token), token))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def end_tokens(tokenizer: PreTrainedTokenizerBase, listed: int | Sequence[int] | None = None) -> frozenset[int]:
    """Ids of the tokens that end a reply: the tokenizer's end token and those a generation configuration lists."""
    others = [listed] if listed is None or isinstance(listed, int) else listed
    return frozenset(token for token in (*others, tokenizer.eos_token_id) if token is not None)


def check_template(tokenizer: PreTrainedTokenizerBase, ends: Iterable[int] = ()) -> None:
    """Prove on a probe dialogue that the tokenizer's chat template gives an exact mask.

    `ends` are tokens beside the tokenizer's end token that end a reply of this model, see `end_tokens`.

    Raises:
        ConfigError: there is no template, it has no generation markers, the end token lies outside them, or they
            enclose more or less than the assistant's words; says which and what to do.
    """
    template = tokenizer.chat_template
    if not isinstance(template, str) or _MARKER.search(template) is None:
        found = "no chat template" if template is None else "a chat template without generation markers"
        raise ConfigError(
            f"loss mask: expected a chat template with generation markers, found {found}", next_step=_HELP
        )
    masked = mask_dialogue(_PROBE, tokenizer)
    expected = [message["content"] for message in _PROBE if message["role"] == "assistant"]
    spans = masked.spans()
    found_texts = [tokenizer.decode(list(span[:-1])) for span in spans]
    wrong = {span[-1] for span in spans} - end_tokens(tokenizer, list(ends))
    if len(spans) == len(expected) and wrong:
        raise ConfigError(
            f"loss mask: expected the end token inside the generation markers, found {tokenizer.decode(list(wrong))!r} "
            "as the last token in the loss; the model would never learn to stop",
            next_step=_HELP,
        )
    if found_texts != expected:
        raise ConfigError(
            f"loss mask: expected exactly the assistant's words {expected}, found {found_texts}", next_step=_HELP
        )


@dataclass(frozen=True, slots=True)
class MaskedDataset:
    """Dialogues ready to train on, and what became of the others."""

    rows: tuple[Masked, ...]
    places: tuple[int, ...]
    """Row number in the input (0-based) of each of `rows`."""
    reasons: Mapping[int, str]
    """Row number of each dropped dialogue, with the reason."""
    counts: Counts

    @property
    def trained_tokens(self) -> int:
        """Tokens in the loss, over all rows."""
        return sum(sum(row.mask) for row in self.rows)

    @property
    def cut(self) -> int:
        """Dialogues that lost messages at their end."""
        return sum(row.cut_messages > 0 for row in self.rows)

    def table(self) -> pa.Table:
        """One row a dialogue that is trained on: `row`, `tokens`, `trained_tokens`, `cut_messages`."""
        columns = {
            "row": self.places,
            "tokens": [len(row.input_ids) for row in self.rows],
            "trained_tokens": [sum(row.mask) for row in self.rows],
            "cut_messages": [row.cut_messages for row in self.rows],
        }
        return pa.table({name: pa.array(values, pa.int64()) for name, values in columns.items()})

    def rejected(self) -> pa.Table:
        """One row a dropped dialogue: `row`, `reason`."""
        rows, reasons = list(self.reasons), list(self.reasons.values())
        return pa.table({"row": pa.array(rows, pa.int64()), "reason": pa.array(reasons, pa.string())})


def mask_dataset(
    dialogues: Iterable[Messages], tokenizer: PreTrainedTokenizerBase, max_length: int, ends: Iterable[int] = ()
) -> MaskedDataset:
    """Mask every dialogue; those longer than `max_length` tokens are cut after an assistant's message.

    `ends`: see `check_template`.

    Dropped, by reason: `no_assistant_message`; `special_token_in_text` (its text would be read as a control token);
    `inexact_mask` (the template does not mark each of its replies by itself); `too_long` (not even the first reply
    fits). What was only cut is counted in `Masked.cut_messages`.

    Raises:
        ConfigError: the chat template cannot give an exact mask.
    """
    check_template(tokenizer, ends)
    control = control_pattern(control_tokens(tokenizer).values())
    kept: dict[int, Masked] = {}
    reasons: dict[int, str] = {}
    for place, messages in enumerate(dialogues):
        found = any(control.search(message["content"]) for message in messages)
        outcome = _mask_or_reason(messages, tokenizer, max_length, control_text=found)
        if isinstance(outcome, str):
            reasons[place] = outcome
        else:
            kept[place] = outcome
    dropped = dict(sorted(Counter(reasons.values()).items()))
    counts = Counts(unit="dialogues", came_in=len(kept) + len(reasons), kept=len(kept), dropped=dropped)
    return MaskedDataset(tuple(kept.values()), tuple(kept), reasons, counts)


def _mask_or_reason(
    messages: Messages, tokenizer: PreTrainedTokenizerBase, max_length: int, *, control_text: bool
) -> Masked | str:
    replies = [index for index, message in enumerate(messages) if message["role"] == "assistant"]
    if not replies:
        return "no_assistant_message"
    if control_text:
        return CONTROL_TEXT
    # Messages after the last reply would only be context for nothing.
    for last in reversed(replies):
        masked = mask_dialogue(messages[: last + 1], tokenizer)
        if len(masked.spans()) != sum(reply <= last for reply in replies):
            return "inexact_mask"
        if len(masked.input_ids) <= max_length:
            return Masked(masked.input_ids, masked.mask, cut_messages=replies[-1] - last)
    return "too_long"
