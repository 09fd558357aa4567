"""Mirrors of benchmark data: each original format against rows written by hand, its layout, and what is refused."""

import csv
import json

import pyarrow.parquet as pq
import pytest
from bench_originals import hellaswag, write_lines, write_originals

from sage_data.cli.main import call
from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_eval.bench.conventions import PAPER_TASKS, SUBJECTS
from sage_eval.bench.mirror import formats
from sage_eval.bench.mirror.files import ORIGINALS, local_parts, single_tasks
from sage_eval.bench.mirror.layout import INDEX, read_index
from sage_eval.bench.mirror.reading import json_lines, labelled_lines, mmlu_rows, tab_separated


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    return write_originals(tmp_path_factory.mktemp("originals") / "benchmarks")


@pytest.fixture(scope="module")
def mirror(originals, tmp_path_factory):
    out = tmp_path_factory.mktemp("mirror") / "mirror"
    return out, run_stage("sage_eval.bench.mirror", {}, {"from": originals}, out)


def first(tmp_path, row, convert, name="x.jsonl"):
    return convert(next(json_lines(write_lines(tmp_path / name, [row]))))


def test_hellaswag(tmp_path):
    given = {
        "ind": 7,
        "activity_label": "Rowing",
        "ctx_a": "A man rows.",
        "ctx_b": "",
        "ctx": "A man rows.",
        "split": "val",
        "split_type": "zeroshot",
        "label": 2,
        "endings": ["a", "b", "c", "d"],
        "source_id": "s~1",
    }
    assert first(tmp_path, given, formats.hellaswag) == {**given, "label": "2"}


ARC_ROW = {
    "id": "Q1",
    "question": "Why?",
    "choices": {"text": ["so", "no", "ah"], "label": ["A", "B", "C"]},
    "answerKey": "C",
}


def test_arc_as_its_authors_nest_it(tmp_path):
    choices = [{"text": "so", "label": "A"}, {"text": "no", "label": "B"}, {"text": "ah", "label": "C"}]
    given = {"id": "Q1", "question": {"stem": "Why?", "choices": choices}, "answerKey": "C"}
    assert first(tmp_path, given, formats.arc) == ARC_ROW


def test_arc_easy_as_queries(tmp_path):
    given = {"query": "Question: Why?", "choices": ["so", "no", "ah"], "gold": 2}
    assert first(tmp_path, given, formats.arc, "arc_easy_test.jsonl") == {**ARC_ROW, "id": "arc_easy_test-1"}


@pytest.mark.parametrize(
    ("contexts", "continuation", "sentence", "options"),
    [
        (("Ann met Bea so Ann", "Ann met Bea so Bea"), "left.", "Ann met Bea so _ left.", ("Ann", "Bea")),
        (("the wet bed", "the wet blanket"), ".", "the wet _.", ("bed", "blanket")),
        (("I saw Sam", "I saw Sam Lee"), "go", "I saw _ go", ("Sam", "Sam Lee")),
    ],
)
def test_winogrande_in_parts(tmp_path, contexts, continuation, sentence, options):
    given = {"context_options": contexts, "continuation": continuation, "gold": 1}
    row = {"sentence": sentence, "option1": options[0], "option2": options[1], "answer": "2"}
    assert first(tmp_path, given, formats.winogrande) == row
    # As its authors write it, and as lm-eval reads it.
    assert first(tmp_path, row, formats.winogrande) == row
    before, _, after = sentence.partition("_")
    assert [before + option for option in options] == list(contexts)
    assert after.strip() == continuation


def test_openbookqa(tmp_path):
    (tmp_path / "test.tsv").write_text(
        "ID\tQuestion Stem\tChoices\tComplete Question\tAnswer Key\n"
        '8-1\tA "cold" day\t(A) ice (B) hot tea (C) sun (D) sand\twhatever\tB\n'
    )
    row = {
        "id": "8-1",
        "question_stem": 'A "cold" day',
        "choices": {"text": ["ice", "hot tea", "sun", "sand"], "label": ["A", "B", "C", "D"]},
        "answerKey": "B",
    }
    assert [formats.openbookqa(one) for one in tab_separated(tmp_path / "test.tsv")] == [row]
    choices = [{"text": text, "label": label} for text, label in zip(*row["choices"].values(), strict=True)]
    nested = {"id": "8-1", "question": {"stem": 'A "cold" day', "choices": choices}, "answerKey": "B"}
    assert first(tmp_path, nested, formats.openbookqa) == row


def test_piqa(tmp_path):
    goals = [{"goal": "g", "sol1": "a", "sol2": "b"}, {"goal": "h", "sol1": "c", "sol2": "d"}]
    file = write_lines(tmp_path / "valid.jsonl", goals)
    (tmp_path / "valid-labels.lst").write_text("1\n0\n")
    rows = [formats.piqa(one) for one in labelled_lines(file, tmp_path / "valid-labels.lst")]
    assert rows == [{**goals[0], "label": 1}, {**goals[1], "label": 0}]


