"""How messages list many names.

named(["anatomy", "astronomy", ...])  # "anatomy, astronomy, ... and 54 more"
"""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 3


def named(names: Sequence[str]) -> str:
    """The first few of a list of names, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
