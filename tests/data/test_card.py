"""The dataset card as a whole: its stage, what must stand on it, what data cannot do to it, and the sample's card."""

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_folders import MADE, REDDIT, TWO, dialogue, made_config, made_counts, made_folder, made_stage
from markdown_it import MarkdownIt

from sage_data.chains import MESSAGE_SCHEMA
from sage_data.dialogue import Scenario, State
from sage_data.errors import InputError, PublishError
from sage_data.publishing.card import CardOptions, write_card
from sage_data.publishing.card import sample as sample_card
from sage_data.publishing.card.templates import cards_folder
from sage_data.publishing.layout import read_configs
from sage_data.stage import Context, run_stage
from sage_data.store.dialogues import SCENARIO_SCHEMA, scenarios_to_table
from sage_data.store.manifest import Origin

USES = "sage_data.publishing.card"
PARSER = MarkdownIt("commonmark").enable("table")
HEADINGS = [
    "What was kept, and what was thrown away",
    "Tags",
    "Example",
    "Fields",
    "How it was annotated",
    "Sources and licence",
    "Personal data",
    "Biases and limits",
    "How to load it",
    "How it was made",
    "Citation",
]


def card(folder: Path, **options: Any) -> str:
    """The card of one made folder."""
    write_card([made_config(folder / "made")], folder / "card", CardOptions(**options))
    return (folder / "card" / "README.md").read_text(encoding="utf-8")


def body(text: str) -> str:
    return text.split("\n---\n", 1)[1]


def headings(text: str, level: str = "h2") -> list[str]:
    tokens = PARSER.parse(body(text))
    return [
        tokens[place + 1].content for place, one in enumerate(tokens) if one.type == "heading_open" and one.tag == level
    ]


