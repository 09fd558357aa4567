"""The cards of what an evaluation publishes: of the tables, and of the Space that shows its pages.

write_results_card(folder, options, staged, kept, terms, facts)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage_data.errors import PublishError
from sage_data.publishing.card import escaping, story
from sage_data.publishing.card.escaping import Markdown
from sage_data.publishing.card.features import in_words
from sage_data.publishing.card.hub_rules import check_metadata, size_category
from sage_data.publishing.card.metadata import data_files, dataset_info, front_matter
from sage_data.publishing.card.templates import RESULTS, SPACE, fill_card
from sage_data.publishing.hub import STATIC
from sage_data.publishing.layout import DatasetConfig
from sage_data.publishing.licenses import LICENSES, OTHER, Claim
from sage_data.store.files import write_text
from sage_data.store.manifest import Origin
from sage_eval.publish.facts import Facts
from sage_eval.publish.pages import FIRST, Pages
from sage_eval.publish.tables import Kept
from sage_eval.warehouse.contract import TABLES
from sage_eval.warehouse.database import Declared, declared_tables, open_memory

if TYPE_CHECKING:
    from sage_eval.publish import Config

CARD = "README.md"
TAGS = ("evaluation", "dialogue", "llm-as-a-judge", "sage-dialogue")
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
"""What the Hub lets a Space's thumbnail be."""
SHORTEST, LONGEST = 1, 60
"""Characters of a Space's short description."""


@dataclass(frozen=True, slots=True)
class Said:
    """What both cards say of licence and checks."""

    claim: Claim
    origins: tuple[Origin, ...]
    cleared: tuple[str, ...]
    overrides: tuple[str, ...]
    scans: tuple[tuple[str, int], ...]
    """(what was looked for, how often it was found)."""

    def values(self) -> dict[str, Any]:
        """For the templates."""
        return {
            "license": self.claim,
            "origins": story.origin_list(self.origins),
            "cleared": self.cleared,
            "overrides": self.overrides,
            "scans": [(what, f"{hits:,}") for what, hits in self.scans],
        }

    def front(self) -> dict[str, Any]:
        """For front matter."""
        found = {"license": self.claim.id, "license_name": self.claim.name, "license_link": self.claim.link}
        return {key: value for key, value in found.items() if value is not None}


def write_results_card(
    folder: Path, config: Config, configs: Sequence[DatasetConfig], kept: Kept, said: Said, facts: Facts
) -> None:
    """Write the card of the tables.

    Raises:
        PublishError: the Hub would not take its front matter.
    """
    repo, manifest = str(config.dataset), configs[0].manifest
    title = config.title or repo.rpartition("/")[2]
    front = {
        "pretty_name": escaping.plain(title),
        **said.front(),
        "size_categories": [size_category(sum(split.rows for one in configs for split in one.splits))],
        "tags": list(TAGS),
        "configs": [data_files(one) for one in configs],
        "dataset_info": [dataset_info(one) for one in configs],
    }
    check_metadata(front)
    stages, declared = story.stages_of(configs), _declared()
    values = {
        "front_matter": Markdown(front_matter(front)),
        "title": title,
        "summary": config.summary,
        "contact": config.contact,
        "words": config.text_release,
        "config_rows": _config_rows(configs, declared),
        "columns": _columns(configs, declared),
        "default_config": configs[0].name,
        "querying": escaping.fenced(_query(repo, configs), "sql"),
        "loading": escaping.fenced(_loading(repo, configs), "python"),
        "kept_columns": [(table, ", ".join(names)) for table, names in kept.columns],
        "kept_tables": ", ".join(kept.tables),
        "provenance_rows": story.provenance_rows(stages),
        "recipe": escaping.fenced(story.recipe(stages, manifest.packages), "yaml"),
        **{name: getattr(facts, name) for name in ("models", "judges", "verdicts", "plans", "significance")},
        **said.values(),
    }
    write_text(folder / CARD, fill_card(RESULTS, values))


