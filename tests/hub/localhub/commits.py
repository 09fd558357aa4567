"""What a client uploads: how each file should come, and the commit that names it, line by line."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from localhub.store import Blob, Commit, RefusedError, Repo

LARGE = (".parquet", ".arrow", ".bin", ".zip")


def upload_mode(asked: Mapping[str, Any], present: Mapping[str, Blob]) -> dict[str, Any]:
    """How one file should be uploaded, and what stands in its place now."""
    path = asked["path"]
    mode = "lfs" if path.endswith(LARGE) else "regular"
    known = {"oid": present[path].etag} if path in present else {}
    return {"path": path, "uploadMode": mode, "shouldIgnore": False, **known}


def lfs_action(asked: Mapping[str, Any], known: Collection[str], base: str) -> dict[str, Any]:
    """Where one large file is to be put, or nothing when it is here already."""
    oid, size = asked["oid"], asked["size"]
    if oid in known:
        return {"oid": oid, "size": size}
    return {
        "oid": oid,
        "size": size,
        "authenticated": True,
        "actions": {"upload": {"href": f"{base}/lfs/{oid}"}, "verify": {"href": f"{base}/lfs/{oid}/verify"}},
    }


def read_commit(
    body: bytes, repo: Repo, revision: str, find: Callable[[str], Blob | None]
) -> tuple[Commit, str | None]:
    """(the commit that the lines ask for on top of a revision, the parent they insist on)."""
    parent = repo.resolve(revision)
    files, header = dict(repo.commits[parent].files), {}
    for line in body.splitlines():
        entry = json.loads(line)
        value = entry["value"]
        if entry["key"] == "header":
            header = value
        else:
            _change(files, entry["key"], value, find)
    return Commit((parent,), files, header["summary"], header.get("description", "")), header.get("parentCommit")


def _change(files: dict[str, Blob], key: str, value: Mapping[str, Any], find: Callable[[str], Blob | None]) -> None:
    path = value["path"]
    if key == "file":
        files[path] = Blob(base64.b64decode(value["content"]), lfs=False)
    elif key == "lfsFile":
        blob = find(value["oid"])
        if blob is None or len(blob.data) != value.get("size", len(blob.data)):
            raise RefusedError(400, f"{path}: its content was never uploaded")
        files[path] = blob
    elif key == "deletedFile":
        if files.pop(path, None) is None:
            raise RefusedError(404, "A file with this name doesn't exist", "EntryNotFound")
    elif key == "deletedFolder":
        for inside in [one for one in files if one.startswith(f"{path.rstrip('/')}/")]:
            del files[inside]
    else:
        raise RefusedError(400, f"unknown operation {key}")
