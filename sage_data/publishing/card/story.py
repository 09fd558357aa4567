"""How a dataset came about, read from its manifests: every stage above it, its gates, its settings, its sources.

stages = stages_of(configs)      # earliest first, each once
gate_rows(stages)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from ruamel.yaml import YAML

from sage_data.errors import SageError
from sage_data.funnel import unit_order
from sage_data.gates.thresholds import Thresholds
from sage_data.publishing.card import escaping
from sage_data.publishing.card.escaping import Markdown
from sage_data.publishing.card.metadata import STATES
from sage_data.publishing.card.reasons import POLICIES
from sage_data.publishing.layout import DatasetConfig
from sage_data.publishing.places import public, public_sentence
from sage_data.reddit import Config as RedditConfig
from sage_data.reddit.comments import CommentGates
from sage_data.stage import load_stage
from sage_data.store.files import canonical_json
from sage_data.store.manifest import Ancestor, Counts, Origin, as_ancestor

GATES: dict[str, type[BaseModel]] = {"sage_data.reddit": CommentGates, "sage_data.gates": Thresholds}
"""Stage -> the part of its options that decides what is dropped."""
NO_GATES = frozenset({"preset"})
REDDIT = "sage_data.reddit"
POLICY, WINDOWS = "policy", "windows"
CUTTING = (POLICY, "min_utterances", "titles")
"""How the Reddit stage cuts threads; told even where it is the default, as much of what is dropped follows from it."""
CUTTING_WINDOWS = ("window_least", "window_most")
DECIDING = ("sage-dialogue", "pyarrow")
"""Packages whose version a published file's bytes depend on."""
HASH_SHOWN = 16
"""Signs of a hash that a card shows in tables; the manifests hold all 64."""


def stages_of(configs: Sequence[DatasetConfig]) -> list[Ancestor]:
    """Every stage that rows of the dataset went through, its own ones too, each once and before those that read it."""
    found: dict[tuple[str, str], Ancestor] = {}
    for config in configs:
        for one in (*config.manifest.lineage, as_ancestor(config.manifest)):
            found.setdefault((one.stage, one.fingerprint), one)
    return list(found.values())


def funnel_rows(stages: Sequence[Ancestor]) -> list[tuple[str, ...]]:
    """(stage, what is counted, came in, dropped for which reason, not usable, kept) of all that was counted."""
    return [
        (
            stage.stage,
            counts.unit,
            f"{counts.came_in:,}",
            ", ".join(f"{reason.replace('_', ' ')} {number:,}" for reason, number in _largest(counts.dropped.items())),
            f"{counts.quarantined:,}",
            f"{counts.kept:,}",
        )
        for stage in stages
        for counts in sorted(stage.counts, key=lambda one: unit_order(one.unit))
    ]


def without_states(stages: Sequence[Ancestor]) -> list[Ancestor]:
    """The stages without their counts of states: an utterance that had one already was not dropped."""
    kept = ([counts for counts in one.counts if counts.unit != STATES] for one in stages)
    return [one.model_copy(update={"counts": counts}) for one, counts in zip(stages, kept, strict=True)]


def with_publishing(stages: Sequence[Ancestor], counts: Sequence[Counts]) -> list[Ancestor]:
    """The stages, and publishing as one more where it dropped something itself."""
    dropping = [one for one in counts if one.came_in > one.kept]
    if not dropping:
        return list(stages)
    nothing = {"version": 1, "fingerprint": "", "content_hash": "", "config": {}, "seed": 0}
    last = {"stage": "publishing", "uses": "sage_data.publishing", **nothing, "counts": dropping}
    return [*stages, Ancestor.model_validate(last)]


def _largest(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda one: (-one[1], one[0]))


def gate_rows(stages: Sequence[Ancestor]) -> list[tuple[str, ...]]:
    """(stage, option, threshold, what it does) of every gate that was on."""
    rows: list[tuple[str, ...]] = []
    for stage in stages:
        gates = GATES.get(stage.uses)
        for name, field in gates.model_fields.items() if gates is not None else ():
            value = stage.config.get(name)
            if name not in NO_GATES and value not in (None, False, [], ""):
                rows.append((stage.stage, name, shown(value), field.description or ""))
        rows += _cutting(stage) if stage.uses == REDDIT else []
    return rows


