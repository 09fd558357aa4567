"""Keeps what lm-eval prints in a file of the stage, without this machine's paths and without keys.

with logged(log, Scrubber([Path("runs/demo/sage1")], key=None)): ...
"""

from __future__ import annotations

import io
import logging
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from sage_data.chat.openai.redaction import REDACTED

LOG = "logs/lm-eval.log"
_CUT = re.compile(r"Truncating|[Ll]eft[ -]truncat")
_SHORTEST = 4
"""Shorter paths and keys would be found inside words."""


class Scrubber:
    """Takes paths and a key out of text."""

    def __init__(self, paths: Iterable[Path], key: str | None = None) -> None:
        places = {str(form) for path in paths for form in (path, path.absolute(), path.resolve())}
        known = {**{place: Path(place).name for place in places}, tempfile.gettempdir(): "TMP", str(Path.home()): "~"}
        # The longest first, as one may lie inside another.
        self._known = sorted((place for place in known if len(place) >= _SHORTEST), key=len, reverse=True)
        self._names = known
        self._key = key if key and len(key) >= _SHORTEST else None

    def __call__(self, text: str) -> str:
        """The text without them."""
        for place in self._known:
            text = text.replace(place, self._names[place])
        return text if self._key is None else text.replace(self._key, REDACTED)


class _Scrubbed(io.TextIOBase):
    """Writes whole lines, scrubbed: a path may come in pieces."""

    def __init__(self, below: io.TextIOBase, scrub: Scrubber) -> None:
        self._below, self._scrub, self._pending = below, scrub, ""

    def write(self, text: str) -> int:
        done, end, self._pending = (self._pending + text).rpartition("\n")
        self._below.write(self._scrub(done + end))
        return len(text)

    def flush(self) -> None:
        self._below.flush()

    def finish(self) -> None:
        self._below.write(self._scrub(self._pending))
        self._pending = ""


@contextmanager
def logged(log: Path, scrub: Scrubber) -> Iterator[None]:
    """Send what is printed to standard error, and lm-eval's warnings, to the file: both would bury our own progress."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        stream = _Scrubbed(file, scrub)
        handler, logger = logging.StreamHandler(stream), logging.getLogger("lm_eval")
        logger.addHandler(handler)
        try:
            with redirect_stderr(stream):
                yield
        finally:
            logger.removeHandler(handler)
            stream.finish()


def prompts_cut(log: Path) -> int:
    """How often lm-eval says that it cut a prompt to fit the model's context."""
    if not log.is_file():
        return 0
    with log.open(encoding="utf-8") as lines:
        return sum(1 for line in lines if _CUT.search(line))
