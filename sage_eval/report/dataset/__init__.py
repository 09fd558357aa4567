"""The data page: what came in, what was kept and why, what it says of states, whose it is, and a few of both kinds.

data = read_dataset(connection, examples=3, card=None)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sage_eval.report.asked import Asked, Row
from sage_eval.report.dataset.examples import Kept, Rejected, kept, rejected
from sage_eval.report.dataset.funnel import Step, steps
from sage_eval.report.dataset.tags import Tagged, tagged
from sage_eval.warehouse.database import Connection

__all__ = ["Dataset", "read_dataset"]


@dataclass(frozen=True, slots=True)
class Dataset:
    """The whole page."""

    funnel: tuple[Step, ...]
    """Stages that lost something."""
    whole: int
    """Stages that kept everything, left out of the funnel."""
    tags: tuple[Tagged, ...]
    """Stages of data that carry states."""
    model_tags: tuple[Tagged, ...]
    """The same of what models said."""
    kept: tuple[Kept, ...]
    rejected: tuple[Rejected, ...]
    origins: tuple[Row, ...]
    card: str | None
    """The dataset card's text."""
    sql: Mapping[str, str]
    """Named query -> its text."""


def read_dataset(connection: Connection, examples: int, card: str | None) -> Dataset:
    """Ask the warehouse for everything the page shows; at most `examples` of each kind.

    Raises:
        QueryError: the warehouse cannot answer.
    """
    asked = Asked(connection)
    found = steps(asked.rows("funnel"))
    lossy = tuple(step for step in found if step.lost)
    tags = tagged(asked.rows("tag_counts"))
    return Dataset(
        funnel=lossy,
        whole=len({step.stage for step in found} - {step.stage for step in lossy}),
        tags=tuple(one for one in tags if one.model is None),
        model_tags=tuple(one for one in tags if one.model is not None),
        kept=kept(asked.rows("examples_kept"), examples),
        rejected=rejected(asked.rows("examples_rejected"), examples),
        origins=asked.rows("origins"),
        card=card,
        sql=asked.sql,
    )