class TestStage:
    def test_it_writes_the_card_and_the_funnel_of_what_it_reads(self, tmp_path: Path) -> None:
        above = [made_stage("kept", counts=[made_counts(9, 2, no_question=7)])]
        folder = made_folder(tmp_path / "made", lineage=above, counts=[made_counts(2, 2)])
        (tmp_path / "more.txt").write_text("First <b>.\n\nSecond.", encoding="utf-8")
        run_stage(
            USES,
            {"title": "Talk"},
            {"datasets": [folder], "biases": [tmp_path / "more.txt"]},
            tmp_path / "card",
            Context(),
        )
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        assert headings(text) == HEADINGS
        assert "| kept | dialogues | 9 | no question 7 | 0 | 2 |" in text
        assert "\nFirst &lt;b&gt;.\n" in text
        drawn = (tmp_path / "card" / "funnel.svg").read_text(encoding="utf-8")
        assert ">dialogues<" in drawn
        assert ">no question<" in drawn

    def test_equal_input_gives_equal_bytes(self, tmp_path: Path) -> None:
        folder = made_folder(tmp_path / "made")
        for name in ("one", "two"):
            run_stage(USES, {}, {"datasets": [folder]}, tmp_path / name, Context())
        for file in ("README.md", "funnel.svg"):
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()

    def test_text_stays_out_where_a_source_asks_for_that(self, tmp_path: Path) -> None:
        folder = made_folder(tmp_path / "made", origins=[REDDIT])
        run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        for one in TWO:
            assert not any(said.text in text for said in one.utterances)
        assert "user: (14 characters, left out)" in text
        assert "source_id: c10" in text
        assert "state: motivation sharing" in text
        assert "utterances\\[\\].text\\_sha256" in text
        assert "sage data hydrate" in text
        assert "license: other\nlicense_name: reddit-comments\n" in text
        run_stage(USES, {"text_withheld": False}, {"datasets": [folder]}, tmp_path / "open", Context())
        assert "I got the job" in (tmp_path / "open" / "README.md").read_text(encoding="utf-8")

    def test_messages_cannot_be_withheld(self, tmp_path: Path) -> None:
        folder = made_folder(tmp_path / "made", table=("messages", MESSAGE_SCHEMA.empty_table()), origins=[REDDIT])
        with pytest.raises(PublishError, match="messages cannot be published without its words"):
            run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())

    def test_situations_cannot_be_withheld_and_are_not_shown(self, tmp_path: Path) -> None:
        rows = scenarios_to_table([Scenario("d1", "I got the job!", None, "train")])
        folder = made_folder(tmp_path / "made", table=("scenarios", rows), origins=[REDDIT])
        with pytest.raises(PublishError, match="scenarios cannot be published without its words"):
            run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())
        assert not (tmp_path / "card").exists()

    def test_sources_without_an_address_are_people_s_unless_they_say_otherwise(self, tmp_path: Path) -> None:
        for origin, people in ((Origin(name="my chats", license="apache-2.0"), True), (MADE, False)):
            folder = made_folder(tmp_path / str(people) / "made", origins=[origin])
            run_stage(USES, {}, {"datasets": [folder]}, tmp_path / f"card{people}", Context())
            text = (tmp_path / f"card{people}" / "README.md").read_text(encoding="utf-8")
            assert ("What stands here was written by people" in text) == people
            assert ("No person wrote what stands here" in text) == (not people)
            assert ("language_creators:\n- found\n" in text) == people

    def test_a_folder_that_names_no_source_blocks_beside_one_that_does(self, tmp_path: Path) -> None:
        folders = [made_folder(tmp_path / "made"), made_folder(tmp_path / "other", origins=[])]
        options: dict[str, Any] = {"license": "cc0-1.0"}
        with pytest.raises(PublishError, match=r"unstated sources of other \(unknown\): its licence is not known"):
            run_stage(USES, options, {"datasets": folders}, tmp_path / "card", Context())
        options |= {"cleared": ["unstated sources of other"]}
        run_stage(USES, options, {"datasets": folders}, tmp_path / "card", Context())
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        assert "- unstated sources of other, licence unknown. Nobody named them." in text
        assert "- The publisher vouches for the use of unstated sources of other, whose licence is not known." in text

    def test_splits_stand_in_sizes_and_load_lines(self, tmp_path: Path) -> None:
        rows = (dialogue(1, "Hi."), dialogue(2, "Ho.", split="test"), dialogue(3, "He.", split="train"))
        folder = made_folder(tmp_path / "made", rows)
        run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        assert re.findall(r"\| made \| dialogues \| (\w+) \| (\d+) \|", text) == [("train", "2"), ("test", "1")]
        assert 'split="train")' in text
        assert 'split="test")' in text

    def test_paths_in_what_was_recorded_stay_off_the_card(self, tmp_path: Path) -> None:
        config = {"model": "hf:/home/jane doe/models/small", "files": ["C:\\Users\\jane\\x"], "dump": "../jane/x.zst"}
        turns = pa.table({"id": ["1"], "model": ["/home/jane/models/small"], "user_text": ["Hi."]})
        folder = made_folder(
            tmp_path / "made", table=("turns", turns), lineage=[made_stage("x", uses="nobody.knows", config=config)]
        )
        run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        assert "jane" not in text
        assert "model: small" in text

    def test_a_licence_that_its_sources_forbid_is_refused(self, tmp_path: Path) -> None:
        folder = made_folder(tmp_path / "made", origins=[Origin(name="Dialogs", license="cc-by-nc-4.0")])
        with pytest.raises(
            PublishError, match=r"'apache-2.0' may not be claimed:\n- Dialogs \(cc-by-nc-4.0\) allows non"
        ):
            run_stage(USES, {"license": "apache-2.0"}, {"datasets": [folder]}, tmp_path / "card", Context())
        run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())
        assert "\nlicense: cc-by-nc-4.0\n" in (tmp_path / "card" / "README.md").read_text(encoding="utf-8")

    def test_an_unknown_licence_is_said_to_be_unknown(self, tmp_path: Path) -> None:
        folder = made_folder(tmp_path / "made", origins=[])
        run_stage(USES, {}, {"datasets": [folder]}, tmp_path / "card", Context())
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        assert "\nlicense: unknown\n" in text
        assert "**not known**" in text
        assert "unstated sources of made, licence unknown. Nobody named them." in text

    def test_a_text_file_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "odd.txt").write_bytes(b"\xff\xfe\xff")
        inputs = {"datasets": [made_folder(tmp_path / "made")], "biases": [tmp_path / "odd.txt"]}
        with pytest.raises(InputError, match=r"odd\.txt: expected a UTF-8 text file"):
            run_stage(USES, {}, inputs, tmp_path / "card", Context())


