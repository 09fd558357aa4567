"""Talking to the Hub: one pull request for one content, whatever goes wrong on the way.

The pull request's title carries the hash of what is published. It is looked for before anything is sent and before
anything is sent again, and it counts only if its files are the ones meant, so a lost answer never makes a second one.
One that was made before `main` changed counts no more, as it may not be merged or undo the change: it is closed, once
another one holds the same.
`main` changes in one step, by the merge.

    service = Service(Target("me/small-talk", token), Patience())      # kind=SPACE: a Space of static pages
    proposal = service.propose(staged.files, folder)
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sage_data.errors import ConfigError, PublishError
from sage_data.publishing.patience import Patience, answer_behind, persist
from sage_data.publishing.staging import StagedFile, check_staged, is_data_file, is_page_file
from sage_data.store.files import sha256_json

if TYPE_CHECKING:
    from huggingface_hub import HfApi

ENDPOINT = "HF_ENDPOINT"
PUBLIC_HUB = "https://huggingface.co"
DATASET, SPACE = "dataset", "space"
"""Kinds of repositories that are published to."""
PAGES = {DATASET: "datasets", SPACE: "spaces"}
"""Kind -> what stands in front of a repository in its address."""
STATIC = "static"
"""The one kind of Space that is made: files as they are, and no program behind them."""
MAIN = "main"
CONFLICT = 409
MARK_DIGITS = 16
"""Digits of the content hash in a pull request's title."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to publish, and as whom."""

    repo: str
    token: str = field(repr=False)
    private: bool = True
    gated: bool = False
    """Whether access is given one by one."""
    kind: str = DATASET


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request that holds what is published, or `main` once it does."""

    number: int | None
    """None when `main` held it before."""
    revision: str
    """The commit."""
    found: bool
    """True when an earlier run had made it."""


def content_mark(files: Sequence[StagedFile]) -> str:
    """Hash of all files to publish by name."""
    return sha256_json(sorted((one.path, one.sha256) for one in files))


def title_of(files: Sequence[StagedFile]) -> str:
    """Title of the pull request for this content."""
    return f"Publish {len(files)} files, content {content_mark(files)[:MARK_DIGITS]}"


def page_of(repo: str, number: int | None, kind: str = DATASET) -> str:
    """Link for people, without what a Hub's address may hold of passwords."""
    parts = urlsplit(os.environ.get(ENDPOINT) or PUBLIC_HUB)
    root = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return f"{root}/{PAGES[kind]}/{repo}" + ("" if number is None else f"/discussions/{number}")


