"""The journal: every finished model call of a run, so that a rerun repeats none of them.

An SQLite file (WAL) keyed by the hash of backend identity, messages, seed, sampling and candidate count. Only usable
replies are ever returned from it; failures are kept apart with their status, for reports and retries. SQLite drops a
torn last record by itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from sage_data.chat.protocol import ChatBackend, Completion, CompletionStatus, Conversation, Sampling
from sage_data.store.files import sha256_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, backend TEXT NOT NULL, completions TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS failures (key TEXT NOT NULL, backend TEXT NOT NULL, completions TEXT NOT NULL);
"""

_KEEP = "INSERT OR REPLACE INTO calls VALUES (?, ?, ?)"
_KEEP_FAILURE = "INSERT INTO failures VALUES (?, ?, ?)"


class Journal:
    """Finished calls on disk. One writer at a time (the run's lock sees to that)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)

    def get(self, key: str) -> list[Completion] | None:
        """The usable replies of an earlier call, or None."""
        row = self._db.execute("SELECT completions FROM calls WHERE key = ?", (key,)).fetchone()
        return None if row is None else [_completion(raw) for raw in json.loads(row[0])]

    def put(self, backend: str, calls: Mapping[str, Sequence[Completion]]) -> None:
        """Keep finished calls, in one transaction: the usable ones to answer from, the others as failures.

        A call is usable when one of its candidates is and none was an error of the backend: asking again would not
        change what the model said, but may mend an error.
        """
        with self._db:
            for key, completions in calls.items():
                packed = json.dumps([asdict(completion) for completion in completions])
                self._db.execute(_KEEP if _usable(completions) else _KEEP_FAILURE, (key, backend, packed))

    def failures(self) -> list[list[Completion]]:
        """The calls that gave nothing usable, for reports."""
        rows = self._db.execute("SELECT completions FROM failures ORDER BY rowid").fetchall()
        return [[_completion(raw) for raw in json.loads(row[0])] for row in rows]

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class JournaledChat:
    """A backend that answers from the journal what it has answered before, and asks the real one for the rest."""

    def __init__(self, backend: ChatBackend, journal: Journal) -> None:
        self._backend = backend
        self._journal = journal

    @property
    def identity(self) -> str:
        """The wrapped backend's identity."""
        return self._backend.identity

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        """Answer each conversation, calling the backend only for those not in the journal.

        Raises:
            BackendError: as the wrapped backend.
        """
        keys = [call_key(self.identity, conversation, sampling, n) for conversation in conversations]
        known = {key: found for key in keys if (found := self._journal.get(key)) is not None}
        missing = {key: one for key, one in zip(keys, conversations, strict=True) if key not in known}
        if missing:
            fresh = self._backend.generate(list(missing.values()), sampling, n)
            answered = dict(zip(missing, fresh, strict=True))
            self._journal.put(self.identity, answered)
            known |= answered
        return [known[key] for key in keys]


def call_key(identity: str, conversation: Conversation, sampling: Sampling, n: int) -> str:
    """Hash of everything an answer depends on."""
    return sha256_json({"backend": identity, "ask": asdict(conversation), "sampling": asdict(sampling), "n": n})


def _usable(completions: Sequence[Completion]) -> bool:
    broken = any(completion.status is CompletionStatus.API_ERROR for completion in completions)
    return not broken and any(completion.ok for completion in completions)


def _completion(raw: dict[str, object]) -> Completion:
    return Completion(**{**raw, "status": CompletionStatus(str(raw["status"]))})  # type: ignore[arg-type]
