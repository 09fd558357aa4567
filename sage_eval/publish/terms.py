"""What is published from, and under which terms.

given = read_given(config, inputs)
said = terms(config, given)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from sage_data.errors import ConfigError, InputError, PublishError
from sage_data.publishing.assembling import check_license, check_visibility
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
from sage_data.publishing.withholding import must_withhold
from sage_data.stage import Inputs
from sage_data.store.manifest import Manifest, Origin, read_manifest
from sage_eval.publish.cards import Said
from sage_eval.publish.tables import shards_of
from sage_eval.warehouse.opening import find_warehouse

if TYPE_CHECKING:
    from sage_eval.publish import Config

NOTHING = Said(Claim(UNKNOWN), (), (), (), ())
"""What stands in where no card is written."""


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


def read_given(config: Config, inputs: Inputs) -> Given:
    """The warehouse and, where a Space is asked for, the report.

    Raises:
        ConfigError: a Space is asked for without a report.
        InputError: a folder is no finished stage's, or the report is of another warehouse.
    """
    warehouse = find_warehouse(inputs.one("warehouse").path)
    manifest = manifest_of(warehouse)
    origins = manifest.origins or [unstated(manifest.stage)]
    report = inputs.optional("report")
    if config.space is None:
        return Given(warehouse, manifest, None, tuple(origins))
    if report is None:
        raise ConfigError(
            "expected the pages that the Space is to show; found no report",
            next_step="add --report REPORT, as `sage eval report` wrote it, or leave --space out",
        )
    shown = manifest_of(report.path)
    if manifest.content_hash not in [one.content_hash for one in shown.lineage]:
        raise InputError(
            f"{report.path}: expected pages made from {warehouse}, whose words are looked for in them; found pages of "
            "another warehouse",
            next_step=f"write them again: sage eval report {warehouse} --out {report.path}",
        )
    more = [one for one in shown.origins if one not in origins]
    return Given(warehouse, manifest, report.path, (*origins, *more))


def manifest_of(folder: Path) -> Manifest:
    """The manifest of a finished stage's folder.

    Raises:
        InputError: it has none.
    """
    found = read_manifest(folder)
    if found is None:
        raise InputError(f"{folder}: not a finished stage's folder: it has no manifest", next_step="sage plan RECIPE")
    return found


def terms(config: Config, given: Given) -> Said:
    """The licence, once it is found to hold: against every source where words go, else by itself.

    Measurements quote nobody, so without words any licence may be named; if none is, it is the sources' own.

    Raises:
        ConfigError: words that a source wants withheld are asked for in public.
        PublishError: the licence does not hold, or people's comments are among the words.
    """
    if config.space is None and config.dataset is None:
        return NOTHING
    if config.text_release and given.withholds:
        check_visibility(config, releases=True)
        check_no_comments(given.warehouse)
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
