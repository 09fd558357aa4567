"""Small benchmark tasks about the miniature world, in lm-eval's own format: a YAML file and a JSONL file each.

    world_emotion   which of four emotions does this person feel?      multiple choice, acc
    world_next      which of four replies comes next?                  multiple choice, acc and acc_norm
    world_topic     what is this talk about?                           generation, exact match

The YAML names its data by file name: run lm-eval with the tasks folder as working directory, or rewrite `data_files`.

    write_tasks(Path("tasks"), seed=7, size=200)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from typing import Any

from sage_data.sample.base import ABOUT, FEELS, reading, transcript
from sage_data.sample.characters import USER_EMOTIONS
from sage_data.sample.talk import converse
from sage_data.sample.wording import topics

OPTIONS = 4
_HEAD = """\
task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {name}.jsonl
test_split: test
doc_to_text: "{{{{text}}}}"
"""
_CHOICE = """\
output_type: multiple_choice
doc_to_choice: "{{choices}}"
doc_to_target: label
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
  - metric: acc_norm
    aggregation: mean
    higher_is_better: true
metadata:
  version: 1.0
"""
_GENERATE = """\
output_type: generate_until
doc_to_target: "{{answer}}"
generation_kwargs:
  until: [".", "\\n"]
  do_sample: false
  max_gen_toks: 16
filter_list:
  - name: stripped
    filter:
      - function: remove_whitespace
      - function: take_first
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    ignore_case: true
metadata:
  version: 1.0
"""


def emotion_doc(rng: Random) -> dict[str, Any]:
    """An opening utterance; the answer is the speaker's emotion."""
    user = converse(rng, 1)[0]
    others = rng.sample([name for name in USER_EMOTIONS if name != user.state.emotion], OPTIONS - 1)
    return {"text": f"{reading(user.text)}\n{FEELS}", **_shuffled(rng, str(user.state.emotion), others)}


def next_doc(rng: Random) -> dict[str, Any]:
    """An opening utterance; the answer is the reply to it, the others are first replies of talks about other things."""
    user, reply = converse(rng, 2)
    others = rng.sample([topic for topic in topics().values() if topic.name != user.state.topics[0]], OPTIONS - 1)
    replies = [converse(rng, 2, topic=topic)[1].text for topic in others]
    return {"text": f"{transcript([user])}\nAssistant:", **_shuffled(rng, reply.text, replies)}


def topic_doc(rng: Random) -> dict[str, Any]:
    """An opening utterance; the answer is its topic."""
    user = converse(rng, 1)[0]
    return {
        "text": f"{reading(user.text)}\n{FEELS} {user.state.emotion}.\n{ABOUT}",
        "answer": user.state.topics[0],
    }


def _shuffled(rng: Random, answer: str, others: list[str]) -> dict[str, Any]:
    choices = [answer, *others]
    rng.shuffle(choices)
    return {"choices": choices, "label": choices.index(answer)}


TASKS: Mapping[str, tuple[Callable[[Random], dict[str, Any]], str]] = {
    "world_emotion": (emotion_doc, _CHOICE),
    "world_next": (next_doc, _CHOICE),
    "world_topic": (topic_doc, _GENERATE),
}
"""Each task's documents and the rest of its YAML."""


def write_tasks(folder: Path, *, seed: int, size: int) -> None:
    """Write all tasks with `size` documents each into `folder`, which must exist."""
    for name, (document, rest) in TASKS.items():
        docs = [document(Random(f"{seed}:{name}:{index}")) for index in range(size)]
        lines = "".join(json.dumps(doc, ensure_ascii=False, sort_keys=True) + "\n" for doc in docs)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
        (folder / f"{name}.yaml").write_text(_HEAD.format(name=name) + rest, encoding="utf-8", newline="\n")
