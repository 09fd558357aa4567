"""Two small but real stages for the tests of store and runner: slow enough to be killed in the middle."""

import time

import pyarrow as pa

from sage_data.stage import Context, Counts, Inputs, Need, Output, StageConfig
from sage_data.store.shards import read_table

VERSION = 1
INPUTS = (Need("numbers", "folder of numbers", optional=True),)


class Config(StageConfig):
    """What to write."""

    rows: int = 40
    shards: int = 8
    pause_s: float = 0.0
    fail_at: int | None = None


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write `shards` shards of numbers, dropping the odd ones; add the sum of the input, if any."""
    before = inputs.optional("numbers")
    offset = 0 if before is None else sum(read_table(before.path, "numbers")["n"].to_pylist())
    with context.progress("numbers", config.shards, "shards") as bar:
        for index in range(config.shards):
            if config.fail_at == index:
                raise RuntimeError("planted failure")
            if not out.has_shard("numbers", index):
                time.sleep(config.pause_s)
                values = [context.seed + offset + index * config.rows + row for row in range(config.rows)]
                kept, odd = [v for v in values if v % 2 == 0], [v for v in values if v % 2]
                counts = Counts(unit="numbers", came_in=len(values), kept=len(kept), dropped={"odd": len(odd)})
                rejected = pa.table({"n": odd, "reason": ["odd"] * len(odd)})
                out.write_shard("numbers", index, pa.table({"n": kept}), counts=counts, rejected=rejected)
            bar.advance()
    if not out.has("model"):
        with out.folder("model") as path:
            time.sleep(config.pause_s)
            (path / "weights.txt").write_text(str(offset), encoding="utf-8")
    out.write_text("summary.txt", f"{config.shards} shards")
