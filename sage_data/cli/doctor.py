"""`sage doctor`: what this machine can do, what is missing, and the command that brings it."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, entry_points, metadata, requires, version
from pathlib import Path

import click

from sage_data.chat.uri import EXTRAS

BUNDLES = ("all", "dev")
"""Extras that bring nothing which another one does not, or nothing a user needs."""
ENOUGH_DISK_GB = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    advice: str = ""


@click.command(epilog="\b\nExample:\n  sage doctor --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def doctor(as_json: bool) -> None:
    """Say what is installed, what is missing and how to get it."""
    findings = [*_packages(), _lexicon(), _gpu(), _disk(), _network(), *_backends()]
    if as_json:
        click.echo(json.dumps([asdict(one) for one in findings], indent=2))
        return
    for one in findings:
        click.echo(f"{'ok     ' if one.ok else 'missing'}  {one.what:<22} {one.found}")
        if one.advice:
            click.echo(f"{'':33}{one.advice}")


def _required(extra: str) -> list[str]:
    """Names of the packages that an extra brings, as the installed metadata states them."""
    stated = requires("sage-dialogue") or []
    names = [line.partition(";")[0] for line in stated if re.search(rf"extra == ['\"]{extra}['\"]", line)]
    return sorted({re.split(r"[\s\[<>=!~(]", name.strip())[0] for name in names} - {"sage-dialogue"})


def _split(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """(installed with their versions, not installed)."""
    present, missing = [], []
    for name in names:
        try:
            present.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    return present, missing


def _packages() -> list[Finding]:
    found = []
    stated = metadata("sage-dialogue").get_all("Provides-Extra") or []
    for extra in (name for name in stated if name not in BUNDLES):
        present, missing = _split(_required(extra))
        advice = f"pip install 'sage-dialogue[{extra}]'" if missing else ""
        text = ", ".join(present) + (f" (not installed: {', '.join(missing)})" if missing else "")
        found.append(Finding(f"extra {extra}", not missing, text.strip(), advice))
    return found


def _lexicon() -> Finding:
    from sage_data.errors import SageError
    from sage_data.gates.lexicon import load_lexicon

    try:
        lexicon = load_lexicon()
    except SageError as error:
        return Finding("VADER lexicon", False, error.message, error.next_step or "")
    return Finding("VADER lexicon", True, f"{len(lexicon.valences):,} entries from {lexicon.source}")


def _gpu() -> Finding:
    devices = sorted(path.name for path in Path("/dev").glob("nvidia[0-9]*"))
    if devices:
        return Finding("GPU", True, ", ".join(devices))
    return Finding("GPU", True, f"none; {os.cpu_count()} CPU cores are used")


def _disk() -> Finding:
    free = shutil.disk_usage(Path.cwd()).free / 1e9
    advice = "" if free >= ENOUGH_DISK_GB else f"the quickstart wants {ENOUGH_DISK_GB} GB: free some, or use --run-dir"
    return Finding("disk", free >= ENOUGH_DISK_GB, f"{free:.1f} GB free here", advice)


def _network() -> Finding:
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    return Finding("hub access", True, "switched off (HF_HUB_OFFLINE=1)" if offline else "only when a hub id is given")


def _backends() -> list[Finding]:
    found = []
    for point in sorted(entry_points(group="sage.chat"), key=lambda point: point.name):
        extra = EXTRAS.get(point.name)
        missing = _split(_required(extra))[1] if extra else []
        advice = f"pip install 'sage-dialogue[{extra}]'" if missing else ""
        found.append(Finding(f"backend {point.name}:", not missing, point.value.partition(":")[0], advice))
    return found
