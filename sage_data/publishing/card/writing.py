"""Puts a card together: gathers what its template asks for, fills it in and writes it with its funnel.

write(configs, Path("card"), CardOptions(title="Small talk"))
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sage_data.errors import ConfigError
from sage_data.funnel import chain_steps, svg
from sage_data.publishing import places
from sage_data.publishing.card import escaping, facts, story
from sage_data.publishing.card.annotators import Annotation, annotated_by, lexicon_figures
from sage_data.publishing.card.citation import PAPER, dataset_entry
from sage_data.publishing.card.contents import Contents, first_row, look
from sage_data.publishing.card.escaping import Markdown
from sage_data.publishing.card.example import example
from sage_data.publishing.card.features import described
from sage_data.publishing.card.metadata import (
    ANNOTATION,
    ROLLOUTS,
    front_matter,
    metadata,
    stage_has_states,
    title,
)
from sage_data.publishing.card.options import CardOptions
from sage_data.publishing.card.reasons import reason_rows
from sage_data.publishing.card.templates import DATASET, fill_card
from sage_data.publishing.layout import DatasetConfig, origins_of
from sage_data.publishing.licenses import Claim, stated_claim
from sage_data.publishing.withholding import WITHHELD_SCHEMA
from sage_data.store.files import write_text
from sage_data.store.manifest import Ancestor, Origin

CARD, FUNNEL = "README.md", "funnel.svg"
IDS = ("id", "utterances[].source_id", "source.thread", "thread")
"""Fields that lead to where something was said."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a card is about, gathered once."""

    configs: Sequence[DatasetConfig]
    options: CardOptions
    title: str
    origins: Sequence[Origin]
    stages: Sequence[Ancestor]
    claim: Claim
    contents: Contents
    """Of the config that is most telling: the first whose rows should carry states, if possible on utterances."""

    telling: str
    """Name of that config."""

    @property
    def counted(self) -> list[Ancestor]:
        """The stages whose counts are the funnel's."""
        return story.with_publishing(story.without_states(self.stages), self.options.counts)

    @property
    def states(self) -> bool:
        """True when rows carry states."""
        return bool(self.contents.annotated.total())


def write(configs: Sequence[DatasetConfig], destination: Path, options: CardOptions) -> None:
    """Write `README.md` and `funnel.svg`.

    Raises:
        ConfigError: there is no config, or not exactly one default.
        InputError: a folder cannot be read.
        PublishError: the licence may not be claimed, or the Hub would not take the front matter.
    """
    about = gather(configs, destination, options)
    write_text(destination / FUNNEL, svg(chain_steps(about.counted), f"{about.title}: what was kept"))
    write_text(destination / CARD, fill(about, destination))


def gather(configs: Sequence[DatasetConfig], staged: Path, options: CardOptions) -> Subject:
    """Everything a card needs, from the folders and from the files that are staged already."""
    if not configs:
        raise ConfigError("a card needs at least one config, found none")
    origins = origins_of(configs)
    telling = max(configs, key=lambda one: (stage_has_states(one), "utterances" in one.schema.names))
    return Subject(
        configs=configs,
        options=options,
        title=title(configs, options),
        origins=origins,
        stages=story.stages_of(configs),
        claim=stated_claim(options.license, options.license_name, options.license_link, origins, options.cleared),
        contents=look(telling, staged),
        telling=telling.name,
    )


def fill(about: Subject, staged: Path) -> str:
    """The card's text."""
    found = metadata(about.configs, about.options, about.claim, about.origins, about.stages, states=about.states)
    values = {
        "front_matter": Markdown(front_matter(found)),
        "title": about.title,
        "summary": about.options.summary,
        **_what_is_in_it(about, staged),
        **_how_it_came_about(about),
        **_whose_it_is(about),
        **_what_to_mind(about),
        **_what_to_do_with_it(about),
    }
    return fill_card(DATASET, values)


def _what_is_in_it(about: Subject, staged: Path) -> dict[str, Any]:
    default = next(one for one in about.configs if one.default)
    withheld = about.options.text_withheld
    first = first_row(default, staged) if about.options.example else None
    shown = "" if first is None else example(_shown(first, withheld=withheld))
    return {
        "split_rows": [
            (one.name, one.table, split.name, f"{split.rows:,}", f"{split.shards:,}", f"{split.bytes:,}")
            for one in about.configs
            for split in one.splits
        ],
        "default_config": default.name,
        "text_withheld": withheld,
        "annotated": about.states,
        "carried": _carried(about),
        "situations": facts.shares(about.contents.situations, about.options.shown_tags),
        "tag_tables": facts.tag_tables(about.contents, about.options.shown_tags),
        "example": shown,
        "columns": [
            {
                "name": one.name,
                "rows": [(column.path, column.type, column.meaning) for column in described(one.table, one.schema)],
            }
            for one in about.configs
        ],
    }


