"""Everything that happens before the Hub is asked anything: terms, files, cards, scans, and the models' scores.

assembled = assemble(config, inputs, out, context)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, InputError, PublishError
from sage_data.inputs import maker
from sage_data.publishing.assembling import check_license, check_visibility, findings_as_json, refuse_findings
from sage_data.publishing.hub import DATASET, SPACE, page_of
from sage_data.publishing.licenses import (
    OTHER,
    UNKNOWN,
    UNSTATED,
    Claim,
    check_claim,
    in_words,
    least_claim,
    stated_claim,
    unstated,
)
from sage_data.publishing.scans import SCANS, Findings, scan_files, scan_said
from sage_data.publishing.staging import StagedFile, check_staged, measure
from sage_data.publishing.withholding import must_withhold
from sage_data.stage import Context, Input, Inputs, Output
from sage_data.store.files import remove
from sage_data.store.manifest import Manifest, Origin, read_manifest
from sage_eval.publish.cards import CARD, Said, write_results_card, write_space_card
from sage_eval.publish.columns import chosen_tables
from sage_eval.publish.facts import read_facts
from sage_eval.publish.model_pages import write_model
from sage_eval.publish.pages import Pages, stage_pages
from sage_eval.publish.scores import Stated, folders_of, read_benchmarks, read_scores
from sage_eval.publish.tables import Kept, shards_of, stage_results
from sage_eval.publish.words import Spoken
from sage_eval.warehouse.opening import find_warehouse

if TYPE_CHECKING:
    from sage_eval.publish import Config

FOLDERS = {DATASET: "dataset", SPACE: "space"}
"""Kind of repository -> its folder in the output."""
MODELS = "models"
FOUND = "scans.json"
NOTHING = Said(Claim(UNKNOWN), (), (), (), ())
"""What stands in where no card is written."""


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


@dataclass(frozen=True, slots=True)
class Given:
    """What is published from."""

    warehouse: Path
    manifest: Manifest
    report: Path | None
    origins: tuple[Origin, ...]
    """Of the warehouse and of the report."""

    @property
    def withholds(self) -> bool:
        """True when a source asks that its words stay out."""
        return must_withhold(self.origins)


def assemble(config: Config, inputs: Inputs, out: Output, context: Context) -> Assembled:
    """Make and check the folders.

    Raises:
        ConfigError: options contradict each other, or a model's folder is of no benchmarked model.
        InputError: a folder is not as its stage left it.
        PublishError: a check speaks against publishing.
    """
    given = _given(config, inputs)
    tables = chosen_tables(config.tables, words=config.text_release)
    if config.text_release and given.withholds:
        check_visibility(config, releases=True)
        check_no_comments(given.warehouse)
    said = NOTHING if config.space is None and config.dataset is None else _terms(config, given)
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


def check_no_comments(warehouse: Path) -> None:
    """Refuse to release what people wrote elsewhere and may delete there: only `sage data publish` leaves that out.

    Raises:
        PublishError: utterances of the warehouse are such; the stages are named.
    """
    found: set[str] = set()
    for path in shards_of(warehouse, "turns"):
        rows = pq.read_table(path, columns=["stage", "source_id"])
        found.update(rows.filter(pc.is_valid(rows["source_id"]))["stage"].unique().to_pylist())
    if found:
        raise PublishError(
            f"{warehouse}: expected words of models and of scenarios; found comments that people may delete, from the "
            f"stages {', '.join(sorted(found))}",
            next_step="make warehouse and report without these stages, and publish their dialogues with `sage data "
            "publish`, which honours deletions; or leave --text-release out",
        )


def _fresh(out: Output, kind: str) -> Path:
    """An empty folder: an interrupted attempt's is made again, with the same bytes."""
    folder = out.path / FOLDERS[kind]
    remove(folder)
    folder.mkdir(parents=True)
    return folder


def _given(config: Config, inputs: Inputs) -> Given:
    warehouse = find_warehouse(inputs.one("warehouse").path)
    manifest = _manifest(warehouse)
    origins = manifest.origins or [unstated(manifest.stage)]
    report = inputs.optional("report")
    if config.space is None:
        return Given(warehouse, manifest, None, tuple(origins))
    if report is None:
        raise ConfigError(
            "expected the pages that the Space is to show; found no report",
            next_step="add --report REPORT, as `sage eval report` wrote it, or leave --space out",
        )
    shown = _manifest(report.path)
    if manifest.content_hash not in [one.content_hash for one in shown.lineage]:
        raise InputError(
            f"{report.path}: expected pages made from {warehouse}, whose words are looked for in them; found pages of "
            "another warehouse",
            next_step=f"write them again: sage eval report {warehouse} --out {report.path}",
        )
    more = [one for one in shown.origins if one not in origins]
    return Given(warehouse, manifest, report.path, (*origins, *more))


def _manifest(folder: Path) -> Manifest:
    found = read_manifest(folder)
    if found is None:
        raise InputError(f"{folder}: not a finished stage's folder: it has no manifest", next_step="sage plan RECIPE")
    return found


def _terms(config: Config, given: Given) -> Said:
    """The licence, once it is found to hold: against every source where words go, else by itself.

    Measurements quote nobody, so without words any licence may be named; if none is, it is the sources' own.

    Raises:
        PublishError: it does not hold.
    """
    overrides: tuple[str, ...] = ()
    if config.text_release:
        cleared = check_license(config, given.origins)
        claim = stated_claim(config.license, config.license_name, config.license_link, given.origins, cleared)
        if given.withholds:
            kind = "private" if config.private else "public"
            overrides = (f"text is published that its source wants withheld ({kind})",)
        return Said(claim, given.origins, cleared, overrides, ())
    claim = Claim(config.license or least_claim(given.origins), config.license_name, config.license_link)
    if config.license is None and claim.id == OTHER:
        claim = stated_claim(None, config.license_name, config.license_link, given.origins)
    if problems := check_claim(claim.id, (), cleared=(UNSTATED,), name=claim.name, link=claim.link):
        raise PublishError(
            f"the licence {claim.id!r} may not be claimed:\n{in_words(problems)}",
            next_step="say under which licence you publish, such as --license cc-by-4.0",
        )
    return Said(claim, given.origins, (), (), ())


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
    pages = stage_pages(report, _manifest(report), folder, spoken)
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
