"""Everything that happens before the Hub is asked anything: licence, files, scans, card.

assembled = assemble(config, inputs, out, context)
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sage_data.errors import ConfigError, PublishError
from sage_data.publishing.card import CardOptions, write_card
from sage_data.publishing.layout import DatasetConfig, origins_of, read_configs
from sage_data.publishing.licenses import (
    LICENSES,
    UNKNOWN,
    Claim,
    Problem,
    check_claim,
    cleared_sources,
    in_words,
    stated_claim,
)
from sage_data.publishing.scans import SCANS, SECRETS, Findings, Kind, scan_files, scan_said
from sage_data.publishing.staging import (
    Plan,
    Staged,
    StagedFile,
    check_staged,
    files_table,
    measure,
    read_files,
    stage_tables,
    withheld,
)
from sage_data.publishing.withholding import must_withhold, read_tombstones, withhold
from sage_data.stage import Context, Inputs, Output
from sage_data.store.manifest import Origin
from sage_data.store.shards import read_table

if TYPE_CHECKING:
    from sage_data.publishing import Config, Override

DATASET = "dataset"
FILES = "files"
FOUND = "scans.json"
CARD_FILES = ("README.md", "funnel.svg")


@dataclass(frozen=True, slots=True)
class Assembled:
    """A dataset that may be published."""

    files: tuple[StagedFile, ...]
    releases_text: bool
    """It holds text that its source wants withheld."""


def assemble(config: Config, inputs: Inputs, out: Output, context: Context) -> Assembled:
    """Make and check `dataset/`, or take the one that an interrupted attempt finished.

    Raises:
        ConfigError: options contradict each other.
        InputError: a folder is not as its stage left it.
        PublishError: a check speaks against publishing.
    """
    configs = read_configs([one.path for one in inputs.many("datasets")])
    releases = config.text_release and any(must_withhold(one.manifest.origins) for one in configs)
    check_visibility(config, releases)
    cleared = check_license(config, origins_of(configs))
    check_withholding(configs, text_release=config.text_release)
    if not out.has(DATASET):
        plan = Plan(config.shard_mib << 20, config.text_release, _tombstones(inputs))
        with context.progress("staging", None, "files"), out.folder(DATASET) as folder:
            staged = stage_tables(configs, folder, plan)
            options = _card_options(config, cleared, withholds=any(withheld(one, plan) for one in configs))
            _finish(config, out, folder, staged, options, releases=releases)
    out.has_shard(FILES, 0)
    files = read_files(read_table(out.path, FILES))
    check_staged(out.path / DATASET, files)
    return Assembled(files, releases)


class Terms(Protocol):
    """Under which terms something is published: the options that its checks go by."""

    @property
    def license(self) -> str | None:
        """Licence id, where one is given."""
        ...

    @property
    def license_name(self) -> str | None:
        """Name of a licence that has no id."""
        ...

    @property
    def license_link(self) -> str | None:
        """Link to it."""
        ...

    @property
    def cleared(self) -> tuple[str, ...]:
        """Sources that are vouched for."""
        ...

    @property
    def allow(self) -> tuple[Override, ...]:
        """Checks whose findings do not block."""
        ...

    @property
    def private(self) -> bool:
        """Whether the repository is."""
        ...


def check_visibility(config: Terms, releases: bool) -> None:
    """Refuse text that should be withheld in a public repository.

    Raises:
        ConfigError: that is asked for, without naming the override.
    """
    if releases and not config.private and "public-text" not in config.allow:
        raise ConfigError(
            "expected a private repository for text that its source wants withheld; found --no-private",
            next_step="leave --no-private or --text-release out, or name it: --allow public-text",
        )


def check_license(config: Terms, origins: Sequence[Origin]) -> tuple[str, ...]:
    """Names of the sources that are vouched for, once the licence is found to hold.

    Raises:
        ConfigError: a name to clear is no source's.
        PublishError: the sources do not allow it; every reason is named.
    """
    cleared = cleared_sources(config.cleared, origins)
    if "unknown-license" in config.allow:
        cleared = (*cleared, *(one.name for one in origins if _unknown(one)))
    claim = Claim(config.license or "", config.license_name, config.license_link)
    if config.license is None:
        claim = stated_claim(None, config.license_name, config.license_link, origins, cleared)
    if problems := check_claim(claim.id, origins, cleared=cleared, name=claim.name, link=claim.link):
        raise PublishError(
            _refused(config, claim, problems),
            next_step=_license_advice(claim.id, [one for one in origins if _unknown(one) and one.name not in cleared]),
        )
    return tuple(dict.fromkeys(cleared))


def _refused(config: Terms, claim: Claim, problems: Sequence[Problem]) -> str:
    """What speaks against the licence; where none was given, nobody is told that `unknown` may not be claimed."""
    if config.license is not None or claim.id != UNKNOWN:
        return f"the licence {claim.id!r} may not be claimed:\n{in_words(problems)}"
    named = [one for one in problems if one.origins]
    said = "expected a licence to publish under; found none: --license is not given, and the sources do not tell"
    return f"{said}:\n{in_words(named)}" if named else said


def _license_advice(claimed: str, unknown: Sequence[Origin]) -> str:
    """What to do next, without what was done already."""
    steps = []
    if unknown:
        names = " ".join(f"--cleared {shlex.quote(one.name)}" for one in unknown)
        steps.append(f"find the licence out, or vouch for the source: {names} (for all: --allow unknown-license)")
    if claimed == UNKNOWN:
        steps.append("say under which licence you publish, such as --license cc-by-4.0")
    return "; ".join(steps) or "name a licence that keeps these terms (--license), or leave a source out"


def check_withholding(configs: Sequence[DatasetConfig], *, text_release: bool) -> None:
    """Refuse tables that consist of text which a source wants withheld, before anything is written.

    Raises:
        PublishError: there are some; what to publish instead is named.
    """
    if text_release:
        return
    closed = [one for one in configs if must_withhold(one.manifest.origins)]
    spelt = [one for one in closed if one.table != "dialogues"]
    if spelt:
        raise PublishError(
            f"expected dialogues, whose words can be left out as their source asks; found tables that consist of "
            f"text: {', '.join(f'{one.name} ({one.table})' for one in spelt)}",
            next_step=_instead(configs, spelt),
        )
    for one in closed:
        withhold(one.schema.empty_table())


def _instead(configs: Sequence[DatasetConfig], refused: Sequence[DatasetConfig]) -> str:
    """What to publish instead of folders that hold a refused table."""
    out = {one.folder for one in refused}
    rest = list(dict.fromkeys(one.manifest.stage for one in configs if one.folder not in out))
    release = "or ask for the text with --text-release (`text_release: true`)"
    if not rest:
        return f"publish the folder of annotated dialogues that they were made from, {release}"
    return (
        f"publish the others alone, in a recipe `datasets: [{', '.join(rest)}]`; whoever rebuilds the text makes these "
        f"tables from it again; {release}"
    )


def _unknown(origin: Origin) -> bool:
    return LICENSES.get(origin.license, LICENSES[UNKNOWN]).unclear


def _tombstones(inputs: Inputs) -> frozenset[str]:
    given = inputs.optional("tombstones")
    return frozenset() if given is None else read_tombstones(given.path)


def _card_options(config: Config, cleared: tuple[str, ...], *, withholds: bool) -> CardOptions:
    said = {name: getattr(config, name) for name in CardOptions.model_fields if hasattr(config, name)}
    return CardOptions(**{**said, "cleared": cleared, "text_withheld": withholds})


def overrides_in_words(config: Config, findings: Findings, *, releases: bool) -> tuple[str, ...]:
    """What is published although a check speaks against it; sources that are vouched for stand with the licence."""
    found = [
        f"{count:,} findings of the scan for {kind.value} were allowed: {SCANS[kind].about}"
        for kind, count in findings.counts.items()
        if count and kind.value in config.allow
    ]
    if releases:
        found.append(f"text is published that its source wants withheld ({'private' if config.private else 'public'})")
    return tuple(found)


def _finish(config: Config, out: Output, folder: Path, staged: Staged, options: CardOptions, *, releases: bool) -> None:
    """Scan the tables, write the card and scan it too, and list what there is."""
    findings = scan_files(check_staged(folder, staged.files))
    counts = tuple((kind.value, count) for kind, count in findings.counts.items())
    said = overrides_in_words(config, findings, releases=releases)
    known = {"scans": counts, "overrides": said, "counts": staged.counts}
    write_card(staged.configs, folder, options.model_copy(update=known))
    own = (config.contact, config.citation, *config.authors)
    card = Findings()
    # On the card they are escaped, wrapped and cut; what was meant is in the options.
    scan_said(config.said(), card, own)
    scan_files({name: folder / name for name in CARD_FILES}, own, card)
    refuse_findings(config.allow, findings, card)
    files = [*staged.files, *(StagedFile(name, None, None, None, *measure(folder / name)) for name in CARD_FILES)]
    out.write_shard(FILES, 0, files_table(files), counts=staged.counts)
    out.write_json(FOUND, {"data": findings_as_json(findings), "card": findings_as_json(card)})


def refuse_findings(allow: Collection[str], data: Findings, card: Findings) -> None:
    """Stop when something was found that is not allowed by name.

    Raises:
        PublishError: it was; kinds, counts and redacted examples are named.
    """
    said = [
        f"in the {where}:\n{found.in_words(kinds)}"
        for where, found in (("data", data), ("card", card))
        if (kinds := found.blocking(allow))
    ]
    if said:
        raise PublishError(
            "expected nothing that identifies people or opens accounts; found\n" + "\n".join(said),
            next_step=_scan_advice({*data.blocking(allow), *card.blocking(allow)}),
        )


def _scan_advice(found: Collection[Kind]) -> str:
    """What to do next; nobody is advised to publish a key."""
    names = " ".join(f"--allow {kind}" for kind in Kind if kind in found and kind not in SECRETS)
    return f"take it out, or, where it may be published, allow its kind: {names}" if names else "take the key out"


def findings_as_json(findings: Findings) -> dict[str, object]:
    """Counts by kind with redacted examples."""
    return {
        kind.value: {
            "found": count,
            "examples": [{"file": one.file, "place": one.place, "shown": one.shown} for one in findings.examples[kind]],
        }
        for kind, count in findings.counts.items()
    }