def test_social_iqa(tmp_path):
    asked = {"context": "Al fell.", "question": "Why?"}
    row = {**asked, "answerA": "ice", "answerB": "luck", "answerC": "rain", "label": "3"}
    given = {**asked, "options": ["ice", "luck", "rain"], "answer": "rain", "metadata": {}}
    assert first(tmp_path, given, formats.siqa) == row
    assert first(tmp_path, row, formats.siqa) == row


def test_commonsense_qa(tmp_path):
    texts = ["bank", "sea", "attic", "park", "bus"]
    row = {
        "id": "1a",
        "question": "Where?",
        "question_concept": "coin",
        "choices": {"label": ["A", "B", "C", "D", "E"], "text": texts},
        "answerKey": "D",
    }
    assert first(tmp_path, row, formats.commonsense_qa) == row
    choices = [{"label": label, "text": text} for label, text in zip("ABCDE", texts, strict=True)]
    nested = {"stem": "Where?", "question_concept": "coin", "choices": choices}
    assert first(tmp_path, {"id": "1a", "question": nested, "answerKey": "D"}, formats.commonsense_qa) == row


def test_gsm8k(tmp_path):
    row = {"question": "How many?", "answer": "1 + 1 = <<1+1=2>>2\n#### 2"}
    assert first(tmp_path, row, formats.gsm8k) == row


@pytest.mark.parametrize("headed", [True, False])
def test_mmlu(tmp_path, headed):
    file = tmp_path / "anatomy_test.csv"
    rows = [["Two\nlines, one question", "a", "b", "c", "d", "2" if headed else "C"]]
    with file.open("w", newline="") as out:
        header = [["question", "choice0", "choice1", "choice2", "choice3", "answer"]] if headed else []
        csv.writer(out).writerows([*header, *rows])
    assert [formats.mmlu(one, "anatomy") for one in mmlu_rows(file)] == [
        {"question": "Two\nlines, one question", "subject": "anatomy", "choices": ["a", "b", "c", "d"], "answer": 2}
    ]


SIQA = {"context": "c", "question": "q", "options": ["a", "b", "c"], "answer": "b"}
WINO = {"context_options": ["a b", "a c"], "continuation": "d", "gold": 0}
EASY = {"query": "Question: q", "choices": ["a", "b"], "gold": 0}
CQA = {
    "id": "i",
    "question": "q",
    "question_concept": "c",
    "choices": {"label": list("ABCDE"), "text": list("abcde")},
    "answerKey": "A",
}


@pytest.mark.parametrize(
    ("convert", "good", "change", "said"),
    [
        (formats.hellaswag, hellaswag(0), {"endings": ["a", "b", "c"]}, "endings to be a list of 4 texts"),
        (formats.hellaswag, hellaswag(0), {"label": 4}, "label to be a number from 0 to 3, found 4"),
        (formats.hellaswag, hellaswag(0), {"label": True}, "label to be a number"),
        (formats.hellaswag, hellaswag(0), {"label": ""}, "label to be a number"),
        (formats.arc, EASY, {"query": "q"}, "query to begin with 'Question: '"),
        (formats.arc, EASY, {"gold": -1}, "gold to be a number from 0 to 1, found -1"),
        (formats.winogrande, WINO, {"context_options": ["a b", "c b"]}, "one beginning and another end"),
        (formats.winogrande, WINO, {"context_options": ["a b", "a b"]}, "one beginning and another end"),
        (formats.siqa, SIQA, {"answer": "d"}, "answer to be exactly one of the options, found 'd'"),
        (formats.siqa, SIQA, {"options": ["b", "b", "c"]}, "answer to be exactly one of the options"),
        (formats.commonsense_qa, CQA, {"answerKey": "F"}, "answerKey to be one of A, B, C, D, E, found 'F'"),
        (formats.gsm8k, {"question": "q", "answer": "#### 1"}, {"answer": "one"}, "end with #### and a number"),
        (formats.gsm8k, {"question": "q", "answer": "#### 1"}, {"question": ""}, "question to be text, found ''"),
    ],
)
def test_a_bad_item_is_named_by_file_and_line(tmp_path, convert, good, change, said):
    file = write_lines(tmp_path / "items.jsonl", [good, {**good, **change}])
    one, other = json_lines(file)
    convert(one)
    with pytest.raises(InputError) as error:
        convert(other)
    assert said in str(error.value)
    assert str(error.value).startswith(f"{file}:2: expected ")
    for name in good.keys() - {"metadata"}:
        with pytest.raises(InputError, match=r"items\.jsonl:1: expected a field"):
            convert(type(one)(one.file, one.line, {key: value for key, value in good.items() if key != name}))


