"""Made-up items of the paper's ten benchmarks in the formats of their original files, for the tests of the mirror."""

import csv
import json
from pathlib import Path

from sage_eval.bench.conventions import SUBJECTS

THINGS = ("a kettle", "a ladder", "an umbrella", "a compass", "a violin", "a shovel")
ALL_SUBJECTS = tuple(sorted(SUBJECTS))
PLACES = ("kitchen", "garden", "station", "library", "workshop", "harbour")


def _pick(names, index):
    return names[index % len(names)]


def hellaswag(index):
    return {
        "ind": 100 + index,
        "activity_label": "Mending things",
        "ctx_a": f"A woman carries {_pick(THINGS, index)} into the {_pick(PLACES, index)}.",
        "ctx_b": "she",
        "ctx": f"A woman carries {_pick(THINGS, index)} into the {_pick(PLACES, index)}. she",
        "split": "val",
        "split_type": "indomain",
        "label": index % 4,
        "endings": ["sets it down.", "flies away with it.", "eats it [title] slowly.", "becomes a cloud."],
        "source_id": f"made~up_{index}",
    }


def arc(index):
    return {
        "id": f"Made_{index}",
        "question": {
            "stem": f"Which of these is used in the {_pick(PLACES, index)}?",
            "choices": [
                {"text": _pick(THINGS, index + shift), "label": label}
                for shift, label in enumerate("ABCD"[: 3 + index % 2])
            ],
        },
        "answerKey": "ABC"[index % 3],
    }


def arc_easy(index):
    return {
        "choices": [_pick(THINGS, index + shift) for shift in range(4)],
        "query": f"Question: What is kept in the {_pick(PLACES, index)}?",
        "gold": index % 4,
    }


def winogrande(index):
    return {
        "context_options": [
            f"The {_pick(PLACES, index)} was colder than the attic, so the {_pick(PLACES, index)}",
            f"The {_pick(PLACES, index)} was colder than the attic, so the attic",
        ],
        "continuation": "was heated first.",
        "gold": index % 2,
    }


def piqa(index):
    return {
        "goal": f"Carry {_pick(THINGS, index)} home.",
        "sol1": "Hold it with both hands.",
        "sol2": "Whistle until it follows.",
    }


def siqa(index):
    options = ["thank him", "run away", "fall asleep"]
    return {
        "context": f"Robin lent Sasha {_pick(THINGS, index)}.",
        "question": "What will Sasha want to do next?",
        "options": options,
        "answer": options[index % 3],
        "metadata": {"task": "socialiqa"},
    }


def commonsense_qa(index):
    return {
        "id": f"{index:032x}",
        "question": f"Where would you leave {_pick(THINGS, index)}?",
        "question_concept": "leave",
        "choices": {"label": list("ABCDE"), "text": list(PLACES[:5])},
        "answerKey": "ABCDE"[index % 5],
    }


def gsm8k(index):
    total = 3 * (index + 2)
    return {
        "question": f"Kim packs {index + 2} boxes with 3 cups each. How many cups are that?",
        "answer": f"{index + 2} * 3 = <<{index + 2}*3={total}>>{total}\n#### {total}",
    }


def openbookqa(index):
    stem = f"To cross a lake by night one needs number {index}:"
    listed = "(A) a lamp (B) a pillow (C) a stamp (D) a spoon"
    return [f"7-{index}", stem, listed, f"{stem} {listed}", "ABCD"[index % 4]]


def mmlu(subject, index):
    return [f"What does {subject.replace('_', ' ')} say about case {index}?", "nothing", "much", "little", "1, or 2"]


def write_lines(file: Path, rows) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def write_originals(folder: Path, items: int = 4, subjects=ALL_SUBJECTS) -> Path:
    """`items` items a task, two and one example a subject of mmlu."""
    some = range(items)
    write_lines(folder / "hellaswag" / "hellaswag_val.jsonl", map(hellaswag, some))
    write_lines(folder / "arc" / "ARC-Challenge-Test.jsonl", map(arc, some))
    write_lines(folder / "arc" / "ARC-Challenge-Dev.jsonl", map(arc, range(10, 12)))
    write_lines(folder / "arc" / "arc_easy_test.jsonl", map(arc_easy, some))
    write_lines(folder / "winogrande" / "winogrande_dev_partial_format.jsonl", map(winogrande, some))
    write_lines(folder / "piqa" / "valid.jsonl", map(piqa, some))
    (folder / "piqa" / "valid-labels.lst").write_text("".join(f"{index % 2}\n" for index in some))
    write_lines(folder / "siqa" / "dev.jsonl", map(siqa, some))
    write_lines(folder / "commonsenseqa" / "dev_rand_split.jsonl", map(commonsense_qa, some))
    write_lines(folder / "gsm8k" / "test.jsonl", map(gsm8k, some))
    header = ["ID", "Question Stem", "Choices", "Complete Question", "Answer Key"]
    tsv = "\n".join("\t".join(row) for row in [header, *map(openbookqa, some)])
    (folder / "openbookqa").mkdir()
    (folder / "openbookqa" / "test.tsv").write_text(f"{tsv}\n")
    for split, rows in (("test", range(2)), ("dev", range(8, 9))):
        (folder / "mmlu" / split).mkdir(parents=True)
        for number, subject in enumerate(subjects):
            with (folder / "mmlu" / split / f"{subject}_{split}.csv").open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["question", "choice0", "choice1", "choice2", "choice3", "answer"])
                writer.writerows([*mmlu(subject, row), (number + row) % 4] for row in rows)
    return folder
