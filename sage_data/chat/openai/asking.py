"""Ask one conversation's candidates of the servers: send, learn from refusals, try again, fill up what is missing.

completions = await Asker(address, pool, rates, redact).answer(conversation, sampling, n)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import stamina

from sage_data.chat.openai.address import Address, public_name
from sage_data.chat.openai.endpoints import Endpoint, Pool
from sage_data.chat.openai.limits import Rates, estimated_prompt
from sage_data.chat.openai.redaction import Redactor
from sage_data.chat.openai.replies import Reply, read_reply
from sage_data.chat.openai.requests import Level, Wanted, request_body, unsendable
from sage_data.chat.openai.troubles import Kind, Trouble, TroubleError, judge
from sage_data.chat.openai.verdicts import Verdicts
from sage_data.chat.protocol import Completion, Conversation, Sampling

# Each retry would be printed on stderr otherwise, unless the program has set up logging itself.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Asker:
    """Turns conversations into completions. Belongs to one event loop."""

    def __init__(self, address: Address, pool: Pool, rates: Rates, redact: Redactor) -> None:
        self._address, self._pool, self._rates, self._redact = address, pool, rates, redact
        self.estimated = 0
        """Requests whose tokens the server did not count."""
        self.lost = 0
        """Requests that went out and brought no reply."""
        self.verdicts = Verdicts(address.options.concurrency)

    async def answer(self, conversation: Conversation, sampling: Sampling, n: int) -> list[Completion]:
        """`n` candidates; failures are completions.

        A server that gives fewer than `n` at once is asked for the others one by one, each with a seed of its own.

        Raises:
            TroubleError: no further call has a chance.
        """
        wanted = Wanted(conversation, sampling, n)
        if (obstacle := unsendable(conversation)) is not None:
            return [self._failed(Trouble(Kind.CONVERSATION, obstacle))] * n
        async with self.verdicts.trial():
            return await self._all(wanted)

    async def _all(self, wanted: Wanted) -> list[Completion]:
        got, n = await self._ask(wanted), wanted.n
        singles = [replace(wanted, n=1, first=candidate) for candidate in range(len(got), n)]
        rest = await asyncio.gather(*(self._ask(one) for one in singles), return_exceptions=True)
        for one in rest:
            if isinstance(one, BaseException):
                raise one
            got += one
        return got

    async def _ask(self, wanted: Wanted) -> list[Completion]:
        """One to `wanted.n` candidates, after as many attempts as it takes."""
        options = self._address.options
        attempts = stamina.retry_context(
            on=_worth_another,
            attempts=options.attempts,
            timeout=None,
            wait_initial=options.retry_wait,
            wait_max=options.retry_wait_max,
            wait_jitter=options.retry_wait,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    return await self._attempt(wanted)
        except TroubleError as error:
            trouble = error.trouble
        if self.verdicts.is_fatal(trouble):
            raise TroubleError(trouble)
        return [self._failed(trouble)] * wanted.n

    async def _attempt(self, wanted: Wanted) -> list[Completion]:
        """One attempt at one server; what it cannot do is learnt and asked for no more, which counts as no failure."""
        async with self._pool.turn() as endpoint:
            while True:
                asked = replace(wanted, n=1) if endpoint.singly else wanted
                level = endpoint.level
                try:
                    reply = await self._send(endpoint, asked, level)
                except TroubleError as error:
                    if not _learn(endpoint, error.trouble, level):
                        raise
                    continue
                endpoint.singly = endpoint.singly or len(reply.completions) < asked.n
                self.estimated += reply.estimated
                self.verdicts.answered()
                return list(reply.completions)

    async def _send(self, endpoint: Endpoint, wanted: Wanted, level: Level) -> Reply:
        body = request_body(self._address, wanted, level)
        most = estimated_prompt(wanted.conversation.messages) + wanted.n * wanted.sampling.max_tokens
        await self._rates.take(most)
        sent_at = asyncio.get_running_loop().time()
        try:
            reply = read_reply(await self._post(endpoint, body), wanted, self._address.model, self._redact)
        except asyncio.CancelledError:
            self.lost += 1
            raise
        except Exception as error:  # noqa: BLE001 - whatever a request dies of is judged, and none may end the loop
            trouble = judge(error, asked=body, address=self._address, redact=self._redact)
        else:
            self._pool.went_well(endpoint)
            return reply
        # Outside the handler, so that the client's own error, which holds the request with its key, is not attached.
        self.lost += trouble.lost
        self._pool.went_wrong(endpoint, trouble, sent_at)
        raise TroubleError(trouble)

    async def _post(self, endpoint: Endpoint, body: Mapping[str, Any]) -> str:
        """The body of the answer; the time limit holds for all of it, also when it trickles."""
        create = endpoint.client.chat.completions.with_raw_response.create
        async with asyncio.timeout(self._address.options.timeout):
            answer = await create(**body, extra_headers=endpoint.headers)
        text: str = answer.http_response.text
        return text

    def _failed(self, trouble: Trouble) -> Completion:
        attempts = self._address.options.attempts
        said = trouble.message
        if trouble.kind is Kind.AGAIN:
            said = f"given up after {attempts} attempts; the last: {said}"
        return Completion(
            text="",
            status=trouble.status,
            model=public_name(self._address.model),
            # As in-process engines say it, so that who speaks on can leave out what is oldest.
            finish_reason="context" if trouble.kind is Kind.TOO_LONG else None,
            error=said,
        )


def _worth_another(error: Exception) -> bool:
    return isinstance(error, TroubleError) and error.trouble.kind is Kind.AGAIN


def _learn(endpoint: Endpoint, trouble: Trouble, level: Level) -> bool:
    """Remember what a server cannot do; False when the trouble teaches nothing."""
    if trouble.kind is Kind.LESS_JSON:
        endpoint.lower(level)
    elif trouble.kind is Kind.SINGLY:
        endpoint.singly = True
    return trouble.kind in (Kind.LESS_JSON, Kind.SINGLY)
