"""Counts the tokens of a reply by a tokenizer that is named, so that models with different tokenizers compare.

count = token_counter(Path("sage1/model"))
count("So sorry.")
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sage_data.errors import InputError, MissingDependencyError

FILE = "tokenizer.json"
TokenCount = Callable[[str], int]
"""Text -> its number of tokens, without any that mark a beginning or an end."""


def token_counter(path: Path) -> TokenCount:
    """Read a `tokenizer.json`, or the one of a model folder.

    Raises:
        InputError: there is none, or it cannot be read.
        MissingDependencyError: the library that reads it is not installed.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"{path}: expected a {FILE}", next_step="give a model folder, or the file itself")
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingDependencyError(
            "counting tokens needs the tokenizers library", next_step="pip install 'sage-dialogue[train]'"
        ) from error
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more exact
        raise InputError(f"{file}: not readable as a tokenizer: {error}") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
