"""Reading a repository: its tree, and its files with their headers."""

from __future__ import annotations

import hashlib
from typing import Any

from localhub.store import Blob, RefusedError, Repo, pointer
from localhub.web import Answer, Request, with_range


def tree(repo: Repo, revision: str, below: str, *, recursive: bool, expand: bool) -> list[dict[str, Any]]:
    """Files and folders of a revision, in the order of their paths."""
    oid = repo.resolve(revision)
    files = repo.commits[oid].files
    start = f"{below}/" if below else ""
    inside = {path: blob for path, blob in files.items() if path.startswith(start)}
    if below and not inside:
        raise RefusedError(404, f"{below} does not exist on {revision}", "EntryNotFound")
    last = {"lastCommit": {"id": oid, "title": repo.commits[oid].title, "date": "2026-01-01T00:00:00.000Z"}}
    entries = {path: _file(path, blob) for path, blob in inside.items() if recursive or "/" not in path[len(start) :]}
    entries |= {path: _folder(path) for path in _folders(inside, start, recursive=recursive)}
    return [entry | (last if expand else {}) for _, entry in sorted(entries.items())]


def _folders(inside: dict[str, Blob], start: str, *, recursive: bool) -> set[str]:
    found = set()
    for path in inside:
        parts = path[len(start) :].split("/")[:-1]
        depth = len(parts) if recursive else min(1, len(parts))
        found |= {start + "/".join(parts[:count]) for count in range(1, depth + 1)}
    return found


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": hashlib.sha1(path.encode()).hexdigest()}


def _file(path: str, blob: Blob) -> dict[str, Any]:
    size = len(blob.data)
    entry: dict[str, Any] = {"type": "file", "path": path, "size": size, "oid": blob.oid}
    if blob.lfs:
        entry["lfs"] = {"oid": blob.sha256, "size": size, "pointerSize": len(pointer(blob.sha256, size))}
    if blob.xet_hash:
        entry["xetHash"] = blob.xet_hash
    return entry


def resolve(repo: Repo, name: str, revision: str, path: str, request: Request) -> Answer:
    """One file, or a part of it."""
    oid = repo.resolve(revision)
    blob = repo.commits[oid].files.get(path)
    if blob is None:
        raise RefusedError(404, f"{path} does not exist on {revision}", "EntryNotFound")
    headers = {"X-Repo-Commit": oid, "ETag": f'"{blob.etag}"', "Content-Type": "application/octet-stream"}
    if blob.lfs:
        headers |= {"X-Linked-Etag": f'"{blob.sha256}"', "X-Linked-Size": str(len(blob.data))}
    if blob.xet_hash:
        renewal = (
            f"{request.base}/api/{name if name.startswith('spaces/') else f'datasets/{name}'}/xet-read-token/{oid}"
        )
        headers |= {"X-Xet-Hash": blob.xet_hash, "Link": f'<{renewal}>; rel="xet-auth"'}
    return with_range(blob.data, request.headers.get("range"), headers)
