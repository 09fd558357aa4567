"""Everything that happens before the Hub is asked anything: terms, files, cards, scans, and the models' scores.

assembled = assemble(config, inputs, out, context)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sage_data.errors import ConfigError, InputError
from sage_data.inputs import maker
from sage_data.publishing.assembling import findings_as_json, refuse_findings
from sage_data.publishing.hub import DATASET, SPACE, page_of
from sage_data.publishing.scans import SCANS, Findings, scan_files, scan_said
from sage_data.publishing.staging import StagedFile, check_staged, measure
from sage_data.stage import Context, Input, Inputs, Output
from sage_data.store.files import remove
from sage_eval.publish.cards import CARD, Said, write_results_card, write_space_card
from sage_eval.publish.columns import chosen_tables
from sage_eval.publish.facts import read_facts
from sage_eval.publish.model_pages import write_model
from sage_eval.publish.pages import Pages, stage_pages
from sage_eval.publish.scores import Stated, folders_of, read_benchmarks, read_scores
from sage_eval.publish.tables import Kept, stage_results
from sage_eval.publish.terms import Given, manifest_of, read_given, terms
from sage_eval.publish.words import Spoken

if TYPE_CHECKING:
    from sage_eval.publish import Config

FOLDERS = {DATASET: "dataset", SPACE: "space"}
"""Kind of repository -> its folder in the output."""
MODELS = "models"
FOUND = "scans.json"


@dataclass(frozen=True, slots=True)
class Parcel:
    """One folder that may be published."""

    kind: str
    repo: str
    files: tuple[StagedFile, ...]
    findings: Findings
    gated: bool = False
    """Access is given one by one, as a source asks that its words stay out."""


@dataclass(frozen=True, slots=True)
class Assembled:
    """All that was made."""

    parcels: tuple[Parcel, ...]
    """The dataset first, as the Space links to it."""
    stated: Stated
    models: Mapping[str, Sequence[str]]
    """Folder of a model below `models/` -> its files."""
    pages: Pages | None
    kept: Kept | None


def assemble(config: Config, inputs: Inputs, out: Output, context: Context) -> Assembled:
    """Make and check the folders.

    Raises:
        ConfigError: options contradict each other, or a model's folder is of no benchmarked model.
        InputError: a folder is not as its stage left it.
        PublishError: a check speaks against publishing.
    """
    given = read_given(config, inputs)
    tables = chosen_tables(config.tables, words=config.text_release)
    said = terms(config, given)
    parcels: list[Parcel] = []
    kept = pages = None
    with context.progress("staging", None, "folders") as bar:
        if config.dataset is not None:
            parcel, kept = _dataset(config, given, said, tables, _fresh(out, DATASET))
            parcels.append(parcel)
            bar.advance(1)
        if config.space is not None:
            parcel, pages = _space(config, given, said, _fresh(out, SPACE))
            parcels.append(parcel)
            bar.advance(1)
        stated, models = _models(config, inputs, given, out)
    out.write_json(FOUND, {FOLDERS[one.kind]: findings_as_json(one.findings) for one in parcels})
    return Assembled(tuple(parcels), stated, models, pages, kept)


def _fresh(out: Output, kind: str) -> Path:
    """An empty folder: an interrupted attempt's is made again, with the same bytes."""
    folder = out.path / FOLDERS[kind]
    remove(folder)
    folder.mkdir(parents=True)
    return folder


def _dataset(config: Config, given: Given, said: Said, tables: Sequence[str], folder: Path) -> tuple[Parcel, Kept]:
    staged, kept = stage_results(
        given.warehouse,
        given.manifest,
        folder,
        tables,
        words=config.text_release,
        shard_bytes=config.shard_mib << 20,
    )
    findings = scan_files(check_staged(folder, staged.files))
    write_results_card(
        folder, config, staged.configs, kept, _scanned(config, said, findings), read_facts(given.warehouse)
    )
    files = _with_card(config, folder, staged.files, findings)
    gated = config.text_release and given.withholds
    return Parcel(DATASET, str(config.dataset), files, findings, gated), kept


def _space(config: Config, given: Given, said: Said, folder: Path) -> tuple[Parcel, Pages]:
    report = given.report or folder
    spoken = None if config.text_release else Spoken.read(given.warehouse)
    pages = stage_pages(report, manifest_of(report), folder, spoken)
    findings = scan_files(check_staged(folder, pages.files))
    write_space_card(folder, config, pages, _scanned(config, said, findings))
    return Parcel(SPACE, str(config.space), _with_card(config, folder, pages.files, findings), findings), pages


def _scanned(config: Config, said: Said, findings: Findings) -> Said:
    counts = tuple((kind.value, count) for kind, count in findings.counts.items())
    allowed = tuple(
        f"{count:,} findings of the scan for {kind.value} were allowed: {SCANS[kind].about}"
        for kind, count in findings.counts.items()
        if count and kind.value in config.allow
    )
    return replace(said, scans=counts, overrides=(*said.overrides, *allowed))


def _with_card(config: Config, folder: Path, files: Sequence[StagedFile], findings: Findings) -> tuple[StagedFile, ...]:
    """The files with their card, once nothing that was found blocks."""
    card, own = Findings(), (config.contact,)
    scan_said(config.said(), card, own)
    scan_files({CARD: folder / CARD}, own, card)
    refuse_findings(config.allow, findings, card)
    return (*files, StagedFile(CARD, None, None, None, *measure(folder / CARD)))


def _models(config: Config, inputs: Inputs, given: Given, out: Output) -> tuple[Stated, dict[str, list[str]]]:
    """Write the files of every model with a score that may be stated."""
    more = inputs.optional("benchmarks")
    stated = read_scores(given.warehouse, read_benchmarks(None if more is None else more.path))
    cards = {_model_of(one, stated.models): _card_of(one) for one in inputs.many("model_index")}
    source = None if config.dataset is None else page_of(config.dataset, None)
    remove(out.path / MODELS)
    made = {}
    for model, folder in folders_of(stated.models).items():
        scores = [one for one in stated.scores if one.model == model]
        made[folder] = write_model(out.path / MODELS / folder, scores, source, cards.get(model))
    return stated, made


def _model_of(one: Input, models: Sequence[str]) -> str:
    """The benchmarked model that a folder holds: by the name of its stage, or its own.

    Raises:
        ConfigError: it is none of them.
    """
    made = maker(one)
    names = [*([made.stage] if made is not None else []), one.label, one.path.name]
    # A model that is a base and an adapter is known by both, with a plus sign between.
    found = next((model for name in names for model in models if name in (model, model.rpartition("+")[2])), None)
    if found is None:
        raise ConfigError(
            f"{one.path}: expected the folder of a model with a score that may be stated, which are "
            f"{', '.join(models) or 'none'}; found {names[0]}",
            next_step="leave that --model-index out; summary.txt of a run without it says why scores are not stated",
        )
    return found


def _card_of(one: Input) -> Path:
    card = one.path / CARD
    if not card.is_file():
        raise InputError(
            f"{card}: expected the model's card, found none",
            next_step="write one, or leave --model-index out and use model-index.yaml",
        )
    return card
