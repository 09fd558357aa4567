"""The journal: every finished model call of a run, so that a rerun repeats none of them.

An SQLite file (WAL) keyed by the hash of backend identity, messages, seed, sampling and candidate count. It answers
with every finished call, also one whose candidates were refused, cut or empty: the same seed would bring the same. Only
calls with an error of the backend (`API_ERROR`) are made anew. So whoever asks checks the status, as of any reply.
Each call is committed as soon as it is there, so a kill loses those in flight at most. SQLite drops a torn last record
by itself.

    chat = JournaledChat(backend, Journal(run_dir / "journal.sqlite"), Meter(max_cost=2.0))
"""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any

from sage_data.chat.meter import Meter
from sage_data.chat.protocol import (
    ChatBackend,
    Completion,
    CompletionStatus,
    Conversation,
    Sampling,
    StreamingChat,
    width_of,
)
from sage_data.errors import BackendError, DamagedFileError, InputError, SchemaVersionError
from sage_data.store.files import sha256_json

SCHEMA_VERSION = 1
"""Stands in the file as SQLite's `user_version`."""
MOST_READY = 1000
"""Answers from the journal that may wait behind calls in flight; then those are waited for."""
BATCH = 16
"""Conversations that a backend without `stream` gets at once when a budget is to be kept; also the most that wait until
the answers known before them have been handed over."""

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, backend TEXT NOT NULL, completions TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (key TEXT NOT NULL, backend TEXT NOT NULL, completions TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS failures_by_key ON failures (key);
PRAGMA user_version = {SCHEMA_VERSION};
"""
_FIND = "SELECT completions FROM calls WHERE key = ?1 UNION ALL SELECT completions FROM failures WHERE key = ?1"
_KEEP = "INSERT OR REPLACE INTO calls VALUES (?, ?, ?)"
_KEEP_FAILURE = "INSERT INTO failures VALUES (?, ?, ?)"
_FORGET_FAILURE = "DELETE FROM failures WHERE key = ?"


class Journal:
    """Finished calls on disk. One process at a time (the run's lock sees to that), whose threads may share it."""

    def __init__(self, path: Path) -> None:
        """Open the journal, or begin one.

        Raises:
            DamagedFileError: the file is no SQLite database, or its pages are damaged.
            SchemaVersionError: a newer version of this software wrote it.
            InputError: the file cannot be opened.
        """
        self._path = path
        self._turn = RLock()
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._explained():
            self._db = sqlite3.connect(path, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def get(self, key: str) -> list[Completion] | None:
        """The candidates of an earlier call if it was finished, else None; a record that cannot be read counts as none.

        Raises:
            DamagedFileError: the file is damaged.
        """
        with self._explained():
            row = self._db.execute(_FIND, (key,)).fetchone()
        try:
            found = None if row is None else _unpack(row[0])
        except (ValueError, TypeError, KeyError):
            return None
        return found if found is not None and finished(found) else None

    def put(self, backend: str, calls: Mapping[str, Sequence[Completion]]) -> None:
        """Keep calls, in one transaction: those that brought something usable apart from those that failed.

        Of each call the last failure is kept, until it is answered.

        Raises:
            InputError: the file cannot be written to.
        """
        # A name out of a command line may hold bytes that are no text, which SQLite does not take.
        name = backend.encode("utf-8", "backslashreplace").decode()
        with self._explained(), self._db:
            for key, completions in calls.items():
                packed = json.dumps([asdict(completion) for completion in completions])
                self._db.execute(_FORGET_FAILURE, (key,))
                kept = finished(completions) and any(one.ok for one in completions)
                self._db.execute(_KEEP if kept else _KEEP_FAILURE, (key, name, packed))

    def failures(self) -> list[list[Completion]]:
        """The calls without a usable candidate, or with one that was an error of the backend; for reports."""
        with self._explained():
            rows = self._db.execute("SELECT completions FROM failures ORDER BY rowid").fetchall()
        return [_unpack(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._db.close()

    def _prepare(self) -> None:
        found = int(self._db.execute("PRAGMA user_version").fetchone()[0])
        if found > SCHEMA_VERSION:
            raise SchemaVersionError(
                f"{self._path}: expected a journal of version {SCHEMA_VERSION} or older, found version {found}",
                next_step="update sage-dialogue, or use another run folder",
            )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        # A journal from before versions were written has the same tables, so this is all it needs.
        self._db.executescript(_SCHEMA)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """One thread at a time; turns SQLite's errors into ours, which name the file."""
        try:
            with self._turn:
                yield
        except sqlite3.OperationalError as error:
            raise InputError(
                f"{self._path}: the journal of calls cannot be used: {error}",
                next_step="see that the disk has room, the file may be written and no other process has it open",
            ) from error
        except sqlite3.DatabaseError as error:
            raise DamagedFileError(
                f"{self._path}: expected a journal of calls (SQLite), found a damaged or foreign file: {error}",
                next_step="move the file away to go on without it; calls it held are then made again",
            ) from error


class JournaledChat:
    """A backend that answers from the journal what it has answered before, and asks the real one for the rest.

    With a `Meter` it keeps to a budget: what comes from the journal costs nothing now, but what it cost at its time
    counts. When the budget is used up no further call is begun, those in flight are waited for and kept, and
    BudgetStopError ends the work. Until the first call is begun, answers that are known are handed over before it, so
    that all they cost, and what follows from them, is known by then.
    """

    def __init__(self, backend: ChatBackend, journal: Journal | None, meter: Meter | None = None) -> None:
        self._backend = backend
        self._journal = journal
        self._meter = meter
        self._told = (self.estimated_calls, self.lost_requests)
        """What the backend has told so far of requests whose cost is unsure."""
        self._telling = RLock()

    @property
    def identity(self) -> str:
        """The wrapped backend's identity."""
        return self._backend.identity

    @property
    def estimated_calls(self) -> int:
        """Requests whose tokens the wrapped backend had to estimate, where it tells."""
        return int(getattr(self._backend, "estimated_calls", 0))

    @property
    def lost_requests(self) -> int:
        """Requests of the wrapped backend that brought no reply although they may have been paid, where it tells."""
        return int(getattr(self._backend, "lost_requests", 0))

    @property
    def at_once(self) -> int:
        """How many threads may ask at once; see `sage_data.chat.width_of`."""
        return width_of(self._backend)

    def recall(self, conversation: Conversation, sampling: Sampling, n: int = 1) -> list[Completion] | None:
        """What the journal holds for a conversation, or None; nobody is asked, and what it cost counts as spent before.

        Whoever asks one thing after another can thus come to where an earlier attempt was before a new call begins.
        """
        if self._journal is None:
            return None
        key = call_key(self.identity, conversation, sampling, n)
        if (found := self._journal.get(key)) is not None and self._meter is not None:
            self._meter.from_journal(found, key)
        return found

    def peek(self, conversation: Conversation, sampling: Sampling, n: int = 1) -> list[Completion] | None:
        """What the journal holds for a conversation, or None; nobody is asked and nothing is counted."""
        return None if self._journal is None else self._journal.get(call_key(self.identity, conversation, sampling, n))

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        """Answer each conversation, in order, calling the backend only for those not in the journal.

        Raises:
            BackendError: as the wrapped backend.
            BudgetStopError: the budget is used up.
        """
        batch = BATCH if self._meter is not None else max(1, len(conversations))
        answers = dict(self._stream(conversations, sampling, n, batch))
        return [answers[position] for position in range(len(conversations))]

    def stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int = 1
    ) -> Iterator[tuple[int, list[Completion]]]:
        """Yield each conversation's position and candidates, each kept in the journal before it is handed over.

        Raises:
            BackendError: as the wrapped backend.
            BudgetStopError: the budget is used up; everything that was answered has been yielded.
        """
        return self._stream(conversations, sampling, n, BATCH)

    def close(self) -> None:
        """Close the journal, and the backend if it can be closed."""
        if self._journal is not None:
            self._journal.close()
        if (close := getattr(self._backend, "close", None)) is not None:
            close()

    def _stream(
        self, conversations: Iterable[Conversation], sampling: Sampling, n: int, batch: int
    ) -> Iterator[tuple[int, list[Completion]]]:
        meter = Meter() if self._meter is None else self._meter
        flow = _Flow(self.identity, self._journal, meter, conversations, sampling, n)
        try:
            while not flow.over:
                missing = flow.missing()
                with closing(_ask(self._backend, missing, sampling, n, batch)) as answers:
                    for position, completions in answers:
                        yield from flow.answered(position, completions)
                if flow.unanswered:
                    raise BackendError(f"{self.identity}: {flow.unanswered} conversations were left unanswered")
                yield from flow.ready_answers()
        finally:
            meter.abandon(flow.unanswered)
            self._tell(meter)
        if flow.stopped:
            raise meter.stop()

    def _tell(self, meter: Meter) -> None:
        """Pass on what the backend has told since the last time, once, whichever thread comes first."""
        with self._telling:
            before, self._told = self._told, (self.estimated_calls, self.lost_requests)
            meter.unsure(self._told[0] - before[0], self._told[1] - before[1])


class _Flow:
    """One streaming call: what was asked, what waits, what came."""

    def __init__(
        self,
        identity: str,
        journal: Journal | None,
        meter: Meter,
        conversations: Iterable[Conversation],
        sampling: Sampling,
        n: int,
    ) -> None:
        self._identity, self._journal, self._meter = identity, journal, meter
        self._sampling, self._n = sampling, n
        self._source = enumerate(conversations)
        self._asked: list[str] = []
        self._held: list[tuple[str, Conversation]] = []
        """Those that must be asked, but not before what is ready has been handed over."""
        self._waiting: dict[str, list[int]] = {}
        self._failed: dict[str, list[Completion]] = {}
        self._ready: deque[tuple[int, list[Completion]]] = deque()
        self.over = False
        """Nothing is left to ask."""
        self.stopped = False
        """The budget is used up."""

    @property
    def unanswered(self) -> int:
        """Calls begun whose answer has not come."""
        return len(self._waiting) - len(self._held)

    def missing(self) -> Iterator[Conversation]:
        """What the backend must be asked; ends early when other answers should go out first, or the budget is used up.

        Those are handed over first before anything is asked: whoever feeds this may then bring what follows from them.
        """
        self._asked = []
        for position, conversation in self._source:
            new = self._note(position, conversation)
            if new and not self._waits:
                yield from self._begin()
            first = new and not self._asked
            if self.over or len(self._ready) >= (1 if first else MOST_READY):
                return
        if not self._ready or not self._held:
            yield from self._begin()
            self.over = True

    @property
    def _waits(self) -> bool:
        """True when a first call should wait: answers are ready, or earlier spending may still come to light."""
        resumes = self._meter.max_cost is not None and self._meter.paid_before > 0
        return not self._asked and len(self._held) < BATCH and (resumes or bool(self._ready))

    def _note(self, position: int, conversation: Conversation) -> bool:
        """Put a conversation where it belongs; True when it must be asked for, and is neither known nor on its way."""
        key = call_key(self._identity, conversation, self._sampling, self._n)
        if self._known(position, key):
            return False
        self._waiting[key] = [position]
        self._held.append((key, conversation))
        return True

    def _begin(self) -> Iterator[Conversation]:
        """Ask those that were held back, as far as the budget goes."""
        while self._held:
            if not self._meter.start():
                self.over = self.stopped = True
                return
            key, conversation = self._held.pop(0)
            self._asked.append(key)
            yield conversation

    def answered(self, asked: int, completions: list[Completion]) -> Iterator[tuple[int, list[Completion]]]:
        """Keep an answer, then hand it and all others that are ready over."""
        key = self._asked[asked]
        if self._journal is not None:
            self._journal.put(self._identity, {key: completions})
        self._meter.finish(completions, key)
        positions = self._waiting.pop(key)
        if not finished(completions):
            self._failed[key] = completions
        for position in positions:
            yield position, completions
        yield from self.ready_answers()

    def ready_answers(self) -> Iterator[tuple[int, list[Completion]]]:
        """Hand over what needed no call."""
        while self._ready:
            yield self._ready.popleft()

    def _known(self, position: int, key: str) -> bool:
        """True when this conversation needs no call of its own: it is being asked, has failed before, or is kept."""
        if key in self._waiting:
            self._waiting[key].append(position)
            return True
        found = self._failed.get(key)
        if found is None and self._journal is not None and (found := self._journal.get(key)) is not None:
            self._meter.from_journal(found, key)
        if found is not None:
            self._ready.append((position, found))
        return found is not None


def call_key(identity: str, conversation: Conversation, sampling: Sampling, n: int) -> str:
    """Hash of everything an answer depends on."""
    return sha256_json({"backend": identity, "ask": asdict(conversation), "sampling": asdict(sampling), "n": n})


def finished(completions: Sequence[Completion]) -> bool:
    """True when a call need not be made again: no candidate was an error of the backend.

    What the model said, or would not say, stays the same for the same seed; an error may mend.
    """
    return all(completion.status is not CompletionStatus.API_ERROR for completion in completions)


def _ask(
    backend: ChatBackend, conversations: Iterator[Conversation], sampling: Sampling, n: int, batch: int
) -> Generator[tuple[int, list[Completion]], None, None]:
    """Answers as they come: one by one where the backend streams, else batch by batch.

    Raises:
        BackendError: it left one out, or as the backend.
    """
    given = 0
    if isinstance(backend, StreamingChat):
        yield from backend.stream(conversations, sampling, n)
        return
    while some := list(islice(conversations, batch)):
        answers = backend.generate(some, sampling, n)
        if len(answers) != len(some):
            raise BackendError(f"{backend.identity}: asked {len(some)} conversations, found {len(answers)} answers")
        yield from enumerate(answers, start=given)
        given += len(some)


def _unpack(text: str) -> list[Completion]:
    raw: list[dict[str, Any]] = json.loads(text)
    return [Completion(**{**one, "status": CompletionStatus(one["status"])}) for one in raw]
