"""Scores dialogues with a transformers text-classification checkpoint.

open_scorer(Path("reward/model"), Options(batch=8)).score([transcript, ...])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from sage_data.errors import BackendError, ConfigError, MissingDependencyError
from sage_eval.judge.scores import DECIMALS, Options, Score, as_messages, as_text
from sage_eval.judge.transcripts import Transcript

_UNBOUNDED = 10**9
"""What transformers writes where a tokenizer knows no limit is far above."""


class CheckpointScorer:
    """A sequence-classification model in this process, on CPU or GPU."""

    def __init__(self, model: Any, tokenizer: Any, options: Options) -> None:
        """Take a loaded model and tokenizer; see `open_scorer`.

        Raises:
            ConfigError: the model has several labels and none, or an unknown one, is named.
        """
        self._model, self._tokenizer = model.eval(), tokenizer
        self._label = _label(model.config, options.label)
        self._limit = _limit(model.config, tokenizer, options.max_length)
        self._control = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
        # Without a padding token the model could not tell where a shorter dialogue ends.
        self._batch = options.batch if model.config.pad_token_id is not None else 1

    def score(self, transcripts: Sequence[Transcript]) -> list[Score]:
        """Score each dialogue on its own, in order; dialogues of about one length share a batch."""
        found: dict[int, Score] = {}
        encoded: dict[int, list[int]] = {}
        for index, lines in enumerate(transcripts):
            try:
                encoded[index] = self._encode(lines)
            except _UnscorableError as error:
                found[index] = Score(None, error=str(error))
        order = sorted(encoded, key=lambda index: len(encoded[index]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            values = self._forward([encoded[index] for index in chosen])
            for index, value in zip(chosen, values, strict=True):
                found[index] = _checked(value, len(encoded[index]))
        return [found[index] for index in range(len(transcripts))]

    def _encode(self, lines: Transcript) -> list[int]:
        """Tokens of a dialogue, all of them.

        Raises:
            _UnscorableError: it cannot be scored as it is; says why.
        """
        if not any(line.speaker == "assistant" for line in lines):
            raise _UnscorableError("the assistant says nothing")
        if any(mark in line.text for line in lines for mark in self._control):
            raise _UnscorableError("something said in it would be read as a control token")
        templated = bool(self._tokenizer.chat_template)
        try:
            text = (
                self._tokenizer.apply_chat_template(as_messages(lines), tokenize=False) if templated else as_text(lines)
            )
        except TemplateError as error:
            raise _UnscorableError(f"the chat template does not take it: {error}") from error
        # A template writes the special tokens itself.
        tokens: list[int] = self._tokenizer(text, add_special_tokens=not templated, truncation=False)["input_ids"]
        if self._limit is not None and len(tokens) > self._limit:
            raise _UnscorableError(f"it has {len(tokens):,} tokens, and the model takes {self._limit:,}")
        return tokens

    def _forward(self, batch: Sequence[Sequence[int]]) -> list[float]:
        import torch

        longest = max(map(len, batch))
        pad = self._model.config.pad_token_id or 0
        rows = [[*row, *[pad] * (longest - len(row))] for row in batch]
        seen = [[1] * len(row) + [0] * (longest - len(row)) for row in batch]
        place = self._model.device
        with torch.inference_mode():
            logits = self._model(
                input_ids=torch.tensor(rows, device=place), attention_mask=torch.tensor(seen, device=place)
            ).logits
            values: list[float] = _values(logits.double().cpu(), self._label).tolist()
        return values


class _UnscorableError(Exception):
    """Why one dialogue has no score."""


def _values(logits: Any, label: int | None) -> Any:
    """The single logit, or the log-odds of one label against all others; (batch, labels) -> (batch,)."""
    import torch

    if label is None:
        return logits[:, 0]
    others = torch.cat([logits[:, :label], logits[:, label + 1 :]], dim=1)
    return logits[:, label] - torch.logsumexp(others, dim=1)


def _checked(value: float, tokens: int) -> Score:
    if not math.isfinite(value):
        return Score(None, tokens, f"the model gave {value}")
    return Score(round(value, DECIMALS), tokens)


def _label(config: Any, wanted: str | None) -> int | None:
    """Which logit counts; None where there is one only.

    Raises:
        ConfigError: it cannot be told.
    """
    names = {str(name): int(index) for index, name in config.id2label.items()}
    if wanted is None and config.num_labels == 1:
        return None
    if wanted is None or wanted not in names or config.num_labels == 1:
        raise ConfigError(
            f"reward judge: expected a label among {', '.join(names)}, found {wanted or 'none'}"
            if config.num_labels > 1
            else f"reward judge: the checkpoint has one logit, so there is no label {wanted!r} to choose",
            next_step="name it in the URI, as in reward:PATH?label=NAME, or leave it out where there is one logit",
        )
    return names[wanted]


def _limit(config: Any, tokenizer: Any, wanted: int | None) -> int | None:
    """Most tokens of a dialogue; None where nothing bounds it."""
    stated = [wanted, getattr(config, "max_position_embeddings", None), tokenizer.model_max_length]
    known = [int(limit) for limit in stated if limit is not None and 0 < limit < _UNBOUNDED]
    return min(known) if known else None


def open_scorer(folder: Path, options: Options) -> CheckpointScorer:
    """Load a checkpoint.

    Raises:
        ConfigError: its labels do not fit the options.
        BackendError: it cannot be loaded.
        MissingDependencyError: torch or transformers is not installed.
    """
    try:
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer
        from transformers.utils import logging as transformers_logging
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"a reward judge needs the package {error.name!r}, which is not installed",
            next_step="pip install 'sage-dialogue[train]'",
        ) from error
    transformers_logging.disable_progress_bar()
    wanted = ("cuda" if torch.cuda.is_available() else "cpu") if options.device == "auto" else options.device
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype="auto" if wanted != "cpu" else torch.float32,
            output_loading_info=True,
        )
        model = model.to(wanted)
    except (OSError, ValueError, RuntimeError) as error:
        raise BackendError(
            f"{folder}: cannot be loaded as a text-classification checkpoint: {error}",
            next_step="use a complete checkpoint with safetensors weights and its tokenizer",
        ) from error
    if missing := sorted(info["missing_keys"]):
        raise BackendError(
            f"{folder}: the checkpoint lacks the weights {', '.join(missing[:3])}, which would be made up at random",
            next_step="use a checkpoint that was trained to score, not its base model",
        )
    return CheckpointScorer(model, tokenizer, options)
