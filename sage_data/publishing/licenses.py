"""Licences: what a dataset may claim, given what it derives from. A careful rule of thumb; it is not legal advice.

A claim is checked against every source's terms as the licence's own text and Creative Commons' compatibility chart
state them: attribution, non-commercial and share-alike terms are handed on, "no derivatives" forbids what this project
makes, and terms that no rule here knows ("other", model licences) are never exchanged for others. Whether a source
could give its licence, whether an exception of copyright law applies and what other law demands is not looked at.

    problems = check_claim("apache-2.0", manifest.origins)
    least_claim(manifest.origins)                          # "cc-by-nc-4.0"
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sage_data.errors import ConfigError, PublishError
from sage_data.store.manifest import Origin

UNKNOWN, OTHER = "unknown", "other"
UNSTATED = "unstated sources"
"""Name under which a dataset can be cleared whose folders name no source at all."""


def unstated(folder: str) -> Origin:
    """What stands for the sources of a folder that names none; it blocks until it is cleared by its name."""
    return Origin(name=f"{UNSTATED} of {folder}", license=UNKNOWN, note="Nobody named them.")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence asks of whoever publishes something made from what is under it."""

    attribution: bool = False
    """Its authors and licence must be named."""
    non_commercial: bool = False
    """Only non-commercial use is allowed, and only that may be passed on."""
    no_derivatives: bool = False
    """Nothing made from it may be published."""
    keep: frozenset[str] = frozenset()
    """Share-alike: ids of the licences that a derivative may be under; empty when it may be under others too."""
    special: bool = False
    """Conditions of its own, which only the same licence, or `other` with its text, passes on."""
    unclear: bool = False
    """The id does not say which terms hold."""

    @property
    def share_alike(self) -> bool:
        """True when a derivative must be under the same licence, or one declared compatible."""
        return bool(self.keep)


def _shared(*ids: str, non_commercial: bool = False) -> Terms:
    """A share-alike licence whose derivatives may be under one of `ids`."""
    return Terms(attribution=True, non_commercial=non_commercial, keep=frozenset(ids))


_FREE, _NAMED, _SPECIAL = Terms(), Terms(attribution=True), Terms(attribution=True, special=True)
_NC = Terms(attribution=True, non_commercial=True)
_ND = Terms(attribution=True, no_derivatives=True)
_NC_ND = Terms(attribution=True, non_commercial=True, no_derivatives=True)
_UNCLEAR = Terms(unclear=True)

LICENSES: Mapping[str, Terms] = {
    "cc0-1.0": _FREE,
    "pddl": _FREE,
    "unlicense": _FREE,
    "wtfpl": _FREE,
    "cc-by-4.0": _NAMED,
    "cc-by-3.0": _NAMED,
    "cc-by-2.5": _NAMED,
    "cc-by-2.0": _NAMED,
    "odc-by": _NAMED,
    "cdla-permissive-2.0": _NAMED,
    "cdla-permissive-1.0": _NAMED,
    "etalab-2.0": _NAMED,
    "apache-2.0": _NAMED,
    "mit": _NAMED,
    "bsd": _NAMED,
    "bsd-2-clause": _NAMED,
    "bsd-3-clause": _NAMED,
    "bsd-3-clause-clear": _NAMED,
    "isc": _NAMED,
    "afl-3.0": _NAMED,
    "artistic-2.0": _NAMED,
    "bsl-1.0": _NAMED,
    "ecl-2.0": _NAMED,
    "lppl-1.3c": _NAMED,
    "ncsa": _NAMED,
    "postgresql": _NAMED,
    "zlib": _NAMED,
    # A later version of the same Creative Commons licence may be taken, as the earlier ones say themselves, and
    # GPL 3 for CC BY-SA 4.0, as Creative Commons has declared.
    "cc-by-sa-4.0": _shared("cc-by-sa-4.0", "gpl-3.0"),
    "cc-by-sa-3.0": _shared("cc-by-sa-3.0", "cc-by-sa-4.0"),
    "odbl": _shared("odbl"),
    "cdla-sharing-1.0": _shared("cdla-sharing-1.0"),
    "gfdl": _shared("gfdl"),
    # "or later" is a choice of each author, which the id does not tell, so the version stays.
    "gpl": _shared("gpl"),
    "gpl-2.0": _shared("gpl-2.0"),
    "gpl-3.0": _shared("gpl-3.0"),
    "agpl-3.0": _shared("agpl-3.0"),
    "lgpl": _shared("lgpl"),
    "lgpl-2.1": _shared("lgpl-2.1"),
    "lgpl-3.0": _shared("lgpl-3.0", "gpl-3.0"),
    "lgpl-lr": _shared("lgpl-lr"),
    "epl-1.0": _shared("epl-1.0", "epl-2.0"),
    "epl-2.0": _shared("epl-2.0"),
    "eupl-1.1": _shared("eupl-1.1"),
    "mpl-2.0": _shared("mpl-2.0"),
    "ms-pl": _shared("ms-pl"),
    "osl-3.0": _shared("osl-3.0"),
    "ofl-1.1": _shared("ofl-1.1"),
    "cc-by-nc-4.0": _NC,
    "cc-by-nc-3.0": _NC,
    "cc-by-nc-2.0": _NC,
    "cc-by-nc-sa-4.0": _shared("cc-by-nc-sa-4.0", non_commercial=True),
    "cc-by-nc-sa-3.0": _shared("cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", non_commercial=True),
    "cc-by-nc-sa-2.0": _shared("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", non_commercial=True),
    "cc-by-nd-4.0": _ND,
    "cc-by-nc-nd-4.0": _NC_ND,
    "cc-by-nc-nd-3.0": _NC_ND,
    "c-uda": _SPECIAL,
    "openrail": _SPECIAL,
    "openrail++": _SPECIAL,
    "bigscience-openrail-m": _SPECIAL,
    "creativeml-openrail-m": _SPECIAL,
    "bigscience-bloom-rail-1.0": _SPECIAL,
    "bigcode-openrail-m": _SPECIAL,
    "deepfloyd-if-license": _SPECIAL,
    "llama2": _SPECIAL,
    "gemma": _SPECIAL,
    OTHER: _SPECIAL,
    "cc": _UNCLEAR,
    UNKNOWN: _UNCLEAR,
}
"""Licence id of the Hub -> its terms; within each kind, the one to propose first stands first."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a licence may not be claimed."""

    origins: tuple[str, ...]
    """Names of the sources that cause it; empty when the claim itself is wrong."""
    text: str
    """The reason, in words."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The licence that a dataset states."""

    id: str
    name: str | None = None
    link: str | None = None


