"""What a card counts and tells, worked by hand: tags, places, the stages above, what annotated and how well."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_folders import TWO, dialogue, made_config, made_counts, made_stage

from sage_data.annotation.annotator import FailureKind
from sage_data.chains import SCHEMAS, Export, chain_dialogue, rows
from sage_data.chains import Config as ChainConfig
from sage_data.chains.chaining import DropReason
from sage_data.corpora.intake import DUPLICATE
from sage_data.corpora.records import Drop
from sage_data.dialogue import State
from sage_data.errors import InputError
from sage_data.mixing.fitting import REASON as NOT_IN_TURN
from sage_data.publishing.card import story, write_card
from sage_data.publishing.card.annotators import annotated_by, lexicon_figures
from sage_data.publishing.card.citation import dataset_entry
from sage_data.publishing.card.contents import NONE, first_row, look
from sage_data.publishing.card.example import MOST_CHARACTERS, MOST_TURNS, example
from sage_data.publishing.card.facts import gated, length_facts, share, shares, tag_tables
from sage_data.publishing.card.options import CardOptions
from sage_data.publishing.card.reasons import MEANINGS, POLICIES, reason_rows
from sage_data.publishing.hydrate.rebuilding import IN_REJECTED, ORIGINAL, Loss
from sage_data.publishing.places import public, public_sentence
from sage_data.reddit.reasons import SHORT, SINGLE, CommentReason, DialogueReason
from sage_data.reddit.threads import Policy
from sage_data.store.dialogues import to_table
from sage_data.store.manifest import Counts
from sage_data.store.shards import write_table


class TestCounting:
    def test_tags_places_months_and_lengths(self, tmp_path: Path) -> None:
        seen = look(made_config(tmp_path / "made"), tmp_path)
        assert seen.rows == 2
        assert seen.annotated == {"user": 3, "assistant": 2}
        assert seen.tags["user", "motivation"] == {"sharing": 1, NONE: 2}
        assert seen.tags["assistant", "emotion"] == {"proud": 1, NONE: 1}
        assert seen.tags["user", "topics"] == {"work": 1, "job": 1, NONE: 2}
        assert seen.places == {"smalltalk": 2}
        assert seen.months == {"1970-01": 1, "1970-02": 1}
        assert seen.lengths == {2: 1, 3: 1}
        assert length_facts(seen) == {"least": "2", "mean": "2.5", "most": "3"}
        row = first_row(made_config(tmp_path / "again"), tmp_path)
        assert row is not None
        assert row["id"] == "d1"

    def test_unannotated_utterances_are_not_null_tags(self, tmp_path: Path) -> None:
        seen = look(made_config(tmp_path / "made", (dialogue(1, "Hi.", "Hello."), TWO[0])), tmp_path)
        assert (seen.annotated, seen.unannotated) == ({"user": 1, "assistant": 1}, {"user": 1, "assistant": 1})
        assert seen.tags["user", "motivation"] == {"sharing": 1}

    def test_a_topic_twice_in_one_utterance_counts_once(self, tmp_path: Path) -> None:
        twice = dialogue(1, "Tea, tea!", state=State("sharing", None, ("tea", "tea")))
        assert look(made_config(tmp_path / "made", (twice,)), tmp_path).tags["user", "topics"] == {"tea": 1}

    def test_files_that_are_staged_count_instead_of_the_stages_own(self, tmp_path: Path) -> None:
        config = made_config(tmp_path / "made")
        (tmp_path / "out" / "made").mkdir(parents=True)
        pq.write_table(to_table(TWO[1:]), tmp_path / "out" / "made" / "train-00000-of-00001.parquet")
        assert look(config, tmp_path / "out").rows == 1
        row = first_row(config, tmp_path / "out")
        assert row is not None
        assert row["id"] == "d2"

    def test_the_example_is_of_the_split_to_learn_from(self, tmp_path: Path) -> None:
        split = (dialogue(1, "Hi.", split="test"), dialogue(2, "Ho.", split="train"))
        config = made_config(tmp_path / "made", split)
        (tmp_path / "made-out" / "made").mkdir(parents=True)
        for name, one in zip(("test", "train"), split, strict=True):
            pq.write_table(to_table([one]), tmp_path / "made-out" / "made" / f"{name}-00000-of-00001.parquet")
        row = first_row(config, tmp_path / "made-out")
        assert row is not None
        assert row["id"] == "d2"

    @pytest.mark.parametrize("export", list(Export))
    def test_tags_inside_chains_are_counted_in_every_export(self, tmp_path: Path, export: Export) -> None:
        settings = ChainConfig(missing="omit")
        chained = [(one, chain_dialogue(one, settings)) for one in TWO]
        listed = [row for one, done in chained for row in rows(export, one, done, "full")]
        table = pa.Table.from_pylist(listed, schema=SCHEMAS[export])
        seen = look(made_config(tmp_path / "made", table=(export.value, table)), tmp_path)
        assert seen.annotated == {"user": 2, "assistant": 2}
        assert seen.tags["user", "motivation"] == {"sharing": 1, NONE: 1}
        assert seen.tags["assistant", "topics"] == {"work": 1, "job": 1, NONE: 1}

    def test_chains_without_tags_count_as_not_annotated(self, tmp_path: Path) -> None:
        table = pa.Table.from_pylist(
            [{"id": "1", "messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "{odd"}]}]
        )
        seen = look(made_config(tmp_path / "made", table=("messages", table)), tmp_path)
        assert (seen.annotated, seen.unannotated) == ({}, {"user": 1, "assistant": 1})
        assert tag_tables(seen, 5) == []

    def test_a_table_shows_the_most_frequent_tags_and_says_what_it_leaves_out(self, tmp_path: Path) -> None:
        seen = look(made_config(tmp_path / "made"), tmp_path)
        found = {(one.role, one.slot): one for one in tag_tables(seen, most=1)}
        assert len(found) == 6
        topics = found["user", "topics"]
        assert (topics.annotated, topics.nothing, topics.distinct, topics.others) == (3, 2, 2, 1)
        assert topics.rows == (("job", "1", "33.3%"),)

    def test_shares_add_what_is_not_shown(self) -> None:
        from collections import Counter

        counted = Counter({"a": 6, "b": 3, "c": 1})
        assert shares(counted, most=1) == [("a", "6", "60.0%"), ("2 others", "4", "40.0%")]

    @pytest.mark.parametrize(
        ("part", "whole", "shown"),
        [
            (1, 3, "33.3%"),
            (0, 5, "0.0%"),
            (5, 5, "100.0%"),
            (1, 10**6, "<0.1%"),
            (10**6 - 1, 10**6, ">99.9%"),
            (0, 0, "-"),
        ],
    )
    def test_a_share_is_never_rounded_to_none_or_all(self, part: int, whole: int, shown: str) -> None:
        assert share(part, whole) == shown


class TestStory:
    def test_every_stage_stands_once_and_before_its_readers(self, tmp_path: Path) -> None:
        above = [made_stage("dumps"), made_stage("dialogues")]
        one = made_config(tmp_path / "annotated", lineage=above)
        two = made_config(
            tmp_path / "chains", lineage=[*above, made_stage("annotated", fingerprint=one.manifest.fingerprint)]
        )
        for order in ([one, two], [two, one]):
            assert [stage.stage for stage in story.stages_of(order)] == ["dumps", "dialogues", "annotated", "chains"]

    def test_gates_that_are_on_with_their_thresholds(self) -> None:
        config = {
            "preset": "sage",
            "min_turns_exclusive": 4,
            "max_turns": None,
            "need_question": True,
            "drop_urls": False,
        }
        (few, question) = story.gate_rows([made_stage("kept", uses="sage_data.gates", config=config)])
        assert few[:3] == ("kept", "min_turns_exclusive", "4")
        assert question[:3] == ("kept", "need_question", "on")
        assert "question mark" in question[3]

    def test_the_funnel_names_every_reason_the_largest_first(self) -> None:
        stage = made_stage(
            "kept",
            counts=[made_counts(10, 4, no_question=2, low_sentiment=3, quarantined=1), made_counts(9, 9, "lines")],
        )
        assert story.funnel_rows([stage]) == [
            ("kept", "lines", "9", "", "0", "9"),
            ("kept", "dialogues", "10", "low sentiment 3, no question 2", "1", "4"),
        ]

    def test_what_sentiment_dropped_is_told(self) -> None:
        config = {"min_compound_exclusive": 0.4, "language": "en"}
        stage = made_stage("kept", uses="sage_data.gates", config=config, counts=[made_counts(10, 7, low_sentiment=3)])
        (told,) = gated([made_stage("other"), stage])
        assert (told.compound, told.came_in, told.dropped, told.language) == (0.4, 10, 3, "en")

    def test_the_recipe_shows_only_what_differs_from_the_defaults(self) -> None:
        config = {"min_turns_exclusive": 6, "preset": "sage", "need_question": True}
        written = story.recipe([made_stage("kept", uses="sage_data.gates", config=config)], {"pyarrow": "26.0.0"})
        assert written.splitlines() == [
            "pyarrow: 26.0.0",
            "stages:",
            "  kept:",
            "    uses: sage_data.gates",
            "    version: 1",
            "    seed: 7",
            "    with:",
            "      min_turns_exclusive: 6",
        ]
        assert story.changed(made_stage("x", uses="nobody.knows", config={"a": 1})) == {"a": 1}

    @pytest.mark.parametrize(
        ("told", "shown"),
        [
            ("openai:small@http://10.0.0.5:8000/v1", "openai:small@(an address)"),
            ("hf:/home/me/models/small?x=1", "hf:small?x=1"),
            ("word and/or word", "word and/or word"),
            ("lexicon:fdbeb90c7c77", "lexicon:fdbeb90c7c77"),
            ("hf:org/small", "hf:org/small"),
            ("/home/jane doe/My Data/x.zst", "x.zst"),
            ("hf:/home/jane.smith/models/a b", "hf:a b"),
            ("C:\\Users\\jane\\x", "x"),
            ("../jane/secret/x", "x"),
            ("~/jane/x", "x"),
            ("hf:models/jane/x", "hf:x"),
            ("my data/jane doe/x", "x"),
            ("/home/jane/it's/x", "x"),
            ("/home/jane:smith/x/", "x"),
            ("model@gpu17.corp.example.com:8000/v1", "model@(an address)"),
            ("openai:small@gpu17:8000/v1", "openai:small@(an address)"),
            ("\\\\server\\share\\jane", "jane"),
            ("file:///home/jane doe/x", "x"),
            ("192.168.1.4:8000", "(an address)"),
            ("hf:/a/b?adapter=/c/d&batch=8", "hf:b?adapter=d&batch=8"),
        ],
    )
    def test_hosts_and_folders_of_a_machine_stay_out(self, told: str, shown: str) -> None:
        assert public(told) == shown
        stage = made_stage("x", uses="nobody.knows", config={"a": [{"b": told}]}, models={"annotator": told})
        assert shown.replace("\\", "") in story.recipe([stage], {})
        assert story.model_rows([stage]) == [("x", "annotator", shown)]

    @given(st.lists(st.sampled_from(["jane", "my data", "x.y", "it's", "a:b"]), min_size=2, max_size=5), st.booleans())
    def test_of_any_path_only_the_last_part_is_left(self, parts: list[str], leans_back: bool) -> None:
        path = ("C:\\" if leans_back else "/") + ("\\" if leans_back else "/").join([*parts, "last"])
        assert public(path) == public_sentence(path) == "last"

    def test_messages_keep_their_words(self) -> None:
        told = "3/5 parts, and/or more: runs/jane/x.zst and /data/jane/y.zst were cut"
        (said,) = story.failures([made_stage("x", failures=[told])])
        assert said == ("x", "3/5 parts, and/or more: x.zst and y.zst were cut")


class TestAnnotators:
    def test_failures_are_told_with_their_share(self, tmp_path: Path) -> None:
        counts = [made_counts(4, 3, quarantined=1), made_counts(20, 15, "utterances", quarantined=5)]
        config = made_config(
            tmp_path / "annotated", uses="sage_data.annotation", counts=counts, models={"annotator": "lexicon:abc"}
        )
        (told,) = annotated_by(story.stages_of([config]), [config])
        assert (told.annotator, told.lexicon) == ("lexicon:abc", True)
        assert told.counts == (("dialogues", "4", "3", "1", "25.0%"), ("utterances", "20", "15", "5", "25.0%"))

    def test_agreement_with_true_states_is_read_where_it_was_measured(self, tmp_path: Path) -> None:
        config = made_config(tmp_path / "annotated", uses="sage_data.annotation")
        one = {"n": 1000, "accuracy": 0.5, "majority_accuracy": 0.25, "macro_f1": 0.4, "kappa": 0.3}
        path = config.folder / "agreement.json"
        path.write_text(json.dumps({"labels": {"user": {"emotion": one}}}))
        (told,) = annotated_by(story.stages_of([config]), [config])
        assert told.agreement == (("user", "emotion", "1,000", "0.500", "0.250", "0.400", "0.300"),)
        path.write_text("{")
        with pytest.raises(InputError, match=r"agreement\.json: expected JSON"):
            annotated_by(story.stages_of([config]), [config])

    def test_a_model_that_rewrites_is_told_with_what_it_changed(self, tmp_path: Path) -> None:
        settings = {"annotator": "llm", "keep_text": False}
        config = made_config(tmp_path / "annotated", uses="sage_data.annotation", config=settings)
        rows: list[tuple[Any, ...]] = [
            ("annotated", [], 10, 3, 1),
            ("annotated", ["not_json"], 10, 0, 0),
            ("failed", ["not_json", "wrong_count"], 5, 0, 0),
            ("failed", ["not_json", "not_json"], 5, 0, 0),
            ("failed", ["wrong_count"], 5, 0, 0),
        ]
        names = ("outcome", "failures", "utterances", "rewritten", "bridges")
        table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows])
        write_table(config.folder / "asked-00000.parquet", table)
        (told,) = annotated_by(story.stages_of([config]), [config])
        assert (told.lexicon, told.rewrites) == (False, True)
        assert told.reasons == (("wrong count", "2"), ("not json", "1"))
        assert told.changed == (("own words changed", "3", "8.6%"), ("question added", "1", "2.9%"))
        write_card([config], tmp_path / "card", CardOptions())
        text = (tmp_path / "card" / "README.md").read_text(encoding="utf-8")
        assert "| own words changed | 3 | 8.6% |" in text
        assert "lexicon annotator" not in text

    def test_the_lexicon_annotators_figures_are_those_of_its_docstring(self) -> None:
        figures = lexicon_figures()
        assert figures.startswith("Measured ")
        assert "EmpatheticDialogues" in figures
        assert "sage data annotate" not in figures


class TestExample:
    def test_a_dialogue_with_its_states(self) -> None:
        (row,) = to_table(TWO[:1]).to_pylist()
        assert example(row).splitlines()[:6] == [
            "```text",
            "id: d1",
            "",
            "user: I got the job!",
            "  state: motivation sharing; emotion proud; topics work, job",
            "",
        ]

    def test_long_ones_are_cut_and_lines_stay_short(self) -> None:
        (row,) = to_table([dialogue(1, *["word " * 200] * (MOST_TURNS + 3))]).to_pylist()
        lines = example(row).splitlines()
        assert max(map(len, lines)) <= 100
        assert lines[-2] == "(3 more)"
        assert sum(map(len, lines)) < (MOST_CHARACTERS + 60) * MOST_TURNS

    def test_other_tables(self) -> None:
        assert "human: Hi." in example({"id": "1", "conversations": [{"from": "human", "value": "Hi."}]})
        assert "emotion: proud" in example({"id": "1", "situation": "I won!", "emotion": "proud"})


def test_bibtex_survives_any_title() -> None:
    options = CardOptions(authors=("A {B}", "C & D"), year=2026, repo="me/talk")
    assert dataset_entry("100% {odd}\\ title_", options).splitlines() == [
        "@misc{100-odd-title,",
        "  title  = {100\\% odd title\\_},",
        "  author = {A B and C \\& D},",
        "  year   = {2026},",
        "  url    = {https://huggingface.co/datasets/me/talk},",
        "}",
    ]
    assert dataset_entry("x", replace_citation(options)) == "@misc{mine}"


def replace_citation(options: CardOptions) -> CardOptions:
    return options.model_copy(update={"citation": "@misc{mine}"})


REASONS: dict[str, list[str]] = {
    "sage_data.reddit": ["blank", SINGLE, SHORT, *CommentReason],
    "sage_data.gates": [*DialogueReason],
    "sage_data.corpora": [DUPLICATE, *Drop],
    "sage_data.annotation": [*FailureKind],
    "sage_data.chains": [*DropReason],
    "sage_data.mixing": ["not_drawn", NOT_IN_TURN],
    "sage_data.scenarios": ["leaked", "limit"],
    "sage_data.rollout": ["backend_failed", "no_reply"],
    "sage_data.publishing.hydrate": [*Loss, ORIGINAL, IN_REJECTED],
    "sage_data.publishing": ["tombstone"],
}


class TestReasons:
    @pytest.mark.parametrize("uses", REASONS)
    def test_every_reason_of_a_stage_has_a_meaning(self, uses: str) -> None:
        assert set(MEANINGS[uses]) >= set(map(str, REASONS[uses]))

    def test_every_way_to_cut_threads_has_one(self) -> None:
        assert set(POLICIES) == set(Policy)

    def test_only_those_that_occur_are_told_once(self) -> None:
        counts = [made_counts(9, 4, "comments", single=3, duplicate=2)]
        reddit = [made_stage(name, uses="sage_data.reddit", counts=counts) for name in ("one", "two")]
        rows = reason_rows([*reddit, made_stage("mine", counts=[made_counts(2, 1, own_reason=1)])])
        assert [row[:2] for row in rows] == [("one, two", "single"), ("one, two", "duplicate"), ("mine", "own reason")]
        assert "no other comment was joined to it" in rows[0][2]
        assert "same comment id" in rows[1][2]
        assert "not described" in rows[2][2]

    def test_the_policy_is_told_even_where_it_is_the_default(self) -> None:
        config = {"policy": "alternating", "min_utterances": 2, "titles": False, "window_least": 2}
        rows = story.gate_rows([made_stage("talk", uses="sage_data.reddit", config=config)])
        assert [row[1:3] for row in rows] == [("policy", "alternating"), ("min_utterances", "2"), ("titles", "off")]
        assert "two people in turn" in rows[0][3]
        rows = story.gate_rows([made_stage("talk", uses="sage_data.reddit", config={**config, "policy": "windows"})])
        assert rows[-1][1:3] == ("window_least", "2")


def annotated_card(folder: Path, *counts: Counts, uses: str = "sage_data.annotation") -> str:
    config = made_config(folder / "annotated", uses=uses, counts=list(counts))
    write_card([config], folder / "card", CardOptions())
    return (folder / "card" / "README.md").read_text(encoding="utf-8")


class TestStatesThatCameWithTheirSource:
    def test_some(self, tmp_path: Path) -> None:
        text = annotated_card(tmp_path, made_counts(5, 2, "states", **{"had one already": 3}))
        assert "3 of 5 utterances came with a state from their source" in text
        assert "the annotator gave the other 2." in text
        assert "Measured by" in text
        assert "\n- machine-generated\n- found\nlanguage" in text
        assert "had one already" not in text, "no utterance was dropped for it"

    def test_all(self, tmp_path: Path) -> None:
        text = annotated_card(tmp_path, made_counts(5, 0, "states", **{"had one already": 5}))
        assert "the annotator gave none: the states are the sources' labels." in text
        assert "Measured by" not in text
        assert "annotations_creators:\n- found\nlanguage" in text
        assert "what whoever labelled the source read" in text

    def test_shards_in_which_none_had_one_count_too(self, tmp_path: Path) -> None:
        states = made_counts(5, 0, "states", **{"had one already": 5})
        text = annotated_card(tmp_path, made_counts(12, 12, "utterances"), states)
        assert "5 of 12 utterances came with a state from their source" in text
        assert "the annotator gave the other 7." in text

    def test_none(self, tmp_path: Path) -> None:
        text = annotated_card(tmp_path, made_counts(5, 5, "states"))
        assert "came with a state" not in text
        assert "annotations_creators:\n- machine-generated\nlanguage" in text

    def test_without_any_annotation(self, tmp_path: Path) -> None:
        text = annotated_card(tmp_path, uses="sage_data.corpora")
        assert "5 of 5 utterances came with a state from their source: these are the corpus' own labels" in text

    def test_the_summary_says_how_many_carry_one(self, tmp_path: Path) -> None:
        bare = dialogue(3, "Hi.", "Hello.", "Well?")
        write_card([made_config(tmp_path / "made", (*TWO, bare))], tmp_path, CardOptions())
        text = (tmp_path / "README.md").read_text(encoding="utf-8")
        assert "In `made`, 5 of 8 (62.5%) do." in text
        assert "Every utterance" not in text