def test_damaged_files_are_named_by_line(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n\n{"a"')
    with pytest.raises(InputError, match=r"a\.jsonl:3: expected a JSON object"):
        list(json_lines(tmp_path / "a.jsonl"))
    (tmp_path / "b.tsv").write_text("x\ty\n1\t2\n3\n")
    with pytest.raises(InputError, match=r"b\.tsv:3: expected 2 columns, found 1"):
        list(tab_separated(tmp_path / "b.tsv"))
    (tmp_path / "c.csv").write_text("q,a,b,c,d,A\nq,a,b,c,d,E\n")
    with pytest.raises(InputError, match=r"c\.csv:2: expected answer to be one of A, B, C, D, found 'E'"):
        list(mmlu_rows(tmp_path / "c.csv"))
    (tmp_path / "valid-labels.lst").write_text("0\n")
    with pytest.raises(InputError, match=r"a label for each of the 2 items .* found 1"):
        list(labelled_lines(write_lines(tmp_path / "valid.jsonl", [{}, {}]), tmp_path / "valid-labels.lst"))


def test_the_mirror_lies_as_datasets_wants_it(mirror):
    folder, manifest = mirror
    splits = {(one.dataset, one.config, one.split): one for one in read_index(folder)}
    assert len({key[0] for key in splits}) == 9  # both of ARC are one dataset
    assert sum(key[0] == "cais/mmlu" for key in splits) == 2 * len(SUBJECTS)
    for (dataset, config, split), one in splits.items():
        table = pq.read_table(folder / dataset / config / f"{split}-00000.parquet")
        assert table.num_rows == (one.rows or 1)
        assert f"path: {json.dumps(f'{config}/{split}-*.parquet')}" in (folder / dataset / "README.md").read_text()
    assert manifest.counts[0].came_in == sum(one.rows for one in splits.values()) == 9 * 4 + 2 + 57 * 3
    assert splits["allenai/ai2_arc", "ARC-Challenge", "validation"].source == "arc/ARC-Challenge-Dev.jsonl"


def test_what_the_originals_lack_is_said_and_filled_so_that_nobody_takes_it_for_data(mirror):
    folder, manifest = mirror
    lacking = [one for one in read_index(folder) if not one.rows]
    assert {one.split for one in lacking} == {"train"}
    assert len(lacking) == 9
    for one in lacking:
        row = pq.read_table(folder / f"{one.table}-00000.parquet").to_pylist()[0]
        assert formats.FILLER in str(row)
    assert "use num_fewshot" in formats.FILLER
    assert "one filler row" in (folder / "openai" / "gsm8k" / "README.md").read_text()
    assert any("num_fewshot: 0" in warning for warning in manifest.warnings)


def test_the_same_bytes_again_and_no_path_of_this_machine(originals, mirror, tmp_path):
    again = run_stage("sage_eval.bench.mirror", {}, {"from": originals}, tmp_path / "again")
    assert again.content_hash == mirror[1].content_hash
    texts = [path.read_text() for path in mirror[0].rglob("*") if path.suffix in (".json", ".md", ".txt")]
    assert not any(str(originals.parent) in text for text in texts)


def test_tasks_that_are_not_there_are_said_or_refused(tmp_path, originals):
    folder = write_originals(tmp_path / "some", subjects=["anatomy", "virology"])
    found = local_parts(folder, ())
    assert len(found.missing) == 55
    assert {part.split.config for part in found.parts if part.split.dataset == "cais/mmlu"} == {"anatomy", "virology"}
    assert local_parts(folder, ("mmlu_anatomy", "piqa")).missing == ()
    with pytest.raises(InputError, match=r"no file for mmlu_abstract_algebra.*abstract_algebra_test\.csv"):
        local_parts(folder, ("mmlu",))
    with pytest.raises(InputError, match="no file for hellaswag"):
        local_parts(tmp_path / "nothing", ())
    with pytest.raises(ConfigError, match="no original format is known for 'boolq'"):
        local_parts(folder, ("boolq",))
    write_lines(folder / "copy" / "hellaswag_val.jsonl", [])
    with pytest.raises(InputError, match="could both be meant"):
        local_parts(folder, ("hellaswag",))


def test_an_empty_file_is_no_benchmark(tmp_path):
    write_lines(tmp_path / "gsm8k" / "test.jsonl", [])
    with pytest.raises(InputError, match="holds no item"):
        local_parts(tmp_path, ("gsm8k",))


def test_paper_stands_for_the_ten_tasks():
    assert len(PAPER_TASKS) == 10
    assert single_tasks(("paper",)) == single_tasks(()) == single_tasks(PAPER_TASKS)
    assert len(single_tasks(())) == 9 + 57 == len(ORIGINALS)


def test_local_files_do_not_go_with_the_hub(originals, tmp_path):
    with pytest.raises(ConfigError, match="neither --hub nor --cache"):
        run_stage("sage_eval.bench.mirror", {"hub": True}, {"from": originals}, tmp_path / "out")


def test_the_command_line(originals, tmp_path, capsys):
    command = ["eval", "bench", "mirror", "--from", str(originals), "--tasks", "piqa", "--out", str(tmp_path / "m")]
    assert call([*command, "--quiet"]) == 0
    assert "baber/piqa  validation" in capsys.readouterr().out
    assert json.loads((tmp_path / "m" / INDEX).read_text())["splits"][1]["rows"] == 4
