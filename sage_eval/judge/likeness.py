"""Before judging: which dialogues will meet none, and whether two models talked under the same conditions.

A dialogue that failed in its rollout is no pair, so a model that often fails would be judged by its better moments
alone; two rollouts with other settings differ by more than their models. Neither is an error, and both are said.

    warn_of_unlike(config, inputs, matched, out)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from sage_data.inputs import Input, maker
from sage_data.stage import Inputs, Output
from sage_data.store.manifest import Manifest
from sage_eval.judge.opening import model_name
from sage_eval.judge.settings import Config
from sage_eval.judge.transcripts import Matched

ROLLOUT = "sage_eval.rollout"
SETTINGS = (
    *("exchanges", "max_tokens", "slots"),
    *("user_slots", "user_temperature", "user_top_k", "user_repetition_penalty", "trim_user"),
)
"""Settings of a rollout that two models should share; which dialogues there are is told by those that meet none."""


def warn_of_unlike(config: Config, inputs: Inputs, matched: Mapping[tuple[str, str], Matched], out: Output) -> None:
    """Say for each pair of models what is not judged and how their rollouts differ, and what each model lost.

    Args:
        config: the stage's settings.
        inputs: its inputs; what no rollout made is not looked into.
        matched: (A, B) -> their dialogues that meet.
        out: takes the warnings.
    """
    compared = {name for pair in matched for name in pair}
    made = {
        name: found
        for one in inputs.many("transcripts")
        if (name := model_name(one, config)) in compared and (found := _rollout(one)) is not None
    }
    for (a, b), meeting in matched.items():
        for line in (*_unmatched(a, b, meeting), *_differing(a, b, made)):
            out.warn(line)
    for name, manifest in made.items():
        for line in _lost(name, manifest):
            out.warn(line)


def _rollout(given: Input) -> Manifest | None:
    manifest = maker(given)
    return manifest if manifest is not None and manifest.uses == ROLLOUT else None


def _unmatched(a: str, b: str, found: Matched) -> Iterator[str]:
    kinds = (
        (found.only_a, f"of {a} in scenarios that {b} lacks"),
        (found.only_b, f"of {b} in scenarios that {a} lacks"),
        (found.samples_only_a, f"of {a} as samples that {b} lacks"),
        (found.samples_only_b, f"of {b} as samples that {a} lacks"),
    )
    if missed := sum(count for count, _ in kinds):
        why = ", ".join(f"{count:,} {kind}" for count, kind in kinds if count)
        yield (
            f"{a} and {b}: {len(found.pairs):,} pairs of dialogues are compared, in {len(found.scenarios):,} "
            f"scenarios; {missed:,} dialogues meet none and are not judged: {why}"
        )


def _differing(a: str, b: str, made: Mapping[str, Manifest]) -> Iterator[str]:
    if a not in made or b not in made:
        return
    one, other = _conditions(made[a]), _conditions(made[b])
    unlike = [
        f"{name} {_shown(one[name])} and {_shown(other[name])}"
        for name in one
        if name in other and one[name] != other[name]
    ]
    if unlike:
        yield (
            f"{a} and {b} were rolled out under other conditions ({'; '.join(unlike)}), so a difference between them "
            "may come from these"
        )


def _conditions(manifest: Manifest) -> dict[str, Any]:
    """What both sides of a fair comparison share."""
    found = {name: manifest.config[name] for name in SETTINGS if name in manifest.config}
    if "user" in manifest.models:
        found["user model"] = manifest.models["user"]
    return found


def _shown(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _lost(name: str, manifest: Manifest) -> Iterator[str]:
    counts = [one for one in manifest.counts if one.unit == "dialogues"]
    dropped = sum((Counter(one.dropped) for one in counts), Counter())
    if lost := dropped.total():
        why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items()))
        yield (
            f"{name}: {lost:,} of {sum(one.came_in for one in counts):,} dialogues were lost in its rollout ({why}); "
            f"a lost dialogue is no pair and counts for neither side, which flatters a model that often fails"
        )