def _cutting(stage: Ancestor) -> list[tuple[str, ...]]:
    """The rows of a Reddit stage that tell how threads were cut."""
    policy = str(stage.config.get(POLICY, ""))
    names = (*CUTTING, *(CUTTING_WINDOWS if policy == WINDOWS else ()))
    about = {name: RedditConfig.model_fields[name].description or "" for name in names}
    about[POLICY] = POLICIES.get(policy, about[POLICY])
    return [(stage.stage, name, shown(stage.config[name]), about[name]) for name in names if name in stage.config]


def shown(value: Any) -> str:
    """A setting as JSON, without addresses and folders of a machine."""
    found = ("on" if value else "off") if isinstance(value, bool) else _public(value)
    return found if isinstance(found, str) else canonical_json(found)


def recipe(stages: Sequence[Ancestor], packages: Mapping[str, str]) -> str:
    """The stages as those of a recipe: module and version, seed, and every option that is not the default's.

    In front stand the versions of the packages that decide about bytes.
    """
    listed: dict[str, Any] = {}
    for stage in stages:
        options = changed(stage)
        name = stage.stage if stage.stage not in listed else f"{stage.stage}-{stage.fingerprint[:8]}"
        listed[name] = {"uses": stage.uses, "version": stage.version, "seed": stage.seed}
        listed[name] |= {"with": options} if options else {}
    head = {name: packages[name] for name in DECIDING if name in packages}
    written = StringIO()
    writer = YAML()
    writer.width = 100
    writer.dump({**head, "stages": listed}, written)
    return written.getvalue().strip()


def changed(stage: Ancestor) -> dict[str, Any]:
    """A stage's options that differ from the defaults here; all of them when its module is not installed."""
    try:
        fields = load_stage(stage.uses).Config.model_fields
    except SageError:
        return {name: _public(value) for name, value in stage.config.items()}
    defaults = {
        name: canonical_json(_plain(field.get_default(call_default_factory=True, validated_data={})))
        for name, field in fields.items()
        if not field.is_required()
    }
    return {
        name: _public(value) for name, value in stage.config.items() if canonical_json(value) != defaults.get(name, "")
    }


def _plain(value: Any) -> Any:
    """A default as a manifest keeps it; it may be a model, or hold some."""
    return to_jsonable_python([*value] if isinstance(value, tuple | set | frozenset) else value)


def _public(value: Any) -> Any:
    """A setting for the card: like `public`, through lists and mappings."""
    if isinstance(value, str):
        return public(value)
    if isinstance(value, list):
        return [_public(one) for one in value]
    return {key: _public(one) for key, one in value.items()} if isinstance(value, dict) else value


def provenance_rows(stages: Sequence[Ancestor]) -> list[tuple[str, ...]]:
    """(stage, module, its version, seed, start of its content's hash)."""
    return [(one.stage, one.uses, str(one.version), str(one.seed), one.content_hash[:HASH_SHOWN]) for one in stages]


def resource_rows(stages: Sequence[Ancestor]) -> list[tuple[str, ...]]:
    """(file, start of its hash) of every prompt and word list that was used."""
    found = {(public(name), digest[:HASH_SHOWN]) for stage in stages for name, digest in stage.resources.items()}
    return sorted(found)


def model_rows(stages: Sequence[Ancestor]) -> list[tuple[str, ...]]:
    """(stage, role, model) of every model that played a role."""
    return [(stage.stage, role, public(identity)) for stage in stages for role, identity in stage.models.items()]


def failures(stages: Sequence[Ancestor]) -> list[tuple[str, str]]:
    """(stage, what failed) of every part of the work that failed although the stage went on."""
    return [(stage.stage, public_sentence(one)) for stage in stages for one in stage.failures]


def origin_list(origins: Sequence[Origin]) -> Markdown:
    """Every source with its licence, as a list."""
    lines = []
    for one in origins:
        note = f" {escaping.markdown(one.note)}" if one.note else ""
        lines.append(f"- {escaping.link(one.name, one.url)}, licence {escaping.markdown(one.license)}.{note}")
    return Markdown("\n".join(lines))
