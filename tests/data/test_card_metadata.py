"""Front matter: what the Hub takes, what `datasets` reads back, and data that cannot change its structure."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_folders import MADE, REDDIT, TWO, made_config, made_stage
from ruamel.yaml import YAML

from sage_data.chains import SCHEMAS
from sage_data.errors import PublishError
from sage_data.mixing.laying import mixed_schema
from sage_data.publishing.card.escaping import plain
from sage_data.publishing.card.features import described, leaves, yaml_features
from sage_data.publishing.card.hub_rules import CREATORS, LARGEST, SIZES, check_metadata, size_category
from sage_data.publishing.card.meanings import ANYWHERE, IN_TABLE, UNDESCRIBED
from sage_data.publishing.card.metadata import front_matter, metadata
from sage_data.publishing.card.options import CardOptions
from sage_data.publishing.card.writing import write
from sage_data.publishing.layout import TABLES
from sage_data.publishing.licenses import Claim
from sage_data.publishing.withholding import WITHHELD_SCHEMA
from sage_data.store.dialogues import DIALOGUE_SCHEMA, SCENARIO_SCHEMA, to_table
from sage_data.store.manifest import Origin

datasets = pytest.importorskip("datasets")
hub = pytest.importorskip("huggingface_hub")

PUBLISHED: dict[str, list[pa.Schema]] = {
    "dialogues": [DIALOGUE_SCHEMA, WITHHELD_SCHEMA],
    "scenarios": [SCENARIO_SCHEMA],
    **{export.value: [schema] for export, schema in SCHEMAS.items()},
}
for mixed in ("dialogues", "messages", "conversations"):
    PUBLISHED[mixed].append(mixed_schema(mixed))
DEEP = pa.schema(
    [
        ("numbers", pa.list_(pa.list_(pa.struct([("x", pa.float64()), ("yes", pa.bool_())])))),
        ("large", pa.large_list(pa.large_string())),
        ("small", pa.struct([("f", pa.float32()), ("i", pa.uint8())])),
    ]
)
SCENARIOS = pa.Table.from_pylist(
    [
        {"id": str(place), "situation": "I won!", "emotion": "proud", "split": split}
        for place, split in enumerate(["train", "train", "dev"])
    ],
    schema=SCENARIO_SCHEMA,
)


def test_every_table_that_can_be_published_is_known_here() -> None:
    assert set(PUBLISHED) == set(TABLES)


@pytest.mark.parametrize("table", sorted(PUBLISHED))
def test_every_published_column_is_described(table: str) -> None:
    for schema in PUBLISHED[table]:
        assert [one.path for one in described(table, schema) if one.meaning == UNDESCRIBED] == []


def test_nothing_is_described_that_is_not_published() -> None:
    there = {(table, path) for table, schemas in PUBLISHED.items() for one in schemas for path, _ in leaves(one)}
    assert {path for path in ANYWHERE if path not in {path for _, path in there}} == set()
    assert set(IN_TABLE) <= there
    assert described("dialogues", pa.schema([("mine", pa.int8())]))[0].meaning == UNDESCRIBED


@pytest.mark.parametrize("schema", [*(one for schemas in PUBLISHED.values() for one in schemas), DEEP])
def test_features_are_what_datasets_reads_from_parquet(schema: pa.Schema) -> None:
    from_parquet = datasets.Features.from_arrow_schema(schema)
    assert yaml_features(schema) == from_parquet._to_yaml_list()
    assert datasets.Features._from_yaml_list(yaml_features(schema)) == from_parquet


def test_a_type_without_a_yaml_form_is_refused() -> None:
    with pytest.raises(PublishError, match="column 'when': expected text, numbers, lists or structs, found timestamp"):
        yaml_features(pa.schema([("when", pa.timestamp("s"))]))


def test_words_of_the_hub_are_those_of_datasets() -> None:
    from datasets.utils import resources

    folder = Path(str(resources.__file__)).parent
    sizes = json.loads((folder / "size_categories.json").read_text())
    assert [*(name for name, _ in SIZES), LARGEST] == [one for one in sizes if one != "unknown"]
    assert list(CREATORS) == json.loads((folder / "creators.json").read_text())["annotations"]


@pytest.mark.parametrize(
    ("rows", "category"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**12, "n>1T")]
)
def test_size_categories(rows: int, category: str) -> None:
    assert size_category(rows) == category


def two_configs(folder: Path, **changed: Any) -> list[Any]:
    one = made_config(folder / "annotated", uses="sage_data.annotation", **changed)
    two = made_config(folder / "scenarios", table=("scenarios", SCENARIOS))
    return [one, type(two)(two.name, two.table, two.folder, two.manifest, two.schema, two.splits, False)]


def test_a_card_is_read_back_by_datasets(tmp_path: Path) -> None:
    configs = two_configs(tmp_path)
    out = tmp_path / "published"
    for config, tables in zip(configs, ({"train": to_table(TWO)}, _by_split()), strict=True):
        for split, table in tables.items():
            (out / config.name).mkdir(parents=True, exist_ok=True)
            pa.parquet.write_table(table, out / config.name / f"{split}-00000-of-00001.parquet")
    write(configs, out, CardOptions(title="Small talk"))
    card = hub.DatasetCard.load(out / "README.md")
    infos = datasets.info.DatasetInfosDict.from_directory(str(out))
    assert set(infos) == {"annotated", "scenarios"}
    assert infos["annotated"].features == datasets.Features.from_arrow_schema(DIALOGUE_SCHEMA)
    assert {name: split.num_examples for name, split in infos["scenarios"].splits.items()} == {"train": 2, "dev": 1}
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(out), split="train", cache_dir=cache)
    assert loaded["id"][:] == ["d1", "d2"]
    assert loaded.features == infos["annotated"].features
    assert datasets.load_dataset(str(out), "scenarios", split="dev", cache_dir=cache)["id"][:] == ["2"]
    assert card.data.to_dict()["size_categories"] == ["n<1K"]


def _by_split() -> dict[str, pa.Table]:
    column = SCENARIOS["split"]
    return {split: SCENARIOS.filter(pa.compute.equal(column, split)) for split in ("train", "dev")}


def test_what_the_front_matter_says(tmp_path: Path) -> None:
    hub_origin = Origin(name="Dialogs", license="cc-by-4.0", url="https://huggingface.co/datasets/some/dialogs")
    configs = two_configs(tmp_path, origins=[MADE, REDDIT, hub_origin])
    found = metadata(
        configs,
        CardOptions(repo="me/talk", tags=("my tag", "dialogue")),
        Claim("other", "terms", "https://x.org"),
        [MADE, REDDIT, hub_origin],
        [made_stage("annotated", uses="sage_data.annotation")],
        states=True,
    )
    assert found["pretty_name"] == "talk"
    assert found["source_datasets"] == ["original", "extended|other-reddit-comments", "some/dialogs"]
    mine = Origin(name="my chats", license="apache-2.0")
    theirs = metadata(configs, CardOptions(), Claim("apache-2.0"), [mine], [], states=True)
    assert theirs["source_datasets"] == ["extended|other-my-chats"], "who gave no address is a source all the same"
    assert theirs["language_creators"] == ["found"]
    assert found["annotations_creators"] == ["machine-generated"]
    assert found["language_creators"] == ["found", "machine-generated"]
    assert found["task_categories"] == ["text-generation", "text-classification"]
    assert found["tags"] == [
        "dialogue",
        "conversational",
        "emotion",
        "state-action-chain",
        "sage-dialogue",
        "my tag",
    ]
    assert [one.get("default", False) for one in found["configs"]] == [True, False]
    assert found["configs"][1]["data_files"] == [
        {"split": "train", "path": "scenarios/train-*.parquet"},
        {"split": "dev", "path": "scenarios/dev-*.parquet"},
    ]
    assert (found["license"], found["license_name"], found["license_link"]) == ("other", "terms", "https://x.org")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("license", "my-own", "license: expected an id of the Hub's list, found 'my-own'"),
        ("license", "other", "needs license_name and license_link"),
        ("language", ["English"], "expected an ISO 639 code"),
        ("size_categories", ["few"], "size_categories: expected one of n<1K"),
        ("task_categories", ["chatting"], "task_categories: expected one of"),
        ("tags", ["ok", " "], "tags: expected text"),
        ("pretty_name", None, "pretty_name: expected text"),
        ("configs", [], "exactly one with `default: true`"),
        ("configs", [{"config_name": "a/b", "data_files": [], "default": True}], "found 'a/b'"),
        (
            "configs",
            [{"config_name": "a", "data_files": [{"split": "a-b", "path": "*"}], "default": True}],
            "found 'a-b'",
        ),
    ],
)
def test_what_the_hub_would_refuse_is_refused_here(key: str, value: Any, message: str) -> None:
    good = {
        "license": "mit",
        "pretty_name": "x",
        "configs": [{"config_name": "a", "data_files": [{"split": "train", "path": "*"}], "default": True}],
    }
    check_metadata(good)
    with pytest.raises(PublishError, match=re.escape(message)):
        check_metadata({**good, key: value})


NASTY = st.one_of(
    st.text(min_size=1, max_size=40),
    st.sampled_from(
        ["no", "1e-5", "null", "~", "a: b", "- x", "\n---\nlicense: mit", "#c", "{{ x }}", "'\"", "\u2028", "!!x"]
    ),
)


@given(title=NASTY, tags=st.lists(NASTY, max_size=3))
def test_values_come_back_from_the_front_matter_and_change_nothing_else(title: str, tags: list[str]) -> None:
    schema = pa.schema([("id", pa.string())])
    config = _Bare(schema)
    found = metadata([config], CardOptions(title=title, tags=tuple(tags)), Claim("mit"), [MADE], [], states=False)  # type: ignore[list-item]
    written = front_matter(found)
    read = hub.DatasetCard(f"---\n{written}\n---\n\nbody").data.to_dict()
    assert read == found
    assert YAML(typ="safe", pure=True).load(written) == found, "YAML 1.2, as the Hub reads it"
    assert read["pretty_name"] == (plain(title) or "bare")
    assert set(read["tags"]) >= {plain(tag) for tag in tags if plain(tag)}


class _Bare:
    """A config with nothing in it."""

    name, table, splits, default = "bare", "dialogues", (), True
    manifest = made_stage("bare")

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.manifest = type("Made", (), {"lineage": [], "uses": "toy_stages"})()  # type: ignore[assignment]
