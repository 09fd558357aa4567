"""From a checked folder to a verified pull request, and to `main` if asked for.

receipt = send(config, assembled, out.path / "dataset", scratch, context)
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sage_data.errors import ConfigError, MissingDependencyError, PublishError
from sage_data.publishing.hub import ENDPOINT, Proposal, Service, Target, content_mark, read_token
from sage_data.publishing.patience import Patience
from sage_data.publishing.receipts import Receipt
from sage_data.publishing.scans import holds
from sage_data.publishing.verify import check_files, check_loading

if TYPE_CHECKING:
    from sage_data.publishing import Config
    from sage_data.publishing.assembling import Assembled
    from sage_data.stage import Context

OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
"""Each of them keeps the Hub's client off the network."""


def send(config: Config, assembled: Assembled, folder: Path, scratch: Path, context: Context) -> Receipt:
    """Publish the folder, verify it and merge it if asked for.

    Raises:
        ConfigError: there is no token, or the network is forbidden.
        MissingDependencyError: the Hub's client or `datasets` is not installed.
        PublishError: the Hub does not take it, or gives back something else.
    """
    forbidding = [name for name in OFFLINE if os.environ.get(name, "").upper() in ("1", "ON", "YES", "TRUE")]
    if forbidding:
        raise ConfigError(
            f"expected a network to publish over, found {forbidding[0]} set",
            next_step="leave --offline out (in a recipe: --set offline=false), or use --dry-run",
        )
    token = read_token(config.token_env)
    check_packages()
    try:
        return _send(
            config, assembled, folder, scratch, Target(config.repo, token, config.private, assembled.releases_text)
        )
    except PublishError as error:
        raise without_secrets(error, token) from error


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


def _send(config: Config, assembled: Assembled, folder: Path, scratch: Path, target: Target) -> Receipt:
    _check_own_token(config, folder, assembled, target.token)
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    service = Service(target, Patience())
    service.prepare()
    proposal = service.propose(assembled.files, folder)
    verify(service, proposal.revision, assembled, folder, scratch)
    status, revision = _settle(config, service, proposal, assembled, folder)
    hashes = {one.path: one.sha256 for one in assembled.files}
    return Receipt(
        target.repo, target.private, status, content_mark(assembled.files), hashes, proposal.number, revision
    )


def verify(service: Service, revision: str, assembled: Assembled, folder: Path, scratch: Path) -> None:
    """Compare bytes and load what a revision holds.

    Raises:
        PublishError: it is not what was sent.
    """
    check_files(service, revision, assembled.files, scratch / "files")
    check_loading(service.target, revision, assembled.files, folder, scratch / "home")


def _settle(
    config: Config, service: Service, proposal: Proposal, assembled: Assembled, folder: Path
) -> tuple[str, str]:
    """(what came of it, the commit that holds it)."""
    if proposal.number is None:
        return "published before", proposal.revision
    if not config.merge:
        return "proposed before" if proposal.found else "proposed", proposal.revision
    return "merged", service.merge(proposal.number, assembled.files, folder)


def _check_own_token(config: Config, folder: Path, assembled: Assembled, token: str) -> None:
    """Refuse to publish the token that is used to publish.

    Raises:
        PublishError: an option or a file holds it.
    """
    places = [f"option {name}" for name, words in config.said() if token in words]
    places += [one.path for one in assembled.files if holds(folder / one.path, token)]
    if places:
        raise PublishError(
            f"{places[0]}: holds the token itself",
            next_step="take it out of the data or options, and make a new token",
        )
