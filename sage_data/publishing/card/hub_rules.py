"""What the Hub accepts in a card's front matter, so that a card it would refuse fails here, with the reason.

The Hub itself answers at `/api/validate-yaml`; these are the rules it documents for datasets, for the keys that this
project writes. Lists of words are those of the Hub's documentation and of the `datasets` library.

    check_metadata({"license": "cc0-1.0", ...})
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sage_data.errors import PublishError
from sage_data.publishing.licenses import LICENSES, OTHER

SIZES = (
    ("n<1K", 10**3),
    ("1K<n<10K", 10**4),
    ("10K<n<100K", 10**5),
    ("100K<n<1M", 10**6),
    ("1M<n<10M", 10**7),
    ("10M<n<100M", 10**8),
    ("100M<n<1B", 10**9),
    ("1B<n<10B", 10**10),
    ("10B<n<100B", 10**11),
    ("100B<n<1T", 10**12),
)
"""Size category -> rows that are too many for it."""
LARGEST = "n>1T"
TASKS = ("text-generation", "text-classification")
"""The Hub's tasks that dialogues with states are for."""
CREATORS = ("found", "crowdsourced", "expert-generated", "machine-generated", "no-annotation", "other")
LANGUAGES = ("code", "multilingual")
"""Words that may stand where a language's code does."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_CONFIG_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SPLIT = re.compile(r"\w+(\.\w+)*")

Rule = Callable[[Mapping[str, Any]], Iterator[str]]


def size_category(rows: int) -> str:
    """The Hub's name for a dataset of so many rows."""
    return next((name for name, too_many in SIZES if rows < too_many), LARGEST)


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Look whether the Hub would take a front matter.

    Raises:
        PublishError: it would not; every reason is named.
    """
    problems = [problem for rule in RULES for problem in rule(metadata)]
    if problems:
        raise PublishError("the card's front matter is not what the Hub takes:\n" + "\n".join(problems))


def _license(metadata: Mapping[str, Any]) -> Iterator[str]:
    found = metadata.get("license")
    if found not in LICENSES:
        yield f"license: expected an id of the Hub's list, found {found!r}"
    if found == OTHER and not (metadata.get("license_name") and metadata.get("license_link")):
        yield "license: other needs license_name and license_link"


def _words(metadata: Mapping[str, Any]) -> Iterator[str]:
    sizes = (*(name for name, _ in SIZES), LARGEST)
    lists: dict[str, tuple[str, ...]] = {"size_categories": sizes, "task_categories": TASKS}
    lists |= dict.fromkeys(("annotations_creators", "language_creators"), CREATORS)
    for key, allowed in lists.items():
        for word in metadata.get(key, ()):
            if word not in allowed:
                yield f"{key}: expected one of {', '.join(allowed)}; found {word!r}"


def _language(metadata: Mapping[str, Any]) -> Iterator[str]:
    for code in metadata.get("language", ()):
        if not isinstance(code, str) or not (code in LANGUAGES or _LANGUAGE.fullmatch(code)):
            yield f"language: expected an ISO 639 code of two or three small letters, found {code!r}"


def _texts(metadata: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(metadata.get("pretty_name"), str):
        yield f"pretty_name: expected text, found {metadata.get('pretty_name')!r}"
    for key in ("tags", "source_datasets"):
        for one in metadata.get(key, ()):
            if not isinstance(one, str) or not one.strip():
                yield f"{key}: expected text, found {one!r}"


def _configs(metadata: Mapping[str, Any]) -> Iterator[str]:
    configs = metadata.get("configs", ())
    if sum(bool(one.get("default")) for one in configs) != 1:
        yield "configs: expected exactly one with `default: true`"
    for one in configs:
        if not _CONFIG_NAME.fullmatch(one["config_name"]):
            yield f"configs: expected a name of letters, digits, dots and dashes, found {one['config_name']!r}"
        for split in one["data_files"]:
            if not _SPLIT.fullmatch(split["split"]):
                yield f"configs: expected a split's name of letters, digits and underscores, found {split['split']!r}"


RULES: tuple[Rule, ...] = (_license, _words, _language, _texts, _configs)