def write_space_card(folder: Path, config: Config, pages: Pages, said: Said) -> None:
    """Write the front page of the Space's repository, whose front matter makes it a static one.

    Raises:
        PublishError: the Hub would not take its front matter.
    """
    title = config.title or str(config.space).rpartition("/")[2]
    front = {
        "title": escaping.plain(title),
        "emoji": "\N{BAR CHART}",
        "colorFrom": "blue",
        "colorTo": "green",
        "sdk": STATIC,
        "app_file": FIRST,
        "pinned": False,
        "short_description": "Dialogue models compared: verdicts, tests, benchmarks",
        **said.front(),
        **({"datasets": [config.dataset]} if config.dataset else {}),
        "tags": list(TAGS),
    }
    check_space(front)
    values = {
        "front_matter": Markdown(front_matter(front)),
        "title": title,
        "summary": config.summary,
        "contact": config.contact,
        "dataset": config.dataset,
        "words": config.text_release,
        "left_out": list(pages.left_out),
        **said.values(),
    }
    write_text(folder / CARD, fill_card(SPACE, values))


def check_space(front: Mapping[str, Any]) -> None:
    """Look whether the Hub would take a Space's front matter, by the rules that it documents.

    Raises:
        PublishError: it would not; every reason is named.
    """
    problems = []
    if not front.get("title"):
        problems.append("title: expected text, found none")
    if front.get("sdk") != STATIC:
        problems.append(f"sdk: expected {STATIC}, found {front.get('sdk')!r}")
    for key in ("colorFrom", "colorTo"):
        if front.get(key) not in COLOURS:
            problems.append(f"{key}: expected one of {', '.join(COLOURS)}; found {front.get(key)!r}")
    if not SHORTEST <= len(front.get("short_description", "")) <= LONGEST:
        problems.append(f"short_description: expected {SHORTEST} to {LONGEST} characters")
    if front.get("license") not in LICENSES:
        problems.append(f"license: expected an id of the Hub's list, found {front.get('license')!r}")
    if front.get("license") == OTHER and not (front.get("license_name") and front.get("license_link")):
        problems.append("license: other needs license_name and license_link")
    if problems:
        raise PublishError("the Space's front matter is not what the Hub takes:\n" + "\n".join(problems))


def _config_rows(configs: Sequence[DatasetConfig], declared: Mapping[str, Declared]) -> list[tuple[str, ...]]:
    rows = []
    for one in configs:
        sizes = (sum(getattr(split, what) for split in one.splits) for what in ("rows", "bytes"))
        rows.append((one.name, *(f"{size:,}" for size in sizes), declared[one.table].comment or ""))
    return rows


def _columns(configs: Sequence[DatasetConfig], declared: Mapping[str, Declared]) -> list[dict[str, Any]]:
    """Every config with (column, type, meaning) of each of its columns."""
    found = []
    for one in configs:
        about = {column.name: column.comment or "" for column in declared[one.table].columns}
        rows = [(field.name, in_words(field.type), about.get(field.name, "")) for field in one.schema]
        found.append({"name": one.name, "rows": rows})
    return found


def _declared() -> dict[str, Declared]:
    """Every table as its `.sql` file describes it."""
    with open_memory() as connection:
        connection.execute("".join(table.ddl for table in TABLES))
        return declared_tables(connection)


def _query(repo: str, configs: Sequence[DatasetConfig]) -> str:
    wanted = {"significance": "judge, model_a, model_b, wins_a, wins_b, p_holm, conclusion"}
    first = configs[0].name
    return (
        "INSTALL httpfs; LOAD httpfs;  -- once\n"
        f"SELECT {wanted.get(first, '*')}\nFROM 'hf://datasets/{escaping.plain(repo)}/{first}/*.parquet';"
    )


def _loading(repo: str, configs: Sequence[DatasetConfig]) -> str:
    named = ", ".join(json.dumps(one) for one in (escaping.plain(repo), configs[0].name))
    return f'from datasets import load_dataset\n\nrows = load_dataset({named}, split="train")'
