"""What was published, for people and for programs: `summary.txt` and `receipts.json`.

conclude(out, assembled, receipts)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from sage_data.publishing.receipts import Receipt, summary
from sage_data.publishing.scans import Findings
from sage_eval.publish.assembling import FOLDERS, MODELS, Assembled

if TYPE_CHECKING:
    from sage_data.stage import Output


def conclude(out: Output, assembled: Assembled, receipts: Sequence[Receipt]) -> None:
    """Write both files."""
    out.write_json("receipts.json", [asdict(one) for one in receipts])
    out.write_text("summary.txt", "\n".join(_lines(assembled, receipts)) + "\n")


def _lines(assembled: Assembled, receipts: Sequence[Receipt]) -> Iterator[str]:
    for parcel, receipt in zip(assembled.parcels, receipts, strict=True):
        yield f"{FOLDERS[parcel.kind]}/ -> " + summary(receipt, parcel.files, 0).rstrip()
        yield _scanned(parcel.findings)
        yield ""
    if assembled.kept is not None:
        for table, columns in assembled.kept.columns:
            yield f"stays here of {table}: {', '.join(columns)}"
        if assembled.kept.tables:
            yield f"stays here: {', '.join(assembled.kept.tables)}"
    if assembled.pages is not None:
        yield from (f"stays here: {name} ({why})" for name, why in assembled.pages.left_out)
    for model, files in assembled.models.items():
        yield f"{MODELS}/{model}: {', '.join(files)}, to push along with the model"
    for model, task, why in assembled.stated.left_out:
        yield f"not stated of {model}: {task} ({why})"


def _scanned(findings: Findings) -> str:
    found = {kind.value: count for kind, count in findings.counts.items() if count}
    listed = ", ".join(f"{name} {count:,}" for name, count in found.items())
    return f"scanned for {', '.join(kind.value for kind in findings.counts)}: {listed or 'nothing found'}"
