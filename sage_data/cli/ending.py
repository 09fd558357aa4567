"""How a command ends that finished although parts of its work failed.

say_failed(manifest.failures)
end_with_failures(manifest.failures)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

FAILED_PARTS = 3
"""Exit code: the output is finished and usable, but parts of the work failed."""


def say_failed(messages: Iterable[str]) -> None:
    """Name each part that failed on stderr."""
    for message in messages:
        click.echo(f"failed: {message}", err=True)


def end_with_failures(messages: Sequence[str]) -> None:
    """End the command with its exit code if any part failed; of a single one, the last line says what it was.

    Raises:
        click.exceptions.Exit: some did.
    """
    if messages:
        what = messages[0] if len(messages) == 1 else f"{len(messages)} parts failed, each named above"
        click.echo(f"finished, but {what}", err=True)
        raise click.exceptions.Exit(FAILED_PARTS)
