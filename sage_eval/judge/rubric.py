"""The offline judge: a documented baseline that scores each dialogue by a few surface features and a rubric's weights.

It costs nothing and always says the same, so a pipeline can be run and tested with it. It is no measure of quality:
a model that ends each short reply with a question scores well whatever it says, in whatever order its words stand, and
whether or not it is an answer (the self-test's checks `shuffled` and `foreign`, to which it is not held). Each dialogue
is scored on its own, so a rubric has no seat bias and is never inconsistent; scores closer than the rubric's margin are
a tie.

The offline selector, which steers what is later judged here, has word lists and features of its own. Still, both
reward questions, sympathy and short replies, as the paper asks of both: a win under a rubric is weak evidence.

    rubric_judge("rubric:warm")
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sage_data.chat.protocol import CompletionStatus
from sage_data.errors import ConfigError
from sage_data.store.files import sha256_json
from sage_eval.judge.features import VERSION, features
from sage_eval.judge.protocol import Reply
from sage_eval.judge.transcripts import Presentation, Transcript
from sage_eval.verdict import Choice

SCHEME = "rubric"
RUBRICS = Path(__file__).with_name("rubrics.toml")
REMEMBERED = 50_000
"""Dialogues whose scores are kept in memory."""


@dataclass(frozen=True)
class RubricJudge:
    """Judges by a weighted sum of features."""

    name: str
    """Name in tables."""
    weights: Mapping[str, float]
    margin: float
    """Scores (0 to 1) closer than this are a tie."""
    markers: Mapping[str, Sequence[str]]
    _scores: dict[Transcript, float | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Scores of dialogues met before: each meets every rival, in two orders."""

    @property
    def spec_hash(self) -> str:
        """Hash of weights, margin, word lists and the version of the features."""
        spec = {"weights": self.weights, "margin": self.margin, "markers": self.markers, "features": VERSION}
        return sha256_json(spec)

    @property
    def identity(self) -> str:
        """The start of the spec's hash, marked as a rubric's."""
        return f"{SCHEME}@{self.spec_hash[:12]}"

    def score(self, lines: Transcript) -> float | None:
        """Weighted mean of the features, 0 to 1; None when the assistant said nothing."""
        if lines not in self._scores:
            if len(self._scores) >= REMEMBERED:
                self._scores.clear()
            self._scores[lines] = self._measured(lines)
        return self._scores[lines]

    def _measured(self, lines: Transcript) -> float | None:
        found = features(lines, self.markers)
        if found is None:
            return None
        total = sum(self.weights.values())
        return sum(weight * found[name] for name, weight in self.weights.items()) / total

    def judge(self, presentations: Sequence[Presentation]) -> list[Reply]:
        """Score both seats of each presentation and compare; an empty dialogue is an error, not a loss."""
        return [self._reply(one) for one in presentations]

    def _reply(self, shown: Presentation) -> Reply:
        first, second = self.score(shown.first), self.score(shown.second)
        prompt_hash = shown.words_hash
        if first is None or second is None:
            seat = "first" if first is None else "second"
            error = f"the assistant says nothing in the {seat} dialogue"
            return Reply(Choice.ERROR, "", CompletionStatus.EMPTY, prompt_hash, self.identity, error=error)
        raw = f"first {first:.4f} second {second:.4f}"
        return Reply(self._choice(first - second), raw, CompletionStatus.OK, prompt_hash, self.identity)

    def _choice(self, lead: float) -> Choice:
        if abs(lead) < self.margin:
            return Choice.TIE
        return Choice.FIRST if lead > 0 else Choice.SECOND


def rubric_judge(uri: str, name: str | None = None) -> RubricJudge:
    """Open `rubric:NAME`; tables show `name`, or the URI when there is none.

    Raises:
        ConfigError: there is no rubric of that name; lists those there are.
    """
    book = _book()
    wanted = uri.removeprefix(f"{SCHEME}:")
    if wanted not in book["rubrics"]:
        raise ConfigError(f"no rubric {wanted!r}; there are {', '.join(sorted(book['rubrics']))}")
    chosen = book["rubrics"][wanted]
    return RubricJudge(name or uri, dict(chosen["weights"]), float(chosen["margin"]), book["markers"])


@cache
def _book() -> dict[str, Any]:
    return tomllib.loads(RUBRICS.read_text(encoding="utf-8"))
