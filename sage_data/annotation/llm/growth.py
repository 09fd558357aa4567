"""Grow the list of canonical tags from the tags of a finished run: inflections of a word go to its most frequent form.

Deterministic: tags that differ only in an inflection ("encourage", "encouraging", "encouragement") are one group. Its
name is the one that the list has already, else its most frequent tag, of equals the shorter, then the first by
alphabet. Groups seen fewer than `LEAST` times are left as free tags. What is synonymous but of another stem is for a
person to add: read the result, edit it, and hand it to the next run as `--tag-map`.

    python -m sage_data.annotation.llm.growth annotated/tags.json > more.toml
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sage_data.annotation.llm.tags import LISTED, CanonicalTags, shipped_tags
from sage_data.errors import ConfigError, InputError

LEAST = 10
"""A group seen fewer times than this gets no line of its own."""
_SUFFIXES = ("ments", "ment", "ings", "ing", "ness", "ed", "es", "s", "e")
_SHORTEST = 3
_DOUBLED = re.compile(r"([bdgmnprt])\1$")
_PLAIN_KEY = re.compile(r"[a-z0-9-]+")

Groups = dict[str, list[str]]
"""Frequent tag -> its variants, the most frequent first."""


def stem(word: str) -> str:
    """A word without its inflection: equal for "share", "shares", "shared" and "sharing"."""
    base = word
    for suffix in _SUFFIXES:
        plural_like = suffix == "s" and base.endswith("ss")
        if base.endswith(suffix) and not plural_like and len(base) - len(suffix) >= _SHORTEST:
            base = base.removesuffix(suffix).removesuffix("e")
            break
    return _DOUBLED.sub(r"\1", base[:-1] + "i" if base.endswith("y") else base)


def grow(counts: Mapping[str, int], known: CanonicalTags, slot: str, least: int = LEAST) -> Groups:
    """Add to a slot's list what its tag counts tell; the frequent groups come first."""
    names, homes = known.names[slot], _homes(known, slot)
    groups: dict[str, Counter[str]] = {}
    for tag in sorted({*counts, *names} - {"null"}):
        groups.setdefault(_key(known.canonical(slot, tag) or tag, names, homes), Counter())[tag] += counts.get(tag, 0)
    grown: list[tuple[int, str, list[str]]] = []
    for group in groups.values():
        name = _name(group, names)
        if name in names or group.total() >= least:
            old = [form for form, of in known.forms.get(slot, {}).items() if of == name]
            grown.append((group.total(), name, _variants(group, name, old)))
    return {name: variants for _, name, variants in sorted(grown, key=lambda one: (-one[0], one[1]))}


def _homes(known: CanonicalTags, slot: str) -> dict[str, set[str]]:
    """Stems -> the listed names that have them, themselves or in a variant."""
    homes: dict[str, set[str]] = {}
    for tag in (*known.names[slot], *known.forms.get(slot, {})):
        homes.setdefault(_stems(tag), set()).add(known.canonical(slot, tag) or tag)
    return homes


def _stems(tag: str) -> str:
    return " ".join(map(stem, tag.split()))


def _key(tag: str, names: Sequence[str], homes: Mapping[str, set[str]]) -> str:
    """What all tags of a group share: a listed name where there is just one to choose, else their stems."""
    stems = _stems(tag)
    home = {tag} if tag in names else homes.get(stems, set())
    return f"={min(home)}" if len(home) == 1 else stems


def _name(group: Counter[str], names: Sequence[str]) -> str:
    listed = [tag for tag in group if tag in names]
    return listed[0] if listed else min(group, key=lambda tag: (-group[tag], len(tag), tag))


def _variants(group: Counter[str], name: str, old: Sequence[str]) -> list[str]:
    found = [tag for tag in sorted(group, key=lambda tag: (-group[tag], tag)) if tag != name]
    return list(dict.fromkeys([*old, *found]))


def read_tag_counts(path: Path) -> dict[str, Counter[str]]:
    """Slot -> tag -> utterances, over both roles, from the `tags.json` of an annotation.

    Raises:
        InputError: it is no such file.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        counted = {slot: Counter[str]() for slot in LISTED}
        for slots in raw.values():
            for slot in LISTED:
                counted[slot].update({str(tag): int(count) for tag, count in slots[slot].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: expected tag counts by role and slot: {error}", next_step="give the tags.json of an annotation"
        ) from error
    return counted


def as_toml(grown: Mapping[str, Groups]) -> str:
    """The list as a file that `CanonicalTags.load` reads."""
    lines = ["# Frequent motivations and emotions, each with the variants that become it."]
    for slot, groups in grown.items():
        lines += ["", f"[{slot}]"]
        for name, variants in groups.items():
            key = name if _PLAIN_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)
            lines.append(f"{key} = {json.dumps(variants, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> None:
    """Read `tags.json` and write the grown list to stdout.

    Raises:
        ConfigError: not one path was given.
        InputError: it holds no tag counts.
    """
    if len(arguments) != 1:
        raise ConfigError("expected one path, that of a tags.json", next_step="see the module's first lines")
    counts = read_tag_counts(Path(arguments[0]))
    known = shipped_tags()
    sys.stdout.write(as_toml({slot: grow(counts[slot], known, slot) for slot in LISTED}))


if __name__ == "__main__":
    main(sys.argv[1:])
