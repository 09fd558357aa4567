"""`benchmarks/annotation/agreement.py` on a tiny corpus in the formats of the real ones, its figures worked by hand."""

from __future__ import annotations

import gzip
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.annotation.agreement import agreement
from sage_data.annotation.lexicon import LexiconAnnotator
from sage_data.dialogue import State, Utterance
from sage_data.scenarios.lines import FIELDS

FOLDER = Path(__file__).parents[2] / "benchmarks" / "annotation"
INTENTS_HEADER = "split,context,Dialog_ID,Type,Actor,Text,Label"


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    """The benchmark's module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield importlib.import_module("agreement")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One or two dialogues of each corpus."""
    empathetic, daily = tmp_path / "empathetic_dialogues", tmp_path / "dialogue" / "dailydialog"
    esconv = tmp_path / "dialogue" / "esconv"
    for folder in (empathetic, daily, esconv):
        folder.mkdir(parents=True)
    header = ",".join(FIELDS)
    (empathetic / "train.csv").write_text(f"{header}\nc:1,1,lonely,I feel so lonely.,1,Hi,,\n")
    (empathetic / "valid.csv").write_text(f"{header}\nc:2,1,proud,I am proud.,1,Hi,,\nc:3,1,sad,The bus.,1,Hi,,\n")
    rows = [
        INTENTS_HEADER,
        "train,proud,c:1,situation,none,I won,proud",
        'train,proud,c:1,utterance,speaker,"I am so proud, really",proud',
        "train,proud,c:1,utterance,listener,What did you win?,questioning",
        "train,proud,c:1,utterance,listener,Good.,joyful",
    ]
    (empathetic / "intents_annotated_train_valid.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode()))
    (daily / "test_dialogues.txt").write_text("Could you please sit down ? __eou__ I \u2019 ll do that . __eou__\n")
    (daily / "test_dialogues_act.txt").write_text("3 4\n")
    (daily / "test_dialogues_emotion.txt").write_text("0 0\n")
    turn = {"turn": 1, "speaker": "A", "utterance": "I am so sad .", "emotion": "sad"}
    (daily / "reccon_train.json").write_text(json.dumps({"tr_1": [[turn, {**turn, "emotion": "excited"}]]}))
    (esconv / "devWithStrategy_short.tsv").write_text("1.0 0 0 Hi EOS 1.0 1 1 [Questions] What did the doctor say?\n")
    (esconv / "strategy.json").write_text('["[Question]"]')
    return tmp_path


def annotator() -> LexiconAnnotator:
    return LexiconAnnotator(lambda text: 0.0)


def test_every_corpus_is_read_and_labels_are_mapped(bench: Any, data: Path) -> None:
    samples = list(bench.read_samples(data))
    assert all(one.state is None for sample in samples for one in sample.utterances)
    pairs, utterances = bench.annotate(samples, annotator(), bench.read_mappings())
    found: dict[str, list[tuple[str, str]]] = {}
    for (task, _), one in pairs.items():
        found.setdefault(task, []).extend(zip(one.gold, one.predicted, strict=True))
    assert {task: sorted(listed) for task, listed in found.items()} == {
        "ed_situation": [("lonely", "lonely"), ("proud", "proud"), ("sad", "none")],
        "ed_speaker": [("proud", "proud")],
        "ed_listener": [("questioning", "questioning")],
        "dd_act": [("commissive", "commissive"), ("directive", "directive")],
        "dd_emotion": [("none", "none"), ("none", "none"), ("sadness", "sadness")],
        "es_strategy": [("Questions", "Questions")],
    }
    assert utterances == 3 + 3 + 2 + 2 + 2
    assert {part for task, part in pairs if task in ("ed_speaker", "ed_listener")} == {"unseen"}


def test_halves_depend_on_the_id_alone(bench: Any) -> None:
    half = importlib.import_module("labelled").half
    parts = [half(f"hit:{number}") for number in range(1_000)]
    assert parts == [half(f"hit:{number}") for number in range(1_000)]
    assert 450 < parts.count("held out") < 550


labels = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=30)


@given(labels)
def test_a_matrix_gives_the_same_figures_as_the_package(bench: Any, listed: list[tuple[str, str]]) -> None:
    matrix = np.zeros((4, 4))
    for gold, guess in listed:
        matrix["abcd".index(gold), "abcd".index(guess)] += 1
    one = agreement([gold for gold, _ in listed], [guess for _, guess in listed])
    assert bench.of_matrix(matrix) == pytest.approx((one.accuracy, one.macro_f1, one.kappa))


def test_intervals_resample_dialogues(bench: Any) -> None:
    # Two dialogues of ten utterances, one all right and one all wrong: accuracy of a resample is 0, 0.5 or 1.
    pairs = bench.Pairs(["a"] * 20, ["a"] * 10 + ["b"] * 10, [4] * 10 + [9] * 10, [""] * 20)
    scored = bench.score(pairs, resamples=200)
    assert scored.point.accuracy == 0.5
    assert (scored.accuracy.low, scored.accuracy.high) == (0.0, 1.0)
    assert scored == bench.score(pairs, resamples=200)
    alone = bench.score(bench.Pairs(["a", "b"], ["a", "b"], [0, 0], ["", ""]), resamples=5)
    assert (alone.kappa.low, alone.kappa.high) == (1.0, 1.0)


def test_a_mapping(bench: Any) -> None:
    same = bench.Reading("t", "emotion", "=", "none", {"warm": "caring"})
    other = bench.Reading("t", "motivation", "inform", "inform", {"asking": "question"})
    assert [same(State(emotion=one)) for one in ("warm", "sad", None)] == ["caring", "sad", "none"]
    assert [other(State(one)) for one in ("asking", "humor", None)] == ["question", "inform", "inform"]


def test_the_mappings_name_labels_that_exist(bench: Any) -> None:
    from sage_data.annotation.cues import shipped_cues

    books = {"emotion": shipped_cues().emotions, "motivation": shipped_cues().motivations}
    for reading in bench.read_mappings().values():
        assert set(reading.labels) <= {label.name for label in books[reading.slot].labels}


def test_the_command(bench: Any, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main([str(data), "--resamples", "3", "--errors", "ed_situation"]) == 0
    shown = capsys.readouterr().out
    assert "| DailyDialog, act | 2 | 1.000 [1.000, 1.000]" in shown
    assert "utterances, " in shown
    (tmp_path / "nothing").mkdir()
    assert bench.main([str(tmp_path / "nothing")]) == 1


def test_errors_show_the_most_frequent_confusions(bench: Any) -> None:
    pairs = bench.Pairs(["a", "a", "b"], ["b", "b", "b"], [0, 1, 2], ["one", "two", "three"])
    assert bench.errors(pairs) == "a taken for b: 2\n    'one'\n    'two'\n"


def test_apostrophes_are_rejoined(bench: Any) -> None:
    rejoined = importlib.import_module("labelled").rejoined
    assert Utterance("user", rejoined("I \u2019 ll go , it ' s late .")).text == "I'll go , it's late ."
