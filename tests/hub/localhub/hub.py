"""The answers of the Hub's HTTP interface, as far as publishing and loading a dataset or a Space needs them.

Routes are the methods that `route` marks; what stands in brackets in their pattern is given to them, decoded.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote

import yaml

from localhub import commits, files, xet
from localhub.store import MAIN, Blob, Commit, PullRequest, RefusedError, Repo
from localhub.web import Answer, Handler, Request, as_json

NEVER = "2026-01-01T00:00:00.000Z"
"""The time of everything that has one: nothing here depends on a clock."""
USER = "tester"
PAGE = 1000
"""Entries of a tree that are listed at once."""

_ROUTES: list[tuple[str, re.Pattern[str], str]] = []
_KIND = "(?P<sort>datasets|spaces)"
_REPO = rf"/api/{_KIND}/(?P<name>[\w.-]+/[\w.-]+)"
SPACES = "spaces/"
"""In front of a Space's name; a dataset is known by its name alone."""


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    """Mark a method as the answer to requests of this kind."""

    def marked(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(pattern), handler.__name__))
        return handler

    return marked


@dataclass
class Hub:
    """Everything that the server knows."""

    cas: Path
    """The folder that clients use as Xet's store."""
    token: str
    page: int = PAGE
    repos: dict[str, Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    """SHA-256 -> content, of what came by LFS."""

    def answer(self, request: Request) -> Answer:
        """Find the route and take it.

        Raises:
            RefusedError: there is none, or it says no.
        """
        for method, pattern, name in _ROUTES:
            found = pattern.fullmatch(request.path)
            if found is not None and method == request.method:
                given = {key: unquote(value or "") for key, value in found.groupdict().items()}
                if given.pop("sort", "") == "spaces":
                    given["name"] = SPACES + given["name"]
                answer: Answer = getattr(self, name)(request, **given)
                return answer
        raise RefusedError(404, f"no such page: {request.method} {request.path}", "EntryNotFound")

    # --- who may do what ------------------------------------------------------------------------------------------

    def knows(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.token}"

    def writer(self, request: Request) -> None:
        if not self.knows(request):
            raise RefusedError(401, "Invalid credentials in Authorization header")

    def repo(self, request: Request, name: str) -> Repo:
        """A repository that the one who asks may see."""
        found = self.repos.get(name)
        if found is None or (found.private and not self.knows(request)):
            raise RefusedError(404 if self.knows(request) else 401, "Repository not found", "RepoNotFound")
        return found

    def find_object(self, sha256: str) -> Blob | None:
        """A large file that was uploaded, by LFS or through Xet."""
        if sha256 in self.objects:
            return Blob(self.objects[sha256], lfs=True)
        found = xet.find(self.cas, sha256)
        return None if found is None else Blob(found[1], lfs=True, xet_hash=found[0].xet_hash)

    # --- repositories ---------------------------------------------------------------------------------------------

    @route("GET", "/api/whoami-v2")
    def whoami(self, request: Request) -> Answer:
        self.writer(request)
        return as_json({"type": "user", "name": USER, "orgs": []})

    @route("POST", "/api/validate-yaml")
    def validate_yaml(self, request: Request) -> Answer:
        header = request.json()["content"].split("---\n")
        try:
            loaded = yaml.safe_load(header[1]) if len(header) > 2 else None
        except yaml.YAMLError as error:
            return as_json({"errors": [{"message": str(error)}]}, 400)
        return as_json({"errors": [], "warnings": [] if loaded else [{"message": "empty or missing yaml metadata"}]})

    @route("POST", "/api/repos/create")
    def create(self, request: Request) -> Answer:
        self.writer(request)
        asked = request.json()
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        if asked.get("type") not in ("dataset", "space"):
            raise RefusedError(400, "only datasets and Spaces are kept here")
        if asked["type"] == "space":
            if asked.get("sdk") != "static":
                raise RefusedError(400, "only static Spaces are kept here")
            name = SPACES + name
        if name in self.repos:
            return as_json({"error": "You already created this repo", "url": self._page(request, name)}, 409)
        private = asked.get("visibility", "private" if asked.get("private") else "public") == "private"
        self.repos[name] = Repo(name, private)
        return as_json({"url": self._page(request, name), "name": name, "id": name})

    @route("DELETE", "/api/repos/delete")
    def delete(self, request: Request) -> Answer:
        self.writer(request)
        asked = request.json()
        name = f"{asked.get('organization') or USER}/{asked['name']}"
        self.repo(request, name)
        del self.repos[name]
        return as_json({})

    @route("PUT", f"{_REPO}/settings")
    def settings(self, request: Request, name: str) -> Answer:
        self.writer(request)
        repo, asked = self.repo(request, name), request.json()
        repo.gated = asked.get("gated", repo.gated)
        repo.private = asked.get(
            "private", {"private": True, "public": False}.get(asked.get("visibility"), repo.private)
        )
        return as_json({})

    @route("GET", f"{_REPO}(?:/revision/(?P<revision>[^/]+))?")
    def info(self, request: Request, name: str, revision: str) -> Answer:
        repo = self.repo(request, name)
        oid = repo.resolve(revision or "main")
        names = [{"rfilename": path} for path in sorted(repo.files(oid))]
        state: dict[str, object] = {"private": repo.private, "gated": repo.gated, "disabled": False}
        times = {"createdAt": NEVER, "lastModified": NEVER}
        known = name.removeprefix(SPACES)
        if known != name:
            state["sdk"] = "static"
        return as_json(
            {
                "_id": name,
                "id": known,
                "author": known.partition("/")[0],
                "sha": oid,
                "siblings": names,
                **state,
                **times,
            }
        )

    @route("GET", f"{_REPO}/refs")
    def refs(self, request: Request, name: str) -> Answer:
        repo = self.repo(request, name)
        listed = [{"name": ref.split("/", 2)[2], "ref": ref, "targetCommit": oid} for ref, oid in repo.refs.items()]
        pulls = [one for one in listed if one["ref"].startswith("refs/pr/")]
        branches = [one for one in listed if one not in pulls]
        shown = {"pullRequests": pulls} if request.asks("include_prs") else {}
        return as_json({"branches": branches, "converts": [], "tags": [], **shown})

    @route("GET", f"{_REPO}/commits/(?P<revision>[^/]+)")
    def log(self, request: Request, name: str, revision: str) -> Answer:
        repo = self.repo(request, name)
        return as_json(
            [
                {
                    "id": one.oid,
                    "title": one.title,
                    "message": one.description,
                    "date": NEVER,
                    "authors": [{"user": USER}],
                }
                for one in _ancestry(repo, repo.resolve(revision))
            ]
        )

    # --- uploads and commits --------------------------------------------------------------------------------------

    @route("POST", f"{_REPO}/preupload/(?P<revision>[^/]+)")
    def preupload(self, request: Request, name: str, revision: str) -> Answer:
        self.writer(request)
        present = self.repo(request, name).files(revision)
        return as_json({"files": [commits.upload_mode(one, present) for one in request.json()["files"]]})

    @route("POST", rf"/{_KIND}/(?P<name>[\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch")
    def lfs_batch(self, request: Request, name: str) -> Answer:
        self.writer(request)
        self.repo(request, name)
        wanted = request.json()["objects"]
        known = {one["oid"] for one in wanted if self.find_object(one["oid"]) is not None}
        return as_json(
            {"transfer": "basic", "objects": [commits.lfs_action(one, known, request.base) for one in wanted]}
        )

    @route("PUT", "/lfs/(?P<sha256>[0-9a-f]{64})")
    def lfs_put(self, request: Request, sha256: str) -> Answer:
        # As on the true Hub's storage, the link itself is the permission.
        blob = Blob(request.body, lfs=True)
        if blob.sha256 != sha256:
            raise RefusedError(400, "the content is not what its id says")
        self.objects[sha256] = request.body
        return Answer()

    @route("POST", "/lfs/(?P<sha256>[0-9a-f]{64})/verify")
    def lfs_verify(self, request: Request, sha256: str) -> Answer:
        self.writer(request)
        if len(self.objects.get(sha256, b"")) != request.json()["size"]:
            raise RefusedError(404, "no such object")
        return as_json({})

    @route("GET", f"{_REPO}/xet-(?P<kind>read|write)-token/(?P<revision>[^/]+)")
    def xet_token(self, request: Request, name: str, kind: str, revision: str) -> Answer:
        if kind == "write":
            self.writer(request)
        self.repo(request, name)
        url, expires, token = f"local://{self.cas}", int(time.time()) + 3600, f"xet-{kind}"
        return as_json(
            {"casUrl": url, "exp": expires, "accessToken": token},
            X_Xet_Cas_Url=url,
            X_Xet_Token_Expiration=str(expires),
            X_Xet_Access_Token=token,
        )

    @route("POST", f"{_REPO}/commit/(?P<revision>[^/]+)")
    def commit(self, request: Request, name: str, revision: str) -> Answer:
        self.writer(request)
        repo = self.repo(request, name)
        made, parent = commits.read_commit(request.body, repo, revision, self.find_object)
        oid, number = repo.commit(revision, made, author=USER, parent=parent, pull=request.asks("create_pr"))
        page = self._page(request, name)
        link = {"pullRequestUrl": f"{page}/discussions/{number}"} if number else {}
        return as_json(
            {"success": True, "commitOid": oid, "commitUrl": f"{page}/commit/{oid}", "hookOutput": "", **link}
        )

    # --- pull requests --------------------------------------------------------------------------------------------

    @route("GET", f"{_REPO}/discussions")
    def discussions(self, request: Request, name: str) -> Answer:
        repo = self.repo(request, name)
        status = request.query.get("status", ["all"])[0]
        pulls = [one for one in reversed(repo.pulls) if status in ("all", one.status)]
        start = int(request.query.get("p", ["0"])[0]) * 10
        shown = [_summary(repo, one) for one in pulls[start : start + 10]]
        return as_json({"discussions": shown, "count": len(pulls), "start": start, "numClosedDiscussions": 0})

    @route("GET", f"{_REPO}/discussions/(?P<number>[0-9]+)")
    def discussion(self, request: Request, name: str, number: str) -> Answer:
        repo = self.repo(request, name)
        pull = repo.pull(int(number))
        changes = {"base": MAIN} | ({"mergeCommitId": pull.merge_commit} if pull.merge_commit else {})
        return as_json({**_summary(repo, pull), "changes": changes, "filesWithConflicts": [], "events": [], "diff": ""})

    @route("POST", f"{_REPO}/discussions/(?P<number>[0-9]+)/merge")
    def merge(self, request: Request, name: str, number: str) -> Answer:
        self.writer(request)
        self.repo(request, name).merge(int(number))
        return as_json({})

    @route("POST", f"{_REPO}/discussions/(?P<number>[0-9]+)/status")
    def status(self, request: Request, name: str, number: str) -> Answer:
        self.writer(request)
        pull, asked = self.repo(request, name).pull(int(number)), request.json()
        pull.status = asked["status"]
        event = {"id": number, "type": "status-change", "createdAt": NEVER, "author": {"name": USER}}
        return as_json({"newStatus": {**event, "data": {"status": pull.status}}})

    # --- reading --------------------------------------------------------------------------------------------------

    @route("GET", f"{_REPO}/tree/(?P<revision>[^/]+)(?:/(?P<below>.+))?")
    def tree(self, request: Request, name: str, revision: str, below: str) -> Answer:
        repo = self.repo(request, name)
        entries = files.tree(repo, revision, below, recursive=request.asks("recursive"), expand=request.asks("expand"))
        start = int(request.query.get("cursor", ["0"])[0])
        more = start + self.page < len(entries)
        asked = "".join(f"&{key}={request.query[key][0]}" for key in ("recursive", "expand") if key in request.query)
        url = f"{request.base}{request.path}?cursor={start + self.page}{asked}"
        return as_json(entries[start : start + self.page], **({"Link": f'<{url}>; rel="next"'} if more else {}))

    @route("POST", f"{_REPO}/paths-info/(?P<revision>[^/]+)")
    def paths_info(self, request: Request, name: str, revision: str) -> Answer:
        repo = self.repo(request, name)
        form = parse_qs(request.body.decode())
        expand = form.get("expand", ["false"])[0].lower() == "true"
        entries = files.tree(repo, revision, "", recursive=True, expand=expand)
        wanted = {path.strip("/") for path in form.get("paths", [])}
        return as_json([one for one in entries if one["path"] in wanted])

    @route(
        "GET",
        rf"/{_KIND}/(?P<name>[\w.-]+/[\w.-]+)/resolve/(?P<revision>refs%2Fpr%2F\d+|refs/pr/\d+|[^/]+)/(?P<path>.+)",
    )
    def resolve(self, request: Request, name: str, revision: str, path: str) -> Answer:
        return files.resolve(self.repo(request, name), name, revision, path, request)

    def _page(self, request: Request, name: str) -> str:
        return f"{request.base}/{name if name.startswith(SPACES) else f'datasets/{name}'}"


def _ancestry(repo: Repo, oid: str) -> Iterator[Commit]:
    """A commit and its first parents, newest first."""
    while True:
        yield repo.commits[oid]
        if not repo.commits[oid].parents:
            return
        oid = repo.commits[oid].parents[0]


def _summary(repo: Repo, pull: PullRequest) -> dict[str, object]:
    known = repo.name.removeprefix(SPACES)
    return {
        "num": pull.number,
        "title": pull.title,
        "status": pull.status,
        "isPullRequest": True,
        "author": {"name": pull.author},
        "createdAt": NEVER,
        "repo": {"name": known, "type": "dataset" if known == repo.name else "space"},
    }