class TestWords:
    def test_scans_overrides_and_clearances_are_stated(self, tmp_path: Path) -> None:
        text = card(
            tmp_path,
            scans=(("e-mail addresses", 0), ("phone | numbers", 1200)),
            overrides=("a phone number is published",),
            cleared=("somebody's site",),
            contact="me@example.org",
            license="mit",
        )
        assert "| e-mail addresses | 0 |" in text
        assert "| phone \\| numbers | 1,200 |" in text
        assert "- Published although a check spoke against it: a phone number is published" in text
        assert "vouches for the use of somebody's site" in text
        assert "me&#64;example.org" in text

    def test_what_publishing_itself_dropped_is_in_the_funnel(self, tmp_path: Path) -> None:
        counts = (made_counts(3, 2, "rows of made", tombstone=1), made_counts(5, 5, "rows of other"))
        text = card(tmp_path, counts=counts)
        assert "| publishing | rows of made | 3 | tombstone 1 | 0 | 2 |" in text
        assert "rows of other" not in text
        assert ">tombstone<" in (tmp_path / "card" / "funnel.svg").read_text(encoding="utf-8")

    def test_scenarios_are_told_by_emotion(self, tmp_path: Path) -> None:
        rows = [{"id": str(n), "situation": "I won!", "emotion": "proud", "split": "train"} for n in range(3)]
        table = pa.Table.from_pylist(rows, schema=SCENARIO_SCHEMA)
        write_card([made_config(tmp_path / "made", table=("scenarios", table))], tmp_path, CardOptions())
        text = (tmp_path / "README.md").read_text(encoding="utf-8")
        assert "| proud | 3 | 100.0% |" in text
        assert "No utterance of these tables" not in text

    def test_what_is_not_there_is_not_told(self, tmp_path: Path) -> None:
        write_card(
            [made_config(tmp_path / "made", (dialogue(1, "Hi.", "Hello."),))], tmp_path, CardOptions(example=False)
        )
        text = (tmp_path / "README.md").read_text(encoding="utf-8")
        assert headings(text) == [one for one in HEADINGS if one != "Example"]
        assert "No utterance of these tables carries a state" in text
        assert "Nothing was counted on the way" in text
        assert "- no-annotation" in text

    def test_an_empty_dataset_has_a_card_too(self, tmp_path: Path) -> None:
        write_card([made_config(tmp_path / "made", ())], tmp_path, CardOptions())
        assert headings((tmp_path / "README.md").read_text(encoding="utf-8")) == [
            one for one in HEADINGS if one != "Example"
        ]

    def test_no_line_is_left_empty_twice_and_none_ends_in_space(self, tmp_path: Path) -> None:
        text = card(tmp_path)
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t]\n", text)


NASTY = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "a | b",
            "<img src=x onerror=alert(1)>",
            "\n---\nlicense: mit\n---\n",
            "```\n# out of the fence",
            "{{ title }}{% raw %}",
            "# Heading",
            "[click](javascript:x)",
            "\u2028## x",
        ]
    ),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=NASTY, tag=NASTY, place=NASTY, said=NASTY, note=NASTY)