def check_claim(
    claimed: str,
    origins: Sequence[Origin],
    *,
    cleared: Collection[str] = (),
    name: str | None = None,
    link: str | None = None,
) -> list[Problem]:
    """Everything that speaks against publishing under `claimed` what derives from `origins`; empty: nothing known.

    `cleared` holds names of sources whose licence is unknown and whose use the publisher vouches for; no other term
    can be lifted. `name` and `link` are those of a licence whose id is `other`.
    """
    problems = _claim_alone(claimed, name, link)
    if not origins and UNSTATED not in cleared:
        problems.append(Problem((), f"no folder names a source, so nothing is known of its terms ({UNSTATED})"))
    for origin in origins:
        problems += _against(claimed, origin, cleared)
    return problems + _conflicts(origins)


def least_claim(origins: Sequence[Origin]) -> str:
    """The least demanding licence id that all sources allow; `unknown` where the terms of one are, or none is named.

    Raises:
        PublishError: no licence can be claimed; every reason is named.
    """
    if not origins or any(_unknown(one) for one in origins):
        return UNKNOWN
    allowed = [one for one in LICENSES if not LICENSES[one].unclear and _fits(one, origins)]
    if not allowed:
        raise _refusal("no licence can be claimed", check_claim(OTHER, origins, name="-", link="-"))
    own = {one.license for one in origins}
    return min(allowed, key=lambda one: (_demands(one), one not in own))


def stated_claim(
    license_id: str | None, name: str | None, link: str | None, origins: Sequence[Origin], cleared: Collection[str] = ()
) -> Claim:
    """The licence a dataset states: the one given, once it is checked, else the least that its sources allow.

    Where that is `other` and nothing more is given, name and link are those of the sources that ask for it. `unknown`
    is stated only when no licence is given: a card may say so, although nothing may be published under it.

    Raises:
        PublishError: the sources do not allow it; every reason is named.
    """
    claimed = least_claim(origins) if license_id is None else license_id
    if license_id is None and claimed != OTHER:
        return Claim(claimed)
    if license_id is None and name is None and link is None:
        name, link = _own_terms(origins)
    if problems := check_claim(claimed, origins, cleared=cleared, name=name, link=link):
        raise _refusal(f"the licence {claimed!r} may not be claimed", problems)
    return Claim(claimed, name, link)


