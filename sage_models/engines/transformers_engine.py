"""The portable engine: a transformers causal language model in this process, on CPU or GPU.

Opened by URI, `hf:PATH_OR_HUB_ID?batch=256&device=auto&dtype=auto&threads=2`:

    batch    candidates decoded at once                 (default 256)
    device   auto, cpu, cuda, cuda:1, ...               (auto: a GPU when there is one)
    dtype    auto, float32, bfloat16, float16           (auto: float32 on CPU, the checkpoint's own elsewhere)
    threads  processor threads while decoding; others add in another order and give slightly other numbers  (default 2)

Weights are read from safetensors alone and no code from a checkpoint is ever run.

    sage_data.chat.open_chat("hf:runs/quickstart/sage1/model").generate([conversation], Sampling(), n=16)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import parse_qsl

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from sage_data.chat import Completion, CompletionStatus, Conversation, Sampling, Steering
from sage_data.errors import BackendError
from sage_models.engines.decoding import Draft, Rules, decode
from sage_models.engines.drawing import row_key
from sage_models.engines.vocabulary import token_bytes
from sage_models.engines.weights import identity_of, locate
from sage_models.masking import control_pattern, control_tokens, end_tokens
from sage_models.steering import SlotAutomaton

_BRANCHES = 16
"""Most candidates that share one copy of their prompt: each of them looks past the tokens of all the others."""
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
_READABLE = {"full_attention", "sliding_attention"}
"""Kinds of layers whose past is keys and values alone."""


@dataclass(frozen=True, slots=True)
class Options:
    """The query part of the URI."""

    batch: int = 256
    """Candidates decoded at once."""
    device: str = "auto"
    dtype: Dtype = "auto"
    threads: int = 2
    """Processor threads while decoding."""


def open_transformers(rest: str) -> TransformersBackend:
    """Open the model that `PATH_OR_HUB_ID?OPTIONS` names.

    Raises:
        BackendError: no such model, not loadable, without a chat template, or an option is wrong.
    """
    name, _, query = rest.partition("?")
    options = _options(query)
    folder, short = locate(name)
    identity = identity_of(folder, short)
    return TransformersBackend(*_load(str(folder), options), identity, options)


class TransformersBackend:
    """A `ChatBackend` over one transformers model."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, identity: str, options: Options | None = None
    ) -> None:
        """Take a loaded model and tokenizer; see `open_transformers`.

        Raises:
            BackendError: the tokenizer has no chat template, or the model keeps its past in another form than keys
                and values.
        """
        self._model = model.eval()
        self._tokenizer = tokenizer
        self._identity = identity
        self._options = options or Options()
        self._context = _context(model)
        self._end_tokens = end_tokens(tokenizer, getattr(model.generation_config, "eos_token_id", None))
        control = control_tokens(tokenizer)
        self._control_tokens = frozenset(control) - self._end_tokens
        self._control = control_pattern(control.values())
        self._automata: dict[object, SlotAutomaton] = {}
        if not tokenizer.chat_template:
            raise BackendError(
                f"model {identity} has no chat template, so it cannot be spoken to",
                next_step="put a chat_template.jinja into the model's folder",
            )

    @property
    def identity(self) -> str:
        """Short name and hash of the weights, configuration, tokenizer and chat template."""
        return self._identity

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        """Answer each conversation with `n` candidates; see `ChatBackend.generate`.

        A conversation that with `max_tokens` more does not fit into the model's context is not cut: its candidates
        fail with status `API_ERROR` and finish reason "context". Nor is one whose text would be read as control tokens,
        which would rewrite the conversation: finish reason "control_text". A reply that comes to such a token other
        than an end breaks off there: `TRUNCATED`, finish reason "control_token".

        Raises:
            BackendError: `max_tokens` alone exceeds the context, a stop text is empty, or the tokenizer cannot be
                steered.
        """
        self._check(sampling)
        prompts = [self._prompt(conversation) for conversation in conversations]
        asked = list(zip(conversations, prompts, strict=True))
        failures = [self._failure(conversation, len(prompt), sampling) for conversation, prompt in asked]
        lengths = {place: len(prompts[place]) for place, failure in enumerate(failures) if failure is None}
        drafts = self._drafts(conversations, prompts, lengths, sampling, n)
        return [
            [failure] * n if failure else [self._completion(draft, len(prompt), sampling) for draft in drafts[place]]
            for place, (prompt, failure) in enumerate(zip(prompts, failures, strict=True))
        ]

    def _drafts(
        self,
        conversations: Sequence[Conversation],
        prompts: Sequence[list[int]],
        lengths: Mapping[int, int],
        sampling: Sampling,
        n: int,
    ) -> dict[int, list[Draft]]:
        """Decode the conversations whose numbers stand in `lengths`: number -> its `n` drafts."""
        found: dict[int, list[Draft]] = {place: [] for place in lengths}
        rules = Rules(sampling, self._end_tokens, self._text, self._automaton(sampling.steering), self._control_tokens)
        for chunk in self._chunks(lengths, n):
            keys = [[row_key(conversations[place].seed, number) for number in numbers] for place, numbers in chunk]
            with _threads(self._options.threads):
                drafts = decode(self._model, [prompts[place] for place, _ in chunk], keys, rules)
            for (place, _), row in zip(chunk, drafts, strict=True):
                found[place] += row
        return found

    def _check(self, sampling: Sampling) -> None:
        if "" in sampling.stop:
            raise BackendError("an empty stop text would end every reply at once", next_step="leave it out")
        if sampling.max_tokens >= self._context:
            raise BackendError(
                f"max_tokens {sampling.max_tokens} leaves no room in the context of {self._context} tokens "
                f"of {self._identity}",
                next_step="lower max_tokens",
            )

    def _chunks(self, lengths: Mapping[int, int], n: int) -> Iterator[list[tuple[int, range]]]:
        """Yield batches of (conversation, candidate numbers), like lengths together."""
        fitting = sorted(lengths, key=lambda place: (lengths[place], place))
        width = min(n, _BRANCHES, self._options.batch)
        parts = [(place, range(first, min(first + width, n))) for place in fitting for first in range(0, n, width)]
        at_once = self._options.batch // width
        for begin in range(0, len(parts), at_once):
            yield parts[begin : begin + at_once]

    def _prompt(self, conversation: Conversation) -> list[int]:
        messages = [{"role": message.role, "content": message.content} for message in conversation.messages]
        text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        # Quiet, because a prompt longer than the context is answered with a typed failure.
        return list(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def _automaton(self, steering: Steering | None) -> SlotAutomaton | None:
        if not steering:
            return None
        key = tuple((slot, tuple(sorted(words.items()))) for slot, words in sorted(steering.boost.items()))
        if key not in self._automata:
            self._automata[key] = SlotAutomaton(
                steering,
                token_bytes(self._tokenizer),
                lambda text: self._tokenizer(text, add_special_tokens=False)["input_ids"],
            )
        return self._automata[key]

    def _completion(self, draft: Draft, prompt_tokens: int, sampling: Sampling) -> Completion:
        text, finish = self._text(draft.tokens), draft.finish
        for stop in sampling.stop:
            text = text.partition(stop)[0]
        # A control token may also be spelled out by tokens that are words.
        if (spelled := self._control.search(text)) is not None:
            text, finish = text[: spelled.start()], "control_token"
        status, error = CompletionStatus.OK, None
        if not text.strip():
            status, error = CompletionStatus.EMPTY, "there is no text in the reply"
        elif finish == "control_token":
            status, error = CompletionStatus.TRUNCATED, "the reply came to a control token that does not end it"
        elif finish != "stop":
            status, error = CompletionStatus.TRUNCATED, f"no end token within {sampling.max_tokens} tokens"
        return Completion(
            text=text,
            status=status,
            model=self._identity,
            prompt_tokens=prompt_tokens,
            completion_tokens=len(draft.tokens),
            finish_reason=finish,
            logprob=draft.logprob,
            error=error,
        )

    def _failure(self, conversation: Conversation, prompt_tokens: int, sampling: Sampling) -> Completion | None:
        """Say why a conversation cannot be answered; None when it can."""
        spelled = next(filter(None, (self._control.search(one.content) for one in conversation.messages)), None)
        if spelled is not None:
            reason, error = "control_text", f"a message holds {spelled[0]!r}, which would be read as a control token"
        elif prompt_tokens + sampling.max_tokens > self._context:
            reason, error = (
                "context",
                (
                    f"{prompt_tokens} prompt tokens and {sampling.max_tokens} to generate exceed the context of "
                    f"{self._context} tokens"
                ),
            )
        else:
            return None
        return Completion(
            text="",
            status=CompletionStatus.API_ERROR,
            model=self._identity,
            prompt_tokens=prompt_tokens,
            finish_reason=reason,
            error=error,
        )


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Decode with `count` processor threads, whatever the caller's number: sums depend on it in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _options(query: str) -> Options:
    """Read `batch=64&device=cpu&threads=2`.

    Raises:
        BackendError: an option is unknown or has a wrong value.
    """
    given = dict(parse_qsl(query, keep_blank_values=True))
    unknown = set(given) - {"batch", "device", "dtype", "threads"}
    numbers, dtype = [given.get("batch", "256"), given.get("threads", "2")], given.get("dtype", "auto")
    if unknown or not all(_is_positive(one) for one in numbers) or dtype not in get_args(Dtype):
        raise BackendError(
            f"cannot read the options {query!r} of an hf: backend: expected batch=NUMBER, device=NAME, "
            f"dtype={'|'.join(get_args(Dtype))}, threads=NUMBER",
            next_step="for example hf:PATH?batch=64&device=cpu&dtype=float32",
        )
    batch, threads = map(int, numbers)
    return Options(batch, given.get("device", "auto"), dtype, threads)  # type: ignore[arg-type]


def _is_positive(text: str) -> bool:
    return text.isdecimal() and int(text) >= 1


def _load(folder: str, options: Options) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = "float32" if options.dtype == "auto" and device == "cpu" else options.dtype
    # Its bars would stand among our own, once for every model.
    transformers_logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, attn_implementation="sdpa"
        )
        return model.to(device), tokenizer
    except (OSError, ValueError, RuntimeError) as error:
        raise BackendError(f"cannot load the model in {folder}: {error}", next_step="sage doctor") from error


def _context(model: PreTrainedModel) -> int:
    """Return the longest sequence, in tokens, that the model reads in full.

    Raises:
        BackendError: some layer's past is not keys and values, for example in state-space models.
    """
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    if kinds - _READABLE:
        raise BackendError(
            f"the hf: engine cannot keep the past of {type(model).__name__}: "
            f"it has layers of kind {', '.join(sorted(kinds - _READABLE))}",
            next_step="use an engine that knows this architecture",
        )
    lengths = [getattr(config, "max_position_embeddings", None), _window(config, kinds)]
    return min(length for length in lengths if length is not None) if any(lengths) else 1 << 20


def _window(config: object, kinds: set[str]) -> int | None:
    """Return the sliding window's width when there is one: beyond it, the shared mask would show too much."""
    if kinds and "sliding_attention" not in kinds:
        return None
    window = getattr(config, "sliding_window", None)
    return window if isinstance(window, int) and getattr(config, "use_sliding_window", True) else None
