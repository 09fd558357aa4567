"""Ask about many dialogues at once: first try, one repair of a bad reply, further rounds for what failed.

All calls go through one stream, so that a server stays as busy as it can; second tries are fed in as they come up. What
becomes of a dialogue depends on its id, the seed and the replies alone, not on when they come or on its neighbours.

    for job in Asking(chat, Request(prompt), rules, sampling, rounds=1, seed=7).run(jobs): ...
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from sage_data.annotation.annotator import AnnotationFailure, FailureKind
from sage_data.annotation.llm.reply import Annotated, ReplyError, Rules, read_reply
from sage_data.annotation.llm.request import Request
from sage_data.chat import Completion, Conversation, Sampling, StreamingChat
from sage_data.chat.quoting import writable
from sage_data.dialogue import Dialogue
from sage_data.stage import derive_seed

SHOWN_REPLY = 2_000
"""Characters of the last reply that are kept with a failed dialogue."""
SHOWN_REASON = 300


@dataclass(slots=True)
class Job:
    """One dialogue on its way, and what its calls were and cost."""

    shard: int
    row: int
    dialogue: Dialogue
    repeat: bool = False
    """An earlier dialogue has the same id and words, so that its calls are this one's too."""
    result: Annotated | AnnotationFailure | None = None
    kinds: list[FailureKind] = field(default_factory=list)
    """Why each call but a good last one could not be used, in order."""
    calls: int = 0
    repairs: int = 0
    """Calls that showed the model a bad reply."""
    rounds: int = 0
    """First tries and beginnings anew."""
    mended: bool = False
    """The reply that could be used came from a repair."""
    first_prompt_tokens: int = 0
    first_completion_tokens: int = 0
    """Tokens of the first call alone."""
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def count(self, completion: Completion, *, repair: bool) -> None:
        """Count one call."""
        if not self.calls:
            self.first_prompt_tokens = completion.prompt_tokens
            self.first_completion_tokens = completion.completion_tokens
        self.calls += 1
        self.repairs += repair
        self.rounds += not repair
        self.prompt_tokens += completion.prompt_tokens
        self.completion_tokens += completion.completion_tokens


@dataclass(frozen=True, slots=True)
class _Call:
    """One call to make."""

    job: Job
    round: int
    bad_reply: str | None = None
    """The reply to be repaired; None on the first try of a round."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """Asks a model about dialogues."""

    chat: StreamingChat
    request: Request
    rules: Rules
    sampling: Sampling
    rounds: int = 1
    """How often to begin anew with a dialogue that failed, the first time included."""
    seed: int = 0

    def run(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Yield each job when it is finished, whichever is first; jobs are taken as calls become free.

        Raises:
            BackendError: the backend cannot be used at all.
            BudgetStopError: the budget is used up; everything that was finished has been yielded.
        """
        coming = iter(jobs)
        again: deque[_Call] = deque()
        while True:
            open_calls: dict[int, _Call] = {}
            for position, completions in self.chat.stream(self._feed(coming, again, open_calls), self.sampling):
                call = open_calls.pop(position)
                following = self._take(call, completions[0])
                if following is None:
                    yield call.job
                else:
                    again.append(following)
            # Second tries that came up when nothing else was left to feed.
            if not again:
                return

    def _feed(self, coming: Iterator[Job], again: deque[_Call], open_calls: dict[int, _Call]) -> Iterator[Conversation]:
        for position in count():
            call = again.popleft() if again else _first(next(coming, None))
            if call is None:
                return
            open_calls[position] = call
            yield self._conversation(call)

    def _conversation(self, call: _Call) -> Conversation:
        dialogue = call.job.dialogue
        seed = derive_seed(self.seed, "annotation", dialogue.id, call.round)
        if call.bad_reply is None:
            return self.request.first(dialogue.utterances, seed)
        return self.request.again(dialogue.utterances, seed, call.bad_reply, call.problem)

    def _take(self, call: _Call, completion: Completion) -> _Call | None:
        """Read one answer: finish the job, or say which call comes next."""
        job = call.job
        repair = call.bad_reply is not None
        job.count(completion, repair=repair)
        try:
            job.result = read_reply(_usable(completion), job.dialogue.utterances, self.rules)
            job.mended = repair
        except ReplyError as error:
            job.kinds.append(error.kind)
            if completion.ok and not repair:
                return _Call(job, call.round, completion.text, error.message)
            if call.round + 1 < self.rounds:
                return _Call(job, call.round + 1)
            reply = writable(completion.text[:SHOWN_REPLY])
            job.result = AnnotationFailure(job.dialogue, error.kind, writable(error.message), reply)
        return None


def _first(job: Job | None) -> _Call | None:
    return None if job is None else _Call(job, 0)


def _usable(completion: Completion) -> str:
    """The text of an answer.

    Raises:
        ReplyError: the backend says that there is none.
    """
    if completion.ok:
        return completion.text
    kind = FailureKind(completion.status.value)
    said = completion.error or completion.finish_reason or "no reason given"
    raise ReplyError(kind, f"expected a whole reply, found the status {completion.status.value}: {said[:SHOWN_REASON]}")