def _own_terms(origins: Sequence[Origin]) -> tuple[str, str | None]:
    """Name and address of the terms of those sources that have their own."""
    asking = [one for one in origins if LICENSES[one.license].special]
    names = [re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-") for one in asking]
    return "-and-".join(names), next((one.url for one in asking if one.url), None)


def _refusal(what: str, problems: Sequence[Problem]) -> PublishError:
    return PublishError(
        f"{what}:\n{in_words(problems)}", next_step="choose a licence that keeps these terms, or leave a source out"
    )


def cleared_sources(given: Sequence[str], origins: Sequence[Origin]) -> tuple[str, ...]:
    """Names of the sources of unknown licence that are meant by names given in any case.

    Raises:
        ConfigError: a name is no source's.
    """
    # Where no source is stated at all, that itself can be vouched for.
    stated = origins or (Origin(name=UNSTATED, license=UNKNOWN),)
    known = {one.name.casefold() for one in stated}
    if strange := [name for name in given if name.casefold() not in known]:
        sources = ", ".join(repr(one.name) for one in stated)
        raise ConfigError(
            f"expected names of sources to clear; found {', '.join(map(repr, strange))}; the sources are {sources}",
            next_step="write the name of a source behind --cleared, as it stands in that list",
        )
    meant = {name.casefold() for name in given}
    return tuple(dict.fromkeys(one.name for one in stated if _unknown(one) and one.name.casefold() in meant))


def in_words(problems: Sequence[Problem]) -> str:
    """One line a problem."""
    return "\n".join(f"- {one.text}" for one in problems)


def _claim_alone(claimed: str, name: str | None, link: str | None) -> list[Problem]:
    if claimed not in LICENSES:
        return [
            Problem((), f"{claimed!r} is not a licence id of the Hub; another licence is `other` with name and link")
        ]
    if LICENSES[claimed].unclear:
        return [Problem((), f"{claimed!r} does not tell users what they may do")]
    if claimed == OTHER and not (name and link):
        return [Problem((), "`other` needs a licence name and a link to its text (license_name, license_link)")]
    return []


def _against(claimed: str, origin: Origin, cleared: Collection[str]) -> list[Problem]:
    """What one source has against a claim."""
    said = f"{origin.name} ({origin.license})"
    if _unknown(origin):
        text = f"{said}: its licence is not known; find it out, or vouch for it: --cleared {shlex.quote(origin.name)}"
        return [] if origin.name in cleared else [Problem((origin.name,), text)]
    terms, claim = LICENSES[origin.license], LICENSES.get(claimed, Terms())
    return [
        Problem((origin.name,), f"{said} {why}")
        for broken, why in _RULES
        if broken(origin.license, terms, claimed, claim)
    ]


Broken = Callable[[str, Terms, str, Terms], bool]
"""(source's id, its terms, claimed id, the claim's terms) -> True when the claim breaks a term."""


def _gives_up_attribution(source: str, terms: Terms, claimed: str, claim: Terms) -> bool:
    return terms.attribution and not claim.attribution


def _gives_up_non_commercial(source: str, terms: Terms, claimed: str, claim: Terms) -> bool:
    return terms.non_commercial and not claim.non_commercial and claimed != OTHER


def _gives_up_share_alike(source: str, terms: Terms, claimed: str, claim: Terms) -> bool:
    return terms.share_alike and claimed not in terms.keep


def _gives_up_special(source: str, terms: Terms, claimed: str, claim: Terms) -> bool:
    return terms.special and claimed not in (source, OTHER)


def _is_a_derivative(source: str, terms: Terms, claimed: str, claim: Terms) -> bool:
    return terms.no_derivatives


_RULES: tuple[tuple[Broken, str], ...] = (
    (_is_a_derivative, "allows no derivatives, and a dataset made from it is one"),
    (_gives_up_non_commercial, "allows non-commercial use only, and the claim does not keep that"),
    (_gives_up_share_alike, "must be shared alike: under the same licence or one it names as compatible"),
    (_gives_up_special, "has conditions of its own: keep its licence, or claim `other` with a name and a link"),
    (_gives_up_attribution, "asks that its authors be named, and the claim does not pass that on"),
)


def _conflicts(origins: Sequence[Origin]) -> list[Problem]:
    """Pairs of sources that can be used one by one but whose terms no single licence keeps."""
    usable = [one for one in origins if not _unknown(one) and _any_fits([one])]
    return [
        Problem(
            (one.name, two.name),
            f"{one.name} ({one.license}) and {two.name} ({two.license}) cannot be combined: "
            "no licence keeps the terms of both",
        )
        for one, two in combinations(usable, 2)
        if not _any_fits([one, two])
    ]


def _any_fits(origins: Sequence[Origin]) -> bool:
    return any(_fits(one, origins) for one in LICENSES)


def _fits(claimed: str, origins: Sequence[Origin]) -> bool:
    return not any(_against(claimed, origin, ()) for origin in origins)


def _unknown(origin: Origin) -> bool:
    return origin.license not in LICENSES or LICENSES[origin.license].unclear


def _demands(license_id: str) -> tuple[bool, ...]:
    """Sorts licences by what they ask: those that ask for little first."""
    terms = LICENSES[license_id]
    return (
        license_id == OTHER,
        terms.special,
        terms.no_derivatives,
        terms.non_commercial,
        terms.share_alike,
        terms.attribution,
    )
