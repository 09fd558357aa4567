"""Stage: publish an evaluation on the Hugging Face Hub: its pages, its tables, and its scores for the models' pages.

    sage eval publish --report report/ --warehouse warehouse/ --space me/board --dataset me/rows --out published/

It is a dry run unless `--no-dry-run` is given: what would be sent lies in the output folder, byte for byte, and nobody
is asked anything. Then each of the two becomes one pull request, in a private repository, that is downloaded again and
compared; `--merge` merges it. Words of people, models and judges stay here unless `--text-release` is given, and then
the licence is checked against every source that they derive from. `models/` holds, for each benchmarked model, files
to push along with it; they are never sent from here.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from sage_data.publishing import Override
from sage_data.publishing.card.templates import RESULTS, SPACE, cards_folder
from sage_data.stage import Context, Inputs, Need, Output, StageConfig

__all__ = ["INPUTS", "RESOURCES", "VERSION", "Config", "run"]

VERSION = 1
INPUTS = (
    Need("report", "the pages, as `sage eval report` wrote them; needed for --space", optional=True, manifest=True),
    Need("warehouse", "the tables", manifest=True),
    Need(
        "model_index", "folder of a benchmarked model whose card gets a copy with its scores", many=True, optional=True
    ),
    Need("benchmarks", "TOML file of further tasks and the data sets of the Hub that they are", optional=True),
)
_HERE = Path(__file__).parent
RESOURCES = (
    cards_folder() / RESULTS,
    cards_folder() / SPACE,
    _HERE / "benchmarks.toml",
    _HERE / "withheld.html",
)
_REPO = r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$"


class Config(StageConfig):
    """Where and how to publish."""

    volatile: ClassVar[frozenset[str]] = frozenset({"token_env"})

    space: str | None = Field(
        default=None, description="Space to show the pages in, as OWNER/NAME.", pattern=_REPO, max_length=96
    )
    dataset: str | None = Field(
        default=None, description="Dataset to hold the tables, as OWNER/NAME.", pattern=_REPO, max_length=96
    )
    title: str = Field(default="", description="Title of both; the repository's name if empty.")
    summary: str = Field(default="", description="One paragraph on what was evaluated.")
    contact: str = Field(default="", description="Whom to ask; stands on the cards.")
    tables: tuple[str, ...] = Field(
        default=(), description="A table to publish; all tables of results if none is named."
    )
    text_release: bool = Field(
        default=False, description="Publish what people, models and judges said too, in pages and tables."
    )
    license: str | None = Field(
        default=None, description="Licence id of the Hub; the least that the sources allow if not given."
    )
    license_name: str | None = Field(default=None, description="Name of the licence when its id is `other`.")
    license_link: str | None = Field(default=None, description="Link to the licence when its id is `other`.")
    cleared: tuple[str, ...] = Field(
        default=(), description="Name of a source whose licence is unknown and whose use you have cleared."
    )
    allow: tuple[Override, ...] = Field(default=(), description="A check whose findings do not block.")
    private: bool = Field(default=True, description="Make or expect private repositories; --no-private: public ones.")
    merge: bool = Field(default=False, description="Merge each pull request once it is verified.")
    dry_run: bool = Field(
        default=True, description="Write the folders, say what would be done, and ask nothing; --no-dry-run sends them."
    )
    token_env: str = Field(default="HF_TOKEN", description="Environment variable that holds the token.")
    shard_mib: int = Field(default=256, ge=1, le=5000, description="MiB of values after which a new file is begun.")

    @model_validator(mode="after")
    def _somewhere(self) -> Config:
        if not self.dry_run and self.space is None and self.dataset is None:
            raise ValueError("nowhere to publish: name --space, --dataset or both")
        return self

    def said(self) -> tuple[tuple[str, str], ...]:
        """(option, words) of everything that is given in words."""
        named = ("title", "summary", "contact", "license_name", "license_link")
        words = [(name, getattr(self, name)) for name in named]
        return tuple((name, value) for name, value in [*words, *(("cleared", one) for one in self.cleared)] if value)


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Stage, scan and write the files of the models; publish, verify and merge if asked for.

    Raises:
        ConfigError: options contradict each other, there is no token, or the network is forbidden.
        InputError: a folder is not as its stage left it.
        PublishError: a check speaks against publishing, or the Hub does not take it.
    """
    # Late, so that `--help` needs neither Arrow nor the Hub's client.
    from sage_eval.publish.assembling import assemble
    from sage_eval.publish.receipts import conclude
    from sage_eval.publish.sending import send_all

    assembled = assemble(config, inputs, out, context)
    receipts = send_all(config, assembled, out, context)
    conclude(out, assembled, receipts)