def _carried(about: Subject) -> dict[str, Any]:
    """Of the config whose tags are told: its name, its utterances that carry a state, and all of them."""
    states = about.contents.annotated.total()
    return {"config": about.telling, "states": states, "all": states + about.contents.unannotated.total()}


def _shown(row: dict[str, Any], *, withheld: bool) -> dict[str, Any]:
    """A row as it will be published."""
    named = {**row, places.MODEL: places.public(row[places.MODEL])} if row.get(places.MODEL) else row
    return _without_text(named) if withheld else named


def _without_text(row: dict[str, Any]) -> dict[str, Any]:
    """A row's ids and tags; rows that hold text outside utterances keep their id alone."""
    if "utterances" not in row:
        return {"id": row.get("id")}
    turns = [
        {**{key: value for key, value in turn.items() if key != "text"}, "characters": _length(turn)}
        for turn in row["utterances"]
    ]
    return {**row, "utterances": turns}


def _length(turn: dict[str, Any]) -> int:
    return int(turn["characters"]) if "characters" in turn else len(turn["text"])


def _reader(annotations: Sequence[Annotation], *, played: bool) -> str:
    """Who saw the states in the words."""
    if not annotations:
        return "the model that spoke" if played else "whoever labelled the source"
    if not any(one.gave for one in annotations):
        return "whoever labelled the source"
    labelled = any(one.states for one in annotations)
    return "the annotator, or whoever labelled the source," if labelled else "the annotator"


def _how_it_came_about(about: Subject) -> dict[str, Any]:
    annotations = annotated_by(about.stages, about.configs)
    played = any(one.uses in ROLLOUTS for one in about.stages)
    return {
        "funnel_rows": story.funnel_rows(about.counted),
        "reason_rows": reason_rows(about.counted),
        "gate_rows": story.gate_rows(about.stages),
        "failures": story.failures(about.stages),
        "annotations": annotations,
        "played": played,
        "reader": _reader(annotations, played=played),
        "lexicon_figures": escaping.fenced(lexicon_figures(), "text"),
        "model_rows": story.model_rows(about.stages),
        "provenance_rows": story.provenance_rows(about.stages),
        "resource_rows": story.resource_rows([one for one in about.stages if one.uses != ANNOTATION]),
        "recipe": escaping.fenced(story.recipe(about.stages, about.configs[0].manifest.packages), "yaml"),
    }


def _whose_it_is(about: Subject) -> dict[str, Any]:
    return {
        "license": about.claim,
        "origins": story.origin_list(about.origins),
        "cleared": about.options.cleared,
        "overrides": about.options.overrides,
        "people": any(not one.synthetic for one in about.origins),
        "unasked": any(one.withhold_text for one in about.origins),
        "open_text": any(one.table != "dialogues" or one.schema != WITHHELD_SCHEMA for one in about.configs),
        "id_columns": ", ".join(_ids(about.configs)),
        "scans": [(what, f"{hits:,}") for what, hits in about.options.scans],
        "contact": about.options.contact,
        "personal_data": _paragraphs(about.options.personal_data),
    }


def _ids(configs: Sequence[DatasetConfig]) -> list[str]:
    there = {column.path for one in configs for column in described(one.table, one.schema)}
    return [name for name in IDS if name in there]


def _paragraphs(text: str) -> list[str]:
    return [one for one in ("\n".join(text.splitlines())).split("\n\n") if one.strip()]


def _what_to_mind(about: Subject) -> dict[str, Any]:
    contents = about.contents
    months = sorted(contents.months)
    return {
        "lengths": facts.length_facts(contents),
        "months": {"count": len(months), "first": months[0], "last": months[-1]} if months else None,
        "places": facts.shares(contents.places),
        "place_count": len(contents.places),
        "corpora": facts.shares(contents.corpora),
        "gated": facts.gated(about.stages),
        "languages": ", ".join(about.options.language),
        "biases": _paragraphs(about.options.biases),
    }


def _what_to_do_with_it(about: Subject) -> dict[str, Any]:
    repo = json.dumps(escaping.plain(about.options.repo) or "path/to/this/folder", ensure_ascii=False)
    lines = ["from datasets import load_dataset", ""]
    for config in about.configs:
        name = json.dumps(config.name, ensure_ascii=False)
        lines += [f"rows = load_dataset({repo}, {name}, split={json.dumps(one.name)})" for one in config.splits]
    hydrate = "sage data hydrate path/to/this/folder --dumps path/to/dumps --out rebuilt"
    return {
        "loading": escaping.fenced("\n".join(lines), "python"),
        "hydrating": escaping.fenced(hydrate),
        "citation": escaping.fenced(dataset_entry(about.title, about.options), "bibtex"),
        "paper": escaping.fenced(PAPER, "bibtex"),
    }