def git_sha1(data: bytes) -> str:
    """Git's id of a file that is kept as it is."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class Service:
    """The Hub, for one repository."""

    def __init__(self, target: Target, patience: Patience) -> None:
        from huggingface_hub import HfApi

        self.target, self.kind, self.patience = target, target.kind, patience
        self.api: HfApi = HfApi(endpoint=os.environ.get(ENDPOINT) or None, token=target.token)

    def page(self, number: int | None) -> str:
        """Link to the repository, or to one of its pull requests."""
        return page_of(self.target.repo, number, self.kind)

    def prepare(self) -> None:
        """Make the repository if there is none, and compare its visibility with what is asked.

        Raises:
            PublishError: it is public though private is asked for, or the other way round.
        """
        target = self.target
        persist(self._create, self.patience)
        info = self._info()
        if bool(info.private) != target.private:
            asked, found = ("private", "public") if target.private else ("public", "private")
            raise PublishError(
                f"{target.repo}: expected a {asked} repository, found a {found} one",
                next_step=f"change it in the repository's settings, or {_visibility_advice(target.private)}",
            )
        # "auto" lets in everybody who asks, which is not one by one.
        if target.gated and info.gated != "manual":
            persist(
                lambda: self.api.update_repo_settings(target.repo, gated="manual", repo_type=self.kind),
                self.patience,
            )

    def _create(self) -> None:
        target = self.target
        sdk = STATIC if target.kind == SPACE else None
        self.api.create_repo(target.repo, repo_type=target.kind, private=target.private, exist_ok=True, space_sdk=sdk)

    def _info(self, revision: str | None = None) -> Any:
        """The Hub's `DatasetInfo` or `SpaceInfo`."""
        target = self.target
        return persist(lambda: self.api.repo_info(target.repo, repo_type=target.kind, revision=revision), self.patience)

    def head(self, revision: str = MAIN) -> str:
        """The commit that a revision names now."""
        return str(self._info(revision).sha)

    def digests(self, revision: str) -> dict[str, str]:
        """Path -> SHA-256 of a large file, or git's SHA-1 of another, of every file of a revision."""
        from huggingface_hub.hf_api import RepoFile

        entries = persist(
            lambda: list(
                self.api.list_repo_tree(self.target.repo, recursive=True, revision=revision, repo_type=self.kind)
            ),
            self.patience,
        )
        return {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in entries if isinstance(one, RepoFile)}

    def holds(self, revision: str, files: Sequence[StagedFile], folder: Path) -> bool:
        """True when a revision has these files with these bytes, and no data besides."""
        there = self.digests(revision)
        paths = check_staged(folder, files)
        return not stale(there, files, self.kind) and all(
            _same(there.get(one.path, ""), one.sha256, paths[one.path]) for one in files
        )

    def find(self, files: Sequence[StagedFile], folder: Path) -> Proposal | None:
        """The open pull request with this content that was made on what `main` is now, by this or an earlier run."""
        head = self.head()
        for number in self._same_content(files, folder):
            revision = f"refs/pr/{number}"
            if head in self._commits(revision):
                return Proposal(number, self.head(revision), found=True)
        return None

    def _same_content(self, files: Sequence[StagedFile], folder: Path) -> list[int]:
        """Open pull requests with this content, the oldest first."""
        title = title_of(files)
        pulls = persist(
            lambda: list(
                self.api.get_repo_discussions(
                    self.target.repo,
                    discussion_type="pull_request",
                    discussion_status="open",
                    repo_type=self.kind,
                )
            ),
            self.patience,
        )
        numbers = sorted(pull.num for pull in pulls if pull.title == title)
        return [number for number in numbers if self.holds(f"refs/pr/{number}", files, folder)]

    def _commits(self, revision: str) -> set[str]:
        """A revision's commit and all before it."""
        listed = persist(
            lambda: self.api.list_repo_commits(self.target.repo, repo_type=self.kind, revision=revision),
            self.patience,
        )
        return {one.commit_id for one in listed}

    def close_others(self, kept: int, files: Sequence[StagedFile], folder: Path) -> None:
        """Close open pull requests with the same content, which were made before `main` changed.

        Raises:
            PublishError: the Hub does not close them.
        """
        for number in self._same_content(files, folder):
            if number != kept:
                persist(partial(self._close, number, kept), self.patience)

    def _close(self, number: int, kept: int) -> None:
        said = f"`main` has changed since; #{kept} proposes the same files on what it is now."
        self.api.change_discussion_status(self.target.repo, number, "closed", comment=said, repo_type=self.kind)

    def propose(self, files: Sequence[StagedFile], folder: Path) -> Proposal:
        """Make sure that one pull request holds the files, or that `main` does.

        Raises:
            PublishError: the Hub does not take it.
        """
        if self.holds(MAIN, files, folder):
            return Proposal(None, self.head(), found=True)
        made = self.find(files, folder)
        if made is None:
            made = persist(lambda: self._commit(files, folder), self.patience, done=lambda: self.find(files, folder))
        if made.number is not None:
            self.close_others(made.number, files, folder)
        return made

    def _commit(self, files: Sequence[StagedFile], folder: Path) -> Proposal:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        # Both anew for each try: operations may be used once, and the parent must be what `main` is now.
        parent = self.head()
        old = stale(self.digests(parent), files, self.kind)
        paths = check_staged(folder, files)
        made = self.api.create_commit(
            self.target.repo,
            [
                *(CommitOperationDelete(path) for path in old),
                *(CommitOperationAdd(name, path) for name, path in sorted(paths.items())),
            ],
            commit_message=title_of(files),
            repo_type=self.kind,
            parent_commit=parent,
            create_pr=True,
        )
        if made.pr_num is None:
            raise PublishError(f"{self.target.repo}: expected a pull request, found commit {made.oid} without one")
        return Proposal(made.pr_num, made.oid, found=False)

    def merge(self, number: int, files: Sequence[StagedFile], folder: Path) -> str:
        """Merge a pull request and return `main`'s commit, which holds the files.

        Raises:
            PublishError: the Hub does not merge it, or `main` is something else afterwards.
        """
        persist(lambda: self._merge(number), self.patience, done=lambda: self._merged(number))
        if not self.holds(MAIN, files, folder):
            raise PublishError(
                f"{self.target.repo}: expected `main` to hold what was published, once merged; found other files",
                next_step=f"look at {self.page(number)}",
            )
        return self.head()

    def _merge(self, number: int) -> bool:
        try:
            self.api.merge_pull_request(self.target.repo, number, repo_type=self.kind)
        except Exception as error:
            # The client's errors have no common class; all but this answer is for `persist` to judge.
            answer = answer_behind(error)
            if answer is None or answer.status != CONFLICT:
                raise
            raise PublishError(
                f"{self.target.repo}: pull request {number} cannot be merged: `main` has changed since it was made, or "
                "somebody else merges or closes it",
                next_step="run the same command again: where `main` has changed, it makes a new pull request on what "
                f"is there now; look at {self.page(number)}",
            ) from error
        return True

    def _merged(self, number: int) -> bool | None:
        details = self.api.get_discussion_details(self.target.repo, number, repo_type=self.kind)
        return True if details.status == "merged" else None


def stale(there: Mapping[str, str], files: Sequence[StagedFile], kind: str = DATASET) -> list[str]:
    """Data files or pages of an earlier publication that are not part of this one, and would be shown with it."""
    staged, ours = {one.path for one in files}, is_page_file if kind == SPACE else is_data_file
    return sorted(path for path in there if ours(path) and path not in staged)


def _same(digest: str, sha256: str, path: Path) -> bool:
    """True when the Hub's digest of a file, of whichever kind, is that of the file at `path`."""
    return digest == (sha256 if len(digest) == len(sha256) else git_sha1(path.read_bytes()))


def _visibility_advice(private: bool) -> str:
    return "publish with --no-private" if private else "publish without --no-private"


def read_token(variable: str) -> str:
    """The token that an environment variable holds.

    Raises:
        ConfigError: it holds none.
    """
    token = os.environ.get(variable, "").strip()
    if not token:
        raise ConfigError(
            f"expected a Hugging Face token in the environment variable {variable}, found none",
            next_step=f"export {variable}=..., with a token that may write, or try --dry-run first",
        )
    return token
