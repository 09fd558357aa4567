"""Each dialogue moves on as soon as its turn is answered, on a thread of its own: for backends that wait for a server.

In lock-step one slow call holds up every other dialogue of its block. Here a slow dialogue holds up nobody, and the
next block begins while the last dialogues of this one are played. What a dialogue says does not depend on when its
neighbours are answered, and blocks come out in order, so the bytes are those of playing one dialogue after the other.

    for index, transcripts in play_apart(blocks, agent, user): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from sage_data.dialogue import Role
from sage_data.errors import BudgetStopError
from sage_data.rollout.playing import Talk, Transcript, play_together
from sage_data.rollout.speaking import Speaker

Block = tuple[int, Sequence[Talk]]
"""(Number of the shard, dialogues that have not begun)."""


def play(blocks: Sequence[Block], agent: Speaker, user: Speaker) -> Iterator[tuple[int, list[Transcript]]]:
    """Play every block and yield (its number, its transcripts), in order.

    Where a model runs in this process, which answers whole batches best, a block is played in lock-step.

    Raises:
        BackendError: as the speakers' backends.
        BudgetStopError: the allowed cost is reached; calls that were open have been answered and kept.
    """
    if min(agent.at_once, user.at_once) > 1:
        yield from play_apart(blocks, agent, user)
        return
    for index, talks in blocks:
        yield index, play_together(talks, agent, user)


def play_apart(blocks: Sequence[Block], agent: Speaker, user: Speaker) -> Iterator[tuple[int, list[Transcript]]]:
    """Play all dialogues of all blocks side by side, as many at once as both backends bear together.

    Raises:
        BackendError: as the speakers' backends; calls that are open are given up.
        BudgetStopError: the allowed cost is reached; calls that were open have been answered and kept. Its figures are
            those of the first refusal: a meter's `stop` tells what was spent once all were answered.
    """
    crew = _Crew({"user": user, "assistant": agent})
    for _, talks in blocks:
        for talk in talks:
            crew.recall(talk)
    # Two roles that one backend plays share what it bears.
    width = agent.at_once + (0 if user.backend is agent.backend else user.at_once)
    pool = ThreadPoolExecutor(width, "rollout")
    try:
        begun = [(index, talks, [pool.submit(crew.finish, talk) for talk in talks]) for index, talks in blocks]
        for index, talks, futures in begun:
            crew.await_all(futures)
            yield index, [talk.transcript() for talk in talks]
    except BudgetStopError:
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        # When something else ends the work, such as Ctrl-C, nobody waits for slow calls.
        crew.stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)


class _StoppedError(Exception):
    """Another dialogue ended the work before this one was over."""


@dataclass
class _Crew:
    """The speakers, and whether they still speak."""

    speakers: Mapping[Role, Speaker]
    stopped: Event = field(default_factory=Event)
    errors: list[BaseException] = field(default_factory=list)
    """What ended the work; the first counts."""

    def recall(self, talk: Talk) -> None:
        """Bring a dialogue to where an earlier attempt left it; so all spent before is known before a new call."""
        while not talk.over and (reply := self.speakers[talk.role].recall(talk.ask())) is not None:
            talk.hear(reply)

    def finish(self, talk: Talk) -> None:
        """Play one dialogue to its end; the work of one thread."""
        try:
            while not (talk.over or self.stopped.is_set()):
                [reply] = self.speakers[talk.role]([talk.ask()])
                talk.hear(reply)
        except BaseException as error:
            self.errors.append(error)
            self.stopped.set()
            raise
        if not talk.over:
            raise _StoppedError

    def await_all(self, futures: Sequence[Future[None]]) -> None:
        """Wait until dialogues are over.

        Raises:
            Exception: what ended the work, if something did before they were.
        """
        try:
            for future in futures:
                future.result()
        except _StoppedError:
            raise self.errors[0] from None
