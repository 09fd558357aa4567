"""Faults on a schedule: which request is answered wrongly, how, and how often.

Fault("POST", "/commit/", status=429, headers={"Retry-After": "3"}, times=2)
Fault("POST", "/commit/", lost=True)        the commit is made, its answer never arrives
Fault("PUT", "/lfs/", stall=True)           the server falls silent; meant for killing the client there
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What goes wrong with requests of one kind."""

    method: str
    path: str
    """A regular expression that is looked for in the request's path."""
    status: int | None = None
    """Answered instead of doing anything."""
    headers: Mapping[str, str] = field(default_factory=dict)
    says: str = "a planted fault"
    """The error message of such an answer."""
    lost: bool = False
    """Done, but the connection is dropped before the answer."""
    dropped: bool = False
    """The connection is dropped before anything is done."""
    stall: bool = False
    """Nothing is answered until the server is closed; nothing is done either, unless the answer is `lost` too."""
    times: int = 1
    after: int = 0
    """Requests of this kind that pass first."""

    def strikes(self, method: str, path: str) -> bool:
        """True when this request is hit; counts it."""
        if self.times <= 0 or method != self.method or not re.search(self.path, path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True