def test_data_cannot_change_the_structure_of_a_card(
    tmp_path: Path, title: str, tag: str, place: str, said: str, note: str
) -> None:
    quiet = [
        _structure(tmp_path / "quiet", *["plain"] * 5),
        _structure(tmp_path / "nasty", title, tag, place, said, note),
    ]
    assert quiet[0] == quiet[1]


def _structure(folder: Path, title: str, tag: str, place: str, said: str, note: str) -> list[str]:
    """The blocks of a card, and every link, picture and bit of HTML in them."""
    talk = dialogue(1, said or "x", said or "x", state=State(tag or "x", tag or "x", (tag or "x",)), place=place or "x")
    origin = Origin(name=f"x{title}", license="cc0-1.0", note=f"x{note}")
    stage = made_stage(f"x{title}", counts=[made_counts(3, 1, **{f"x{tag}": 2})], failures=[f"x{note}"])
    config = made_config(folder, (talk,), origins=[origin], lineage=[stage])
    options = CardOptions(title=f"x{title}", summary=f"x{note}", biases=f"x{said}", tags=("fixed",), repo="me/x")
    write_card([config], folder, options)
    text = (folder / "README.md").read_text(encoding="utf-8").replace("nasty", "quiet")
    tokens = PARSER.parse(body(text))
    inner = [one for token in tokens for one in token.children or []]
    odd = [one.type for one in inner if one.type in ("html_inline", "link_open", "image", "em_open", "strong_open")]
    # A bias of several paragraphs is several paragraphs; everything else keeps its place.
    blocks = [one.type for one in tokens if one.type not in ("paragraph_open", "paragraph_close", "inline")]
    keys = re.findall(r"^[a-z_]+:", text.split("\n---\n", 1)[0], re.MULTILINE)
    return [*keys, *blocks, *odd]


@pytest.fixture(scope="module")
def made_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    sample_card.make(folder / "run", folder / "card")
    return folder


class TestSample:
    def test_the_card_in_the_repository_is_the_one_that_is_made(self, made_sample: Path) -> None:
        advice = "stale: python -m sage_data.publishing.card.sample cards/sample"
        for file in ("README.md", "funnel.svg"):
            made = (made_sample / "card" / file).read_text(encoding="utf-8")
            kept = (cards_folder() / "sample" / file).read_text(encoding="utf-8")
            if _arrow(made) != _arrow(kept):
                made, kept = _without_bytes(made), _without_bytes(kept)
            assert made == kept, advice

    def test_a_reader_learns_what_was_thrown_away(self, made_sample: Path) -> None:
        text = (made_sample / "card" / "README.md").read_text(encoding="utf-8")
        run = made_sample / "run"
        for config in read_configs([run / name for name in ("dialogues", "kept", "annotated", "chains")]):
            for counts in config.manifest.counts:
                for reason, number in counts.dropped.items():
                    assert f"{reason.replace('_', ' ')} {number:,}" in text
                assert f"| {counts.came_in:,} |" in text
        assert headings(text) == HEADINGS
        assert MADE.name not in text

    def test_nothing_of_this_machine_stands_on_it(self, made_sample: Path) -> None:
        text = (made_sample / "card" / "README.md").read_text(encoding="utf-8")
        assert str(made_sample) not in text
        assert not re.search(r"/(home|tmp|root|work)/", text)
        assert not re.search(r"\b202[4-9]\b", text), "no date"


def _arrow(text: str) -> list[str]:
    return re.findall(r"^pyarrow: .*", text, re.MULTILINE)


def _without_bytes(text: str) -> str:
    """A card without what another version of pyarrow writes otherwise: sizes and hashes of files."""
    text = re.sub(r"(_bytes|_size|pyarrow): .*", r"\1:", text)
    return re.sub(r"\b[0-9a-f]{16}\b", "hash", re.sub(r"[0-9,]+ \|$", "|", text, flags=re.MULTILINE))
