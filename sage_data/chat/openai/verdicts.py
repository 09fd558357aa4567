"""Whether what a server refuses is wrong with one conversation or with all of them.

A rejected request, or one too long for the model, says nothing about the others once something has been answered. While
nothing has, it may be that no request has a chance: the first rejection ends the work, and so does the same "too long"
of as many conversations as may be open at once. No further ones are begun until that is known.

    async with verdicts.trial(): ...; verdicts.answered(); verdicts.is_fatal(trouble)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sage_data.chat.openai.troubles import Kind, Trouble, TroubleError

REJECTIONS = 3
"""Requests in a row, with no answer between them, that a server may reject before every request seems wrong to it."""


class Verdicts:
    """Belongs to one event loop."""

    def __init__(self, most: int) -> None:
        """`most` conversations that are too long, and no answer, end the work."""
        self._most = most
        self._changed = asyncio.Event()
        self._answered = False
        self._rejected = 0
        self._too_long = 0
        self._open = 0
        self._hopeless: Trouble | None = None
        """Every conversation so far was too long, for this one's reason."""

    @asynccontextmanager
    async def trial(self) -> AsyncIterator[None]:
        """Ask about one conversation; waits while those that are open may show that it has no chance.

        Raises:
            TroubleError: they did.
        """
        while not self._answered and self._too_long and self._open + self._too_long >= self._most:
            if self._hopeless is not None:
                raise TroubleError(self._hopeless)
            await self._changed.wait()
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            self._wake()

    def renew(self) -> None:
        """New work begins, which may ask for less: where there was no hope, its first call decides. For any thread."""
        if self._hopeless is not None:
            self._too_long, self._hopeless = self._most - 1, None

    def answered(self) -> None:
        """A request brought a reply."""
        self._answered, self._rejected = True, 0
        self._wake()

    def is_fatal(self, trouble: Trouble) -> bool:
        """True when no further request has a chance."""
        if trouble.kind is Kind.TOO_LONG:
            self._too_long += 1
            self._hopeless = None if self._answered or self._too_long < self._most else trouble
            return self._hopeless is not None
        if trouble.kind is Kind.REJECTED:
            self._rejected += 1
            return not self._answered or self._rejected >= REJECTIONS
        return trouble.kind is Kind.FATAL

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
