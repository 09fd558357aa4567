"""Stage: publish finished folders as one dataset on the Hugging Face Hub, by one pull request.

    sage data publish annotated/ chains/ --repo me/small-talk --out published/ --dry-run

In order, each only when all before it went well:

1. the licence is checked against every source (`sage_data.publishing.licenses`);
2. the folder `dataset/` is made from scratch: Parquet in the Hub's layout (`staging`), text withheld where its source
   asks for that (`withholding`), tombstoned dialogues left out, card and funnel (`card`);
3. every text and the card are scanned for names, addresses and keys (`scans`); a finding blocks unless its kind is
   allowed by name;
4. one pull request is made (`hub`), downloaded again and compared, and loaded with `datasets` (`verify`);
5. with `--merge` it is merged, and `main` compared. `main` never shows a part.

Run again after an interruption, it goes on; run again with the same content, it changes nothing. Repositories are made
private; `--no-private` makes or expects a public one. `--dry-run` stops before the Hub is asked anything.
"""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from sage_data.publishing.card import RESOURCES
from sage_data.publishing.card.options import CardFields
from sage_data.stage import Context, Inputs, Need, Output, StageConfig

__all__ = ["INPUTS", "RESOURCES", "VERSION", "Config", "Override", "run"]

VERSION = 3
INPUTS = (
    Need("datasets", "finished folders; each becomes a config of the dataset", many=True, manifest=True),
    Need("tombstones", "text file of comment ids to leave out, one a line", optional=True),
)


class Override(StrEnum):
    """What may be published although a check speaks against it. Each is stated on the card."""

    USERNAME = "username"
    EMAIL = "email"
    PHONE = "phone"
    URL_ID = "url-id"
    KEY = "key"
    PRIVATE_KEY = "private-key"
    UNKNOWN_LICENSE = "unknown-license"
    """Sources whose licence nobody knows; you vouch for their use."""
    PUBLIC_TEXT = "public-text"
    """Text that its source wants withheld, in a public repository."""


class Config(CardFields, StageConfig):
    """Where and how to publish."""

    volatile: ClassVar[frozenset[str]] = frozenset({"token_env"})

    repo: str = Field(
        description="Where to publish, as OWNER/NAME.",
        pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$",
        max_length=96,
    )
    private: bool = Field(default=True, description="Make or expect a private repository; --no-private: a public one.")
    merge: bool = Field(default=False, description="Merge the pull request once it is verified.")
    dry_run: bool = Field(default=False, description="Write the folder, say what would be done, and ask nothing.")
    text_release: bool = Field(
        default=False, description="Publish text that its source wants withheld, in a private, gated repository."
    )
    allow: tuple[Override, ...] = Field(default=(), description="A check whose findings do not block.")
    token_env: str = Field(default="HF_TOKEN", description="Environment variable that holds the token.")
    shard_mib: int = Field(default=256, ge=1, le=5000, description="MiB of values after which a new file is begun.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Stage, scan, publish, verify and, if asked for, merge.

    Raises:
        ConfigError: there is no token, or the network is forbidden.
        InputError: a folder is not as its stage left it.
        PublishError: a check speaks against publishing, or the Hub does not take it.
    """
    # Late, so that `--help` needs neither Arrow nor the Hub's client.
    from sage_data.publishing.assembling import assemble
    from sage_data.publishing.receipts import Receipt, write_receipt
    from sage_data.publishing.sending import send

    assembled = assemble(config, inputs, out, context)
    if config.dry_run:
        receipt = Receipt.planned(config.repo, config.private, assembled.files)
    else:
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=out.path) as scratch:
            receipt = send(config, assembled, out.path / "dataset", Path(scratch), context)
    write_receipt(out, receipt, assembled)
