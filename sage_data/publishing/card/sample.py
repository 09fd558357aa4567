"""Makes the card of the sample world's dataset, which shows in `cards/sample/` what every card looks like.

python -m sage_data.publishing.card.sample cards/sample
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sage_data.publishing.card import CardOptions, write_card
from sage_data.publishing.layout import read_configs
from sage_data.stage import Context, run_stage

SEED = 7
STAGES: Sequence[tuple[str, str, Mapping[str, Any], Mapping[str, str]]] = (
    (
        "world",
        "sage_data.sample",
        {"threads": 400, "train": 60, "valid": 12, "test": 12, "base_documents": 1, "task_documents": 1},
        {},
    ),
    ("dialogues", "sage_data.reddit", {"workers": 1}, {"dumps": "world/dumps"}),
    ("kept", "sage_data.gates", {}, {"dialogues": "dialogues"}),
    ("annotated", "sage_data.annotation", {}, {"dialogues": "kept"}),
    ("chains", "sage_data.chains", {}, {"dialogues": "annotated"}),
)
"""(name, module, options, inputs) of every stage from nothing to chains."""
OPTIONS = CardOptions(
    title="Small talk of a miniature world",
    repo="sage-dialogue/small-talk-sample",
    summary="A small dataset made by a program, so that every part of the way from dumps to a published dataset can be "
    "tried and checked. It teaches a model to talk as the program does, and nothing about people.",
    authors=("The sage-dialogue authors",),
    tags=("synthetic",),
)


def make(folder: Path, destination: Path) -> None:
    """Run the stages in `folder` and write the card of what they made into `destination`.

    Raises:
        SageError: whatever a stage raises.
    """
    for name, uses, options, inputs in STAGES:
        given = {key: [folder / place] for key, place in inputs.items()}
        run_stage(uses, options, given, folder / name, Context(seed=SEED))
    write_card(read_configs([folder / "annotated", folder / "chains"]), destination, OPTIONS)


def main(arguments: Sequence[str]) -> None:
    """Write the card into the folder that is named."""
    (destination,) = arguments
    with TemporaryDirectory() as folder:
        make(Path(folder), Path(destination))


if __name__ == "__main__":
    main(sys.argv[1:])
