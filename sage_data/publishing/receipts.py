"""What was published, for people and for programs: `summary.txt` and `receipt.json`.

Neither holds a token, nor the address of a server but for the link in the summary.

    write_receipt(out, Receipt.planned("me/small-talk", True, files), assembled)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sage_data.publishing.hub import DATASET, content_mark, page_of
from sage_data.publishing.staging import StagedFile

if TYPE_CHECKING:
    from sage_data.publishing.assembling import Assembled
    from sage_data.stage import Output


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of it."""

    repo: str
    private: bool
    status: str
    """`planned`, `proposed`, `proposed before`, `merged` or `published before`."""
    content: str
    """Hash of all files by name."""
    files: dict[str, str]
    """Path -> SHA-256."""
    pull_request: int | None = None
    revision: str | None = None
    """The commit that was verified: the pull request's, or `main`'s."""
    kind: str = DATASET
    """Of the repository: `dataset` or `space`."""

    @staticmethod
    def planned(repo: str, private: bool, files: Sequence[StagedFile], kind: str = DATASET) -> Receipt:
        """What a dry run says."""
        hashes = {one.path: one.sha256 for one in files}
        return Receipt(repo, private, "planned", content_mark(files), hashes, kind=kind)


def write_receipt(out: Output, receipt: Receipt, assembled: Assembled) -> None:
    """Write `receipt.json` and `summary.txt`."""
    out.write_json("receipt.json", asdict(receipt))
    out.write_text("summary.txt", summary(receipt, assembled.files, _dropped(out)))


def _dropped(out: Output) -> int:
    return sum(one.dropped.get("tombstone", 0) for one in out.counts())


def summary(receipt: Receipt, files: Sequence[StagedFile], dropped: int) -> str:
    """A few lines for the terminal."""
    kind = "private" if receipt.private else "public"
    size = sum(one.bytes for one in files)
    lines = [f"{receipt.repo} ({kind}): {len(files)} files, {size:,} bytes, content {receipt.content[:16]}"]
    by_split: dict[tuple[str, str], int] = {}
    for one in files:
        if one.config is not None and one.split is not None:
            by_split[one.config, one.split] = by_split.get((one.config, one.split), 0) + (one.rows or 0)
    lines += [f"  {config}, {split}: {rows:,} rows" for (config, split), rows in by_split.items()]
    if dropped:
        lines.append(f"left out for a tombstone: {dropped:,} rows")
    return "\n".join([*lines, _outcome(receipt)]) + "\n"


def _outcome(receipt: Receipt) -> str:
    link, home = (page_of(receipt.repo, number, receipt.kind) for number in (receipt.pull_request, None))
    number = receipt.pull_request
    return {
        "planned": "dry run: nothing was sent. With --no-dry-run one pull request with these files would be made, "
        "downloaded again and compared",
        "proposed": f"pull request {number} holds these files, verified; merge it with --merge, or here: {link}",
        "proposed before": f"nothing was sent: pull request {number} holds these files since before, verified: {link}",
        "merged": f"pull request {number} is verified and merged: {home}",
        "published before": f"already published, nothing was changed: {link}",
    }[receipt.status]
