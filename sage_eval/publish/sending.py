"""From checked folders to verified pull requests, one each; the dataset first, as the Space links to it.

receipts = send_all(config, assembled, out, context)
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sage_data.publishing import sending
from sage_data.publishing.hub import Target
from sage_data.publishing.receipts import Receipt
from sage_eval.publish.assembling import FOLDERS

if TYPE_CHECKING:
    from sage_data.stage import Context, Output
    from sage_eval.publish import Config
    from sage_eval.publish.assembling import Assembled


def send_all(config: Config, assembled: Assembled, out: Output, context: Context) -> list[Receipt]:
    """Publish every folder, or say what would be.

    Raises:
        ConfigError: there is no token, or the network is forbidden.
        MissingDependencyError: the Hub's client or `datasets` is not installed.
        PublishError: the Hub does not take one of them; those before it stay, and are found by the next run.
    """
    if config.dry_run:
        return [Receipt.planned(one.repo, config.private, one.files, one.kind) for one in assembled.parcels]
    token = sending.ready(config.token_env)
    receipts = []
    with context.progress("publishing", len(assembled.parcels), "repositories") as bar:
        for one in assembled.parcels:
            target = Target(one.repo, token, config.private, one.gated, one.kind)
            folder = out.path / FOLDERS[one.kind]
            with tempfile.TemporaryDirectory(prefix=".tmp-", dir=out.path) as scratch:
                errand = sending.Errand(target, one.files, folder, config.said(), config.merge)
                receipts.append(sending.deliver(errand, Path(scratch)))
            bar.advance(1)
    return receipts
