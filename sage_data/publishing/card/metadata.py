"""The front matter of a card: what the Hub's search, its viewer and `load_dataset` read.

metadata(configs, options, claim, origins, stages)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from sage_data.publishing.card.escaping import plain
from sage_data.publishing.card.features import yaml_features
from sage_data.publishing.card.hub_rules import check_metadata, size_category
from sage_data.publishing.card.options import CardOptions
from sage_data.publishing.layout import DatasetConfig
from sage_data.publishing.licenses import Claim
from sage_data.store.manifest import Ancestor, Counts, Origin

TAGS = ("dialogue", "conversational", "emotion")
CHAIN_TAG = "state-action-chain"
NOBODY = "no-annotation"
ANNOTATION, ROLLOUTS = "sage_data.annotation", ("sage_data.rollout", "sage_models.search", "sage_eval.rollout")
STATES = "states"
"""Unit of an annotation's counts: utterances, of which it kept those that it gave a state."""
NEVER_WRAPPED = 1 << 30
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.+/|<-]*(?: [A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)
_NO_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"])
_HUB_DATASET = re.compile(r"https://huggingface\.co/datasets/([\w.-]+/[\w.-]+)/?")


def metadata(
    configs: Sequence[DatasetConfig],
    options: CardOptions,
    claim: Claim,
    origins: Sequence[Origin],
    stages: Sequence[Ancestor],
    *,
    states: bool,
) -> dict[str, Any]:
    """The front matter as plain data, checked; `states` says whether rows carry any.

    `num_bytes` of a split is the size of its Parquet files; the Hub counts the decoded size itself.

    Raises:
        PublishError: the Hub would not take it, or a column has a type it does not know.
    """
    rows = sum(split.rows for config in configs for split in config.splits)
    found = {
        "pretty_name": title(configs, options),
        "language": list(options.language),
        "license": claim.id,
        "license_name": claim.name,
        "license_link": claim.link,
        "annotations_creators": _annotators(stages) if states else [NOBODY],
        "language_creators": _writers(origins, stages),
        "size_categories": [size_category(rows)],
        "source_datasets": _sources(origins),
        "task_categories": ["text-generation", *(["text-classification"] if states else [])],
        "tags": _tags(options, states),
        "configs": [data_files(config) for config in configs],
        "dataset_info": [dataset_info(config) for config in configs],
    }
    stated = {key: value for key, value in found.items() if value is not None}
    check_metadata(stated)
    return stated


def title(configs: Sequence[DatasetConfig], options: CardOptions) -> str:
    """The dataset's name for people: as given, else the repository's, else its first config's."""
    return plain(options.title) or options.repo.rpartition("/")[2] or configs[0].name


def front_matter(found: Mapping[str, Any]) -> str:
    """The front matter as YAML that reads the same in versions 1.1 and 1.2, without the lines of dashes around it."""
    written = StringIO()
    writer = YAML()
    writer.width = NEVER_WRAPPED
    writer.dump(_quoted(dict(found)), written)
    return written.getvalue().strip()


def _quoted(value: Any) -> Any:
    """Texts in quotes, unless they are words that no version of YAML takes for anything else."""
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) and value.lower() not in _NO_WORDS else DoubleQuotedScalarString(value)
    if isinstance(value, dict):
        return {key: _quoted(one) for key, one in value.items()}
    return [_quoted(one) for one in value] if isinstance(value, list) else value


def data_files(config: DatasetConfig) -> dict[str, Any]:
    """Which files a config's splits are, for a card's `configs`."""
    paths = [{"split": one.name, "path": f"{config.name}/{one.name}-*.parquet"} for one in config.splits]
    return {"config_name": config.name, "data_files": paths, **({"default": True} if config.default else {})}


def dataset_info(config: DatasetConfig) -> dict[str, Any]:
    """A config's columns and sizes, for a card's `dataset_info`."""
    size = sum(split.bytes for split in config.splits)
    splits = [{"name": one.name, "num_bytes": one.bytes, "num_examples": one.rows} for one in config.splits]
    return {
        "config_name": config.name,
        "features": yaml_features(config.schema),
        "splits": splits,
        "download_size": size,
        "dataset_size": size,
    }


def states_of(stage: Ancestor) -> Counts | None:
    """How many states an annotation gave, of the utterances it annotated; None where all of them are its own.

    A stage counts them in those shards alone in which an utterance had a state before.
    """
    counted = {one.unit: one for one in stage.counts}
    if STATES not in counted:
        return None
    partly = counted[STATES]
    had = partly.came_in - partly.kept
    whole = max(partly.came_in, counted["utterances"].kept if "utterances" in counted else 0)
    return partly.model_copy(update={"came_in": whole, "kept": whole - had})


def _annotators(stages: Sequence[Ancestor]) -> list[str]:
    """Who gave the states: a stage here, the source they came with, or both."""
    if any(stage.uses in ROLLOUTS for stage in stages):
        return ["machine-generated"]
    counted = [states_of(one) for one in stages if one.uses == ANNOTATION]
    told = [one for one in counted if one is not None]
    made = len(told) < len(counted) or any(one.kept for one in told)
    found = not made or any(one.came_in > one.kept for one in told)
    return ["machine-generated"] * made + ["found"] * found


def _writers(origins: Sequence[Origin], stages: Sequence[Ancestor]) -> list[str]:
    """Who wrote the text: people, unless a source says that a program made it."""
    found = any(not one.synthetic for one in origins) or not origins
    made = any(one.synthetic for one in origins) or any(_writes(stage) for stage in stages)
    return [*(["found"] if found else []), *(["machine-generated"] if made else [])]


def _writes(stage: Ancestor) -> bool:
    """True for stages in which a model writes text: self-play, and annotation that makes texts more readable."""
    rewriting = stage.uses == ANNOTATION and stage.config.get("annotator", "lexicon") != "lexicon"
    return stage.uses in ROLLOUTS or (rewriting and not stage.config.get("keep_text", False))


def _sources(origins: Sequence[Origin]) -> list[str]:
    return list(dict.fromkeys(_source(one) for one in origins)) or ["original"]


def _source(origin: Origin) -> str:
    if origin.synthetic:
        return "original"
    on_the_hub = _HUB_DATASET.fullmatch(origin.url or "")
    return on_the_hub[1] if on_the_hub else "extended|other-" + re.sub(r"\W+", "-", origin.name.lower()).strip("-")


def stage_has_states(config: DatasetConfig) -> bool:
    """True when a config's rows may carry states: its folder, or one above it, was annotated or self-played."""
    above = {one.uses for one in config.manifest.lineage} | {config.manifest.uses}
    return ANNOTATION in above or bool(above & set(ROLLOUTS))


def _tags(options: CardOptions, states: bool) -> list[str]:
    own = [*TAGS, *([CHAIN_TAG] if states else []), "sage-dialogue"]
    return list(dict.fromkeys([*own, *(tag for one in options.tags if (tag := plain(one)))]))
