"""The backend itself: conversations in, completions out, over any server that speaks OpenAI's chat protocol.

chat = OpenAIChat(parse_address("tiny@http://127.0.0.1:8000/v1"), key=None)
for position, completions in chat.stream(conversations, Sampling()): ...
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from openai import AsyncOpenAI, Omit, Timeout

from sage_data.chat.openai.address import Address
from sage_data.chat.openai.asking import Asker
from sage_data.chat.openai.breaker import Breaker
from sage_data.chat.openai.bridge import Background, Flight
from sage_data.chat.openai.endpoints import Endpoint, Pool
from sage_data.chat.openai.limits import Rates, Window
from sage_data.chat.openai.redaction import Redactor
from sage_data.chat.openai.requests import check_sampling, level_asked
from sage_data.chat.openai.troubles import Kind, Trouble, TroubleError
from sage_data.chat.protocol import Completion, Conversation, Sampling
from sage_data.errors import BackendError


class OpenAIChat:
    """A `StreamingChat` over one or more servers of one model.

    Its connections are kept from call to call, on a thread of its own that `close`, or the end of the process, ends.
    """

    journaled = True

    def __init__(self, address: Address, key: str | None) -> None:
        self._address = address
        self._engine = _Engine(address, key)
        self._ending = weakref.finalize(self, self._engine.background.close)

    def __repr__(self) -> str:
        return f"OpenAIChat({self.identity!r})"

    @property
    def identity(self) -> str:
        """The model's name and those options that change its words; never a URL."""
        return self._address.identity

    @property
    def at_once(self) -> int:
        """Threads that may ask at the same time: calls that may be open, all servers together."""
        return self._address.options.concurrency

    @property
    def estimated_calls(self) -> int:
        """Requests so far whose tokens the server did not count, so that they are estimates: 4 UTF-8 bytes a token."""
        asker = self._engine.asker
        return 0 if asker is None else asker.estimated

    @property
    def lost_requests(self) -> int:
        """Requests so far that went out and brought no reply: timeouts, lost connections, nonsense, 5xx, cancelled.

        A provider may charge for them. What for, cannot be known here: tokens are told by replies alone.
        """
        asker = self._engine.asker
        return 0 if asker is None else asker.lost

    def stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
    ) -> Iterator[tuple[int, list[Completion]]]:
        """Yield each conversation's position and candidates as they finish; see `StreamingChat.stream`.

        The first of a request's candidates carries the prompt's tokens, the others none, so that sums are what is paid.

        Raises:
            BackendError: the servers refuse every call or cannot be reached, or cannot honour `sampling`.
        """
        check_sampling(sampling, n)
        return self._flow(conversations, sampling, n)

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        """Answer each conversation with `n` candidates, in order; see `ChatBackend.generate`.

        Raises:
            BackendError: as `stream`.
        """
        answers = dict(self.stream(conversations, sampling, n))
        return [answers[position] for position in range(len(conversations))]

    def close(self) -> None:
        """End the thread and close all connections; the backend is of no use afterwards."""
        self._ending()

    def _flow(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int
    ) -> Iterator[tuple[int, list[Completion]]]:
        source = enumerate(conversations)
        if self._engine.asker is not None:
            self._engine.asker.verdicts.renew()
        with Flight[list[Completion]](self._engine.background) as flight:
            more = True
            try:
                while more or flight.open:
                    # What has finished goes out first: until then it could be lost.
                    full = flight.open >= self._engine.slots
                    if (done := flight.take(wait=full or not more)) is not None:
                        yield done
                    elif (pulled := next(source, None)) is None:
                        more = False
                    else:
                        flight.launch(pulled[0], partial(self._engine.answer, pulled[1], sampling, n))
            except TroubleError as error:
                trouble = error.trouble
            else:
                return
            flight.cancel()
            yield from flight.rest()
        raise self._error(trouble)

    def _error(self, trouble: Trouble) -> BackendError:
        return BackendError(f"openai:{self._address.model}: {trouble.message}", next_step=trouble.next_step)


class _Engine:
    """What lives on the event loop. Knows nothing of the backend, so that the backend can be collected."""

    def __init__(self, address: Address, key: str | None) -> None:
        self._address = address
        self._key = key
        self._pool: Pool | None = None
        self.asker: Asker | None = None
        self.background = Background(self._end)

    @property
    def slots(self) -> int:
        """Conversations that may be taken at this moment."""
        return self._address.options.concurrency if self._pool is None else self._pool.slots

    async def answer(self, conversation: Conversation, sampling: Sampling, n: int) -> list[Completion]:
        """Answer one conversation."""
        if self.asker is None:
            self.asker = self._open()
        return await self.asker.answer(conversation, sampling, n)

    def _open(self) -> Asker:
        redact = Redactor(self._key)
        try:
            return self._opened(redact)
        except Exception as error:  # noqa: BLE001 - proxies and certificates named by the environment, for example
            what = redact(f"cannot be opened: {type(error).__name__}: {error}")
        raise TroubleError(Trouble(Kind.FATAL, what, next_step="sage doctor"))

    def _opened(self, redact: Redactor) -> Asker:
        options = self._address.options
        endpoints = [self._endpoint(url) for url in self._address.urls]
        patience_s = options.attempts * options.retry_after_cap
        self._pool = Pool(endpoints, options.concurrency, options.outage, options.outage_at_start, patience_s)
        rates = Rates(options.requests_per_minute, options.tokens_per_minute)
        return Asker(self._address, self._pool, rates, redact)

    def _endpoint(self, url: str) -> Endpoint:
        options = self._address.options
        key = self._key if self._address.sends_key(url) else None
        client = AsyncOpenAI(
            base_url=url,
            api_key=key or "none",
            max_retries=0,
            timeout=Timeout(options.timeout, connect=options.connect_timeout),
        )
        window, breaker = Window(options.concurrency), Breaker(options.breaker_failures, options.breaker_wait)
        headers = {} if key else {"Authorization": Omit()}
        return Endpoint(url, client, window, breaker, headers, level_asked(self._address))

    async def _end(self) -> None:
        for endpoint in self._pool.endpoints if self._pool else ():
            await endpoint.client.close()
