"""Where the cards' templates lie: in the installed package, or at the top of a checkout.

cards_folder() / DATASET
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

DATASET = "dataset.md.jinja"


def cards_folder() -> Path:
    """The folder of the templates."""
    packaged = Path(str(files("sage_data"))) / "_cards"
    return packaged if packaged.is_dir() else Path(str(files("sage_data"))).parent / "cards"
