"""What a Hub keeps: repositories of commits, files and pull requests, in memory; large files by their SHA-256.

A file is a `Blob`. A commit is immutable: all its files, its parents and its title. A ref is a name for a commit, and
`Repo.moves` keeps every move of every ref, so that a test can say what a branch has ever shown.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

MAIN = "refs/heads/main"
ATTRIBUTES = ".gitattributes"


@dataclass(frozen=True)
class Blob:
    """One file's content."""

    data: bytes
    lfs: bool
    xet_hash: str | None = None

    @property
    def oid(self) -> str:
        """Git's id of the file; of a large one, that of the pointer which stands in its place."""
        content = pointer(self.sha256, len(self.data)) if self.lfs else self.data
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.lfs else self.oid


def pointer(sha256: str, size: int) -> bytes:
    """What git keeps of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


@dataclass(frozen=True)
class Commit:
    """One state of all files."""

    parents: tuple[str, ...]
    files: dict[str, Blob]
    title: str
    description: str = ""

    @property
    def oid(self) -> str:
        listed = sorted((path, blob.oid) for path, blob in self.files.items())
        return hashlib.sha1(repr((self.parents, listed, self.title, self.description)).encode()).hexdigest()


@dataclass
class PullRequest:
    """A proposed change of `main`."""

    number: int
    title: str
    description: str
    author: str
    status: str = "open"
    merge_commit: str | None = None

    @property
    def ref(self) -> str:
        return f"refs/pr/{self.number}"


class RefusedError(Exception):
    """The Hub says no: an HTTP status, an error code where the true one sends one, and a sentence."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass
class Repo:
    """One repository."""

    name: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    moves: list[tuple[str, str]] = field(default_factory=list)
    """(ref, commit) in the order in which refs were set."""
    pulls: list[PullRequest] = field(default_factory=list)
    gated: str | bool = False

    def __post_init__(self) -> None:
        self.move(MAIN, Commit((), {ATTRIBUTES: Blob(b"*.parquet filter=lfs\n", lfs=False)}, "initial commit"))

    def move(self, ref: str, commit: Commit) -> str:
        """Add a commit and let a ref name it."""
        self.commits[commit.oid] = commit
        self.refs[ref] = commit.oid
        self.moves.append((ref, commit.oid))
        return commit.oid

    def resolve(self, revision: str) -> str:
        """The commit that a branch, ref, or (shortened) id names."""
        for ref in (revision, f"refs/heads/{revision}"):
            if ref in self.refs:
                return self.refs[ref]
        found = [oid for oid in self.commits if len(revision) >= 7 and oid.startswith(revision)]
        if len(found) != 1:
            raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found[0]

    def files(self, revision: str = "main") -> dict[str, Blob]:
        """All files of a revision by path."""
        return self.commits[self.resolve(revision)].files

    def history(self, ref: str = MAIN) -> list[Commit]:
        """Every commit that a ref was ever set to, oldest first."""
        return [self.commits[oid] for name, oid in self.moves if name == ref]

    def pull(self, number: int) -> PullRequest:
        """One pull request."""
        if not 0 < number <= len(self.pulls):
            raise RefusedError(404, f"no discussion {number}", "DiscussionNotFound")
        return self.pulls[number - 1]

    def commit(self, revision: str, commit: Commit, *, author: str, parent: str | None, pull: bool) -> tuple[str, int]:
        """Add a commit to a branch, or as a new pull request: (its id, number of the pull request or 0)."""
        head = self.resolve(revision)
        if parent is not None and not head.startswith(parent):
            raise RefusedError(412, "A commit has happened since. Please refresh and try again.")
        if not pull:
            ref = revision if revision in self.refs else f"refs/heads/{revision}"
            return self.move(ref, commit), 0
        made = PullRequest(len(self.pulls) + 1, commit.title, commit.description, author)
        self.pulls.append(made)
        return self.move(made.ref, commit), made.number

    def _merged(self, head: Commit) -> dict[str, Blob]:
        """The files of `main` with what one commit changes; both may not have changed the same file differently."""
        base, ours, theirs = self.commits[head.parents[0]].files, self.files(), head.files
        files = dict(ours)
        for path in base.keys() | theirs.keys():
            before, wanted = base.get(path), theirs.get(path)
            if wanted == before:
                continue
            if ours.get(path) not in (before, wanted):
                raise RefusedError(409, f"This pull request has conflicts with main: {path}")
            files.pop(path, None)
            files |= {} if wanted is None else {path: wanted}
        return files

    def merge(self, number: int) -> str:
        """Bring a pull request's files to `main`, as one commit."""
        pull = self.pull(number)
        if pull.status != "open":
            raise RefusedError(409, f"This pull request is {pull.status}.")
        files = self._merged(self.commits[self.refs[pull.ref]])
        merged = Commit((self.refs[MAIN],), files, f"{pull.title} (#{number})", pull.description)
        pull.status, pull.merge_commit = "merged", self.move(MAIN, merged)
        return pull.merge_commit
