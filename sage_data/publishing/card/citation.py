"""How to cite a dataset and the paper it follows, as BibTeX.

dataset_entry(title, options)
"""

from __future__ import annotations

import re

from sage_data.publishing.card.escaping import plain
from sage_data.publishing.card.options import CardOptions

PAPER = """@misc{sage,
  title  = {{SAGE}: Steering and Refining Dialog Generation with State-Action Augmentation},
  author = {Zhang, Yizhe and Jaitly, Navdeep},
  note   = {Apple. Code: https://github.com/apple/ml-sage-dialog-gen},
}"""
"""The paper whose method this project follows."""
HUB = "https://huggingface.co/datasets/"
_SPECIAL = re.compile(r"([%#&$_])")


def dataset_entry(title: str, options: CardOptions) -> str:
    """The dataset's own entry: as given, or made from title, authors, year and repository."""
    if options.citation:
        return options.citation
    key = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "dataset"
    fields = {
        "title": _bibtex(title),
        "author": " and ".join(_bibtex(plain(one)) for one in options.authors),
        "year": str(options.year or ""),
        "url": f"{HUB}{plain(options.repo)}" if options.repo else "",
    }
    lines = [f"  {name:<6} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}"])


def _bibtex(text: str) -> str:
    """A text inside braces: no brace or backslash of its own, marks that TeX reads escaped."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"[{}\\]", "", text))
