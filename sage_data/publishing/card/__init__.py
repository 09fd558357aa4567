"""Stage: the dataset card. What is in a dataset, what was thrown away and why, and under which licence it may be used.

    sage data card annotated/ chains/ --out card/ --title "Small talk"

Written are `README.md`, whose front matter the Hub reads, and `funnel.svg`. Every figure on the card is read from the
folders: their manifests, their lineage and their tables. The words come from the template in `cards/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import Field

from sage_data.errors import InputError, PublishError
from sage_data.publishing.card.options import CardFields, CardOptions
from sage_data.publishing.card.templates import DATASET, cards_folder
from sage_data.publishing.layout import DatasetConfig, origins_of, read_configs
from sage_data.publishing.licenses import cleared_sources
from sage_data.stage import Context, Inputs, Need, Output, StageConfig

__all__ = ["INPUTS", "RESOURCES", "VERSION", "CardFields", "CardOptions", "Config", "run", "write_card"]

VERSION = 2
INPUTS = (
    Need("datasets", "finished folders; each becomes a config of the dataset", many=True, manifest=True),
    Need("personal_data", "text file to add to the personal-data statement", optional=True),
    Need("biases", "text file to add to biases and limits", optional=True),
)

RESOURCES = (cards_folder() / DATASET,)


class Config(CardFields, StageConfig):
    """What a person says about the dataset."""

    text_withheld: bool | None = Field(
        default=None,
        description="The dataset is published without its words; as its sources ask for, if not given.",
    )


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the card of the given folders.

    Raises:
        ConfigError: two folders have the same name, or a name to clear is no source's.
        InputError: a folder holds no table that can be published, or a text file is not UTF-8.
        PublishError: the licence may not be claimed, the text cannot be withheld, or the Hub would not take the card.
    """
    read = read_configs([one.path for one in inputs.many("datasets")])
    configs = [_published(one, config) for one in read]
    options = CardOptions(
        **config.model_dump(exclude={"text_withheld", "cleared"}),
        cleared=cleared_sources(config.cleared, origins_of(read)),
        text_withheld=any(withheld for _, withheld in configs),
        personal_data=_text(inputs, "personal_data"),
        biases=_text(inputs, "biases"),
    )
    write_card([one for one, _ in configs], out.path, options)


def write_card(configs: Sequence[DatasetConfig], destination: Path, options: CardOptions) -> None:
    """Write `README.md` and `funnel.svg` into the folder `destination`; equal arguments give equal bytes.

    A config's `schema` and `splits` describe what is published; `folder` and `manifest` are those of the stage that it
    is made from, and tell where it comes from. Rows are counted, and the example is taken, from the files in
    `destination/<config>/` where they are staged already, else from the shards in `folder`.

    Raises:
        ConfigError: there is no config.
        InputError: a folder holds no table that can be published.
        PublishError: the licence may not be claimed, or the Hub would not take the front matter.
    """
    # jinja2 and huggingface_hub are only needed here.
    from sage_data.publishing.card.writing import write

    write(configs, destination, options)


def _text(inputs: Inputs, name: str) -> str:
    given = inputs.optional(name)
    if given is None:
        return ""
    try:
        return given.path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{given.path}: expected a UTF-8 text file: {error}", next_step=f"check --{name}") from error


def _published(config: DatasetConfig, settings: Config) -> tuple[DatasetConfig, bool]:
    """A config as it will be published, and whether that is without its words."""
    from sage_data.publishing.withholding import WITHHELD_SCHEMA, must_withhold

    asked = must_withhold(config.manifest.origins) if settings.text_withheld is None else settings.text_withheld
    if not asked:
        return config, False
    if config.table != "dialogues":
        raise PublishError(
            f"{config.name}: its table {config.table} cannot be published without its words, and a source of it asks "
            "that they stay out",
            next_step="give the folder of dialogues it was made from, or --no-text-withheld",
        )
    return replace(config, schema=WITHHELD_SCHEMA), True
