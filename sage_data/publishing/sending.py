"""From a checked folder to a verified pull request, and to `main` if asked for.

receipt = send(config, assembled, out.path / "dataset", scratch, context)
receipt = deliver(Errand(Target("me/pages", ready("HF_TOKEN"), kind=SPACE), files, folder), scratch)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sage_data.errors import ConfigError, MissingDependencyError, PublishError
from sage_data.publishing.hub import ENDPOINT, SPACE, Proposal, Service, Target, content_mark, read_token
from sage_data.publishing.patience import Patience
from sage_data.publishing.receipts import Receipt
from sage_data.publishing.scans import holds
from sage_data.publishing.staging import StagedFile
from sage_data.publishing.verify import check_files, check_loading

if TYPE_CHECKING:
    from sage_data.publishing import Config
    from sage_data.publishing.assembling import Assembled
    from sage_data.stage import Context

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Each of them keeps the Hub's client off the network."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One folder that is to become one repository."""

    target: Target
    files: tuple[StagedFile, ...]
    folder: Path
    """Where the files lie."""
    said: tuple[tuple[str, str], ...] = ()
    """(option, words) of everything that a person said in words."""
    merge: bool = False
    """Merge the pull request once it is verified."""


def send(config: Config, assembled: Assembled, folder: Path, scratch: Path, context: Context) -> Receipt:
    """Publish a dataset's folder, verify it and merge it if asked for.

    Raises:
        ConfigError: there is no token, or the network is forbidden.
        MissingDependencyError: the Hub's client or `datasets` is not installed.
        PublishError: the Hub does not take it, or gives back something else.
    """
    target = Target(config.repo, ready(config.token_env), config.private, assembled.releases_text)
    return deliver(Errand(target, assembled.files, folder, tuple(config.said()), config.merge), scratch)


def ready(token_env: str) -> str:
    """The token, once nothing on this machine stands in the way of publishing.

    Raises:
        ConfigError: there is no token, or the network is forbidden.
        MissingDependencyError: the Hub's client or `datasets` is not installed.
    """
    forbidding = [name for name in OFFLINE if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")]
    if forbidding:
        raise ConfigError(
            f"expected a network to publish over, found {forbidding[0]} set",
            next_step="leave --offline out (in a recipe: --set offline=false), or use --dry-run",
        )
    token = read_token(token_env)
    check_packages()
    return token


def deliver(errand: Errand, scratch: Path) -> Receipt:
    """Publish one folder as one pull request, verify it and merge it if asked for.

    Raises:
        PublishError: the Hub does not take it, or gives back something else.
    """
    try:
        return _deliver(errand, scratch)
    except PublishError as error:
        raise without_secrets(error, errand.target.token) from error


def check_packages() -> None:
    """Say that a package is missing before anything is sent, not once the result is to be loaded.

    Raises:
        MissingDependencyError: one is.
    """
    for name in ("huggingface_hub", "datasets"):
        if find_spec(name) is None:
            raise MissingDependencyError(
                f"publishing needs the package {name!r}, which is not installed",
                next_step="pip install 'sage-dialogue[hub]'",
            )


def without_secrets(error: PublishError, token: str) -> PublishError:
    """The same error without the token, which a server may repeat, and without a login in the Hub's address."""
    message = error.message.replace(token, "***")
    login = urlsplit(os.environ.get(ENDPOINT, "")).netloc.rpartition("@")[0]
    return PublishError(message.replace(login, "***") if login else message, next_step=error.next_step)


def _deliver(errand: Errand, scratch: Path) -> Receipt:
    _check_own_token(errand)
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    target = errand.target
    service = Service(target, Patience())
    service.prepare()
    proposal = service.propose(errand.files, errand.folder)
    verify(service, proposal.revision, errand, scratch)
    status, revision = _settle(service, proposal, errand)
    hashes = {one.path: one.sha256 for one in errand.files}
    mark, number = content_mark(errand.files), proposal.number
    return Receipt(target.repo, target.private, status, mark, hashes, number, revision, target.kind)


def verify(service: Service, revision: str, errand: Errand, scratch: Path) -> None:
    """Compare bytes and load what a revision holds; pages are compared alone.

    Raises:
        PublishError: it is not what was sent.
    """
    check_files(service, revision, errand.files, scratch / "files")
    if service.kind != SPACE:
        check_loading(service.target, revision, errand.files, errand.folder, scratch / "home")


def _settle(service: Service, proposal: Proposal, errand: Errand) -> tuple[str, str]:
    """(what came of it, the commit that holds it)."""
    if proposal.number is None:
        return "published before", proposal.revision
    if not errand.merge:
        return "proposed before" if proposal.found else "proposed", proposal.revision
    return "merged", service.merge(proposal.number, errand.files, errand.folder)


def _check_own_token(errand: Errand) -> None:
    """Refuse to publish the token that is used to publish.

    Raises:
        PublishError: an option or a file holds it.
    """
    token = errand.target.token
    places = [f"option {name}" for name, words in errand.said if token in words]
    places += [one.path for one in errand.files if holds(errand.folder / one.path, token)]
    if places:
        raise PublishError(
            f"{places[0]}: holds the token itself",
            next_step="take it out of the data or options, and make a new token",
        )
