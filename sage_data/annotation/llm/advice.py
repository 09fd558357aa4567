"""What to do about dialogues that failed: what helps against each kind, and which command asks about them again.

again_lines({"api_error": 3}, config)    # ["the same command with --retry-failed 1 asks about 3 of them again"]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sage_data.annotation.annotator import AnnotationFailure, FailureKind
from sage_data.annotation.settings import MOST_ROUNDS, Config
from sage_data.errors import BackendError

_SCHEMA = "choose a server that holds replies to a JSON schema, or a stronger model"
_KEEP = "leave the text alone with --keep-text, or choose a stronger model"
_BRIDGE = "add no questions with --no-bridge, or choose a stronger model"
_ADVICE: Mapping[FailureKind, str] = {
    FailureKind.API_ERROR: "see what the server says, and whether the model's name and address are right",
    FailureKind.REFUSED: "choose another model",
    FailureKind.TRUNCATED: "raise --max-tokens, or keep a thinking model from thinking (?thinking=false)",
    FailureKind.EMPTY: "choose another model, or keep a thinking model from thinking (?thinking=false)",
    FailureKind.NOT_JSON: _SCHEMA,
    FailureKind.WRONG_SHAPE: _SCHEMA,
    FailureKind.EMPTY_TEXT: _KEEP,
    FailureKind.BAD_TEXT: _KEEP,
    FailureKind.TEXT_CHANGED: "choose a stronger model",
    FailureKind.TEXT_DRIFTED: f"lower --min-similarity, {_KEEP}",
    FailureKind.FACT_CHANGED: _KEEP,
    FailureKind.BRIDGE_NOT_ALLOWED: _BRIDGE,
    FailureKind.BRIDGE_NOT_QUESTION: _BRIDGE,
}


def pilot_failed(failures: Sequence[AnnotationFailure], remaining: int) -> BackendError:
    """The error that ends a run whose pilot brought nothing: the most frequent failure, with its first example."""
    counted = Counter(one.kind for one in failures)
    kind, count = min(counted.items(), key=lambda item: (-item[1], item[0].value))
    example = next(one for one in failures if one.kind == kind)
    return BackendError(
        f"not one reply to the {len(failures):,} dialogues of the pilot could be used, so the other {remaining:,} were "
        f"not asked about; {kind.value} {count:,} times, as with {example.dialogue.id!r}: {example.detail}",
        next_step=f"{_ADVICE.get(kind, 'choose a stronger model')}; --pilot-rows 0 asks about all of them all the same",
    )


def again_lines(failures: Mapping[str, int], config: Config) -> list[str]:
    """How to ask again about dialogues that failed, `failures`: kind -> how many; empty where asking cannot help."""
    asked = sum(count for kind, count in failures.items() if kind != FailureKind.NO_UTTERANCES)
    if not asked:
        return []
    rounds = config.retry_failed + 1
    if rounds > MOST_ROUNDS:
        return [f"{asked:,} of them failed in {rounds} rounds, the most there are: choose another model"]
    lines = [f"the same command with --retry-failed {rounds} asks about {asked:,} of them again"]
    same = asked - failures.get(FailureKind.API_ERROR, 0)
    if same and not config.temperature:
        lines.append(f"at temperature 0 a model mostly says the same again, which will hardly help {same:,} of them")
    return lines
