"""The reward-model judge: a checkpoint that gives a dialogue a number, and the higher number wins.

    reward:PATH?margin=0.1&label=NAME&batch=8&max_length=2048&device=auto

    margin      scores this close, or closer, are a tie                             (default 0: equal scores alone)
    label       of a classifier with several labels, the one whose log-odds count   (needed unless there is one logit)
    batch       dialogues scored at once                                            (default 8)
    max_length  tokens of a dialogue, if less than the checkpoint's own limit       (default: the checkpoint's)
    device      auto, cpu, cuda, ...                                                (auto: a GPU when there is one)

Each dialogue is scored once, on its own, so such a judge has no seat bias and is never inconsistent. One that is too
long for the model is not cut: the call fails and says so. The weights are read from safetensors alone, and no code from
a checkpoint is ever run. Needs the extra `train`.

    reward_judge("reward:runs/reward/model?margin=0.1").judge([Presentation(first, second)])
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from pydantic import ValidationError

from sage_data.chat.protocol import CompletionStatus
from sage_data.errors import BackendError, ConfigError
from sage_data.inputs import resolve_path
from sage_data.store.files import sha256_json
from sage_eval.judge.protocol import Reply
from sage_eval.judge.scores import DECIMALS, Options, Score, Scorer
from sage_eval.judge.transcripts import Presentation, Transcript
from sage_eval.verdict import Choice

SCHEME = "reward"
_PLAIN_NAMES = ("model", "merged")
"""Folder names that say nothing: the folder above gives the model its name."""
_DIGITS = 16


@dataclass
class RewardJudge:
    """Compares the scores of two dialogues."""

    name: str
    identity: str
    scorer: Scorer
    options: Options = field(default_factory=Options)
    _scores: dict[Transcript, Score] = field(default_factory=dict, init=False, repr=False)
    """Every dialogue is scored once, however often it is shown."""

    @property
    def spec_hash(self) -> str:
        """Hash of the weights, the margin, the label and the limit."""
        settings = self.options.model_dump(include={"margin", "label", "max_length"})
        return sha256_json({"model": self.identity, **settings})

    def judge(self, presentations: Sequence[Presentation]) -> list[Reply]:
        """Score what is shown and not yet known, then compare seats; a dialogue without a score is an error."""
        shown = [seat for one in presentations for seat in (one.first, one.second)]
        missing = [seat for seat in dict.fromkeys(shown) if seat not in self._scores]
        self._scores.update(zip(missing, self.scorer.score(missing), strict=True))
        return [self._reply(one) for one in presentations]

    def _reply(self, shown: Presentation) -> Reply:
        first, second = self._scores[shown.first], self._scores[shown.second]
        for seat, score in (("first", first), ("second", second)):
            if score.value is None:
                error = f"the {seat} dialogue has no score: {score.error}"
                return Reply(Choice.ERROR, "", CompletionStatus.REFUSED, shown.words_hash, self.identity, error=error)
        raw = f"first {first.value:.{DECIMALS}f} second {second.value:.{DECIMALS}f}"
        choice = compare(first.value, second.value, self.options.margin)
        return Reply(choice, raw, CompletionStatus.OK, shown.words_hash, self.identity)


def compare(first: float | None, second: float | None, margin: float) -> Choice:
    """The seat with the higher score; a tie when they are no more than `margin` apart, an error without both.

    The scores are compared as they are written down, with `DECIMALS` decimals.
    """
    if first is None or second is None or not (math.isfinite(first) and math.isfinite(second)):
        return Choice.ERROR
    lead = round(first, DECIMALS) - round(second, DECIMALS)
    if abs(lead) <= margin + 0.1**DECIMALS / 2:
        return Choice.TIE
    return Choice.FIRST if lead > 0 else Choice.SECOND


def reward_judge(uri: str, name: str | None = None) -> RewardJudge:
    """Open `reward:PATH?OPTIONS`; tables show `name`, or the model's own when there is none.

    Raises:
        ConfigError: an option is wrong, or the checkpoint has several labels and none is named.
        BackendError: there is no such checkpoint, or it cannot be loaded.
        MissingDependencyError: torch or transformers is not installed.
    """
    path, _, query = uri.partition(":")[2].partition("?")
    options = _options(query)
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise BackendError(
            f"no reward model at {path}", next_step="give the folder of a text-classification checkpoint"
        )
    identity = f"{_short_name(folder)}@{resolve_path(folder).fingerprint[:_DIGITS]}"
    # torch takes seconds to import, and most judges do without.
    from sage_eval.judge.scoring import open_scorer

    return RewardJudge(name or identity, identity, open_scorer(folder, options), options)


def _options(query: str) -> Options:
    given = parse_qsl(query, keep_blank_values=True)
    try:
        return Options.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"reward judge: option {'.'.join(map(str, first['loc']))}: {first['msg']}",
            next_step=f"options are {', '.join(Options.model_fields)}",
        ) from error


def _short_name(folder: Path) -> str:
    whole = folder.resolve()
    return whole.parent.name if whole.name in _PLAIN_NAMES else whole.name
