"""Scenarios from elsewhere: what lies behind a URL is fetched for as long as it is read.

Of a remote folder, only files are fetched whose names tell a split; the corpus is small, so anything large is another.

    with fetched(inputs.one("archive")) as path: ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sage_data.errors import InputError
from sage_data.inputs import Input, open_file_system
from sage_data.scenarios.sources import LOAD_FIRST, tells_split

LIMIT_BYTES = 536_870_912
"""Most that is fetched: the corpus has some 30 MB."""
_HUB = "hf://datasets/"


@contextmanager
def fetched(given: Input) -> Iterator[Path]:
    """The local path of an input; of a remote one, of a copy that is gone when the block ends.

    Raises:
        InputError: there is nothing of the corpus, it is too large, or it cannot be fetched.
    """
    if given.url is None:
        yield given.path
        return
    with TemporaryDirectory(prefix="sage-scenarios-") as folder:
        # Its own name tells a file's kind.
        place = Path(folder) / (given.path.name or "corpus")
        try:
            _fetch(given.url, place)
        except InputError:
            raise
        except Exception as error:
            # Each file system has errors of its own: no network, no permission, a lost connection.
            raise InputError(
                f"{given.url}: cannot be fetched: {type(error).__name__}: {str(error)[:300]}",
                next_step="check the URL, the network and credentials, and run again",
            ) from error
        yield place


def _fetch(url: str, place: Path) -> None:
    system, root = open_file_system(url)
    if system.isfile(root):
        _check_size(url, {root: system.info(root)})
        system.get_file(root, str(place))
        return
    found = {path: entry for path, entry in system.find(root, detail=True).items() if tells_split(path)}
    if not found:
        raise InputError(
            f"{url}: expected train, valid or test as .csv, .csv.gz or .parquet, found none", next_step=_advice(url)
        )
    _check_size(url, found)
    for path in sorted(found):
        copy = place / path.removeprefix(root).lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        system.get_file(path, str(copy))


def _check_size(url: str, files: Mapping[str, Mapping[str, Any]]) -> None:
    size = sum(int(entry.get("size") or 0) for entry in files.values())
    if size > LIMIT_BYTES:
        raise InputError(
            f"{url}: expected EmpatheticDialogues, of at most {LIMIT_BYTES:,} bytes, found {size:,}",
            next_step=_advice(url),
        )


def _advice(url: str) -> str:
    if not url.startswith(_HUB):
        return "give the URL of the corpus' .tar.gz, or of a folder with its files"
    repository = "/".join(url.removeprefix(_HUB).partition("@")[0].split("/")[:2])
    return (
        f"try the Hub's own copy in Parquet, {_HUB}{repository}@refs%2Fconvert%2Fparquet; for any other dialogues, "
        f"{LOAD_FIRST}"
    )
