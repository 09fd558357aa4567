"""Loads a published dataset with `datasets`, as a user would, normally and streaming, and says what it got.

Runs as a process of its own, with an empty cache and the Hub's address and token in its environment, since `datasets`
reads these when it is imported. Reads a request as JSON from standard input, writes the answer as JSON.

    echo '{"repo": "me/small-talk", "revision": "main", "configs": ["annotated"], "rows": 100}' |
        python -m sage_data.publishing.loading
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Hash of rows as JSON."""
    listed = [json.dumps(row, sort_keys=True, default=str) for row in rows]
    return hashlib.sha256("\n".join(listed).encode("utf-8", "surrogatepass")).hexdigest()


def load(repo: str, revision: str, config: str, rows: int) -> dict[str, Any]:
    """Split -> rows, columns and digests of the first rows in both modes."""
    from datasets import load_dataset

    whole = load_dataset(repo, config, revision=revision)
    stream = load_dataset(repo, config, revision=revision, streaming=True)
    return {
        name: {
            "rows": len(split),
            "columns": list(split.column_names),
            "first": digest(islice(split, rows)),
            "streamed": digest(islice(stream[name], rows)),
        }
        for name, split in whole.items()
    }


def main() -> None:
    """Answer one request."""
    asked = json.load(sys.stdin)
    found = {name: load(asked["repo"], asked["revision"], name, asked["rows"]) for name in asked["configs"]}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
