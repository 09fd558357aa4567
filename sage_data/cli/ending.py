"""How a command ends that finished although parts of its work failed.

say_failed(manifest.failures)
"""

from __future__ import annotations

from collections.abc import Iterable

import click

FAILED_PARTS = 3
"""Exit code: the output is finished and usable, but parts of the work failed."""


def say_failed(messages: Iterable[str]) -> None:
    """Name each part that failed on stderr."""
    for message in messages:
        click.echo(f"failed: {message}", err=True)


def end_with_failures(count: int) -> None:
    """End the command with its exit code if any part failed.

    Raises:
        click.exceptions.Exit: some did.
    """
    if count:
        click.echo(f"finished, but {count} {'part' if count == 1 else 'parts'} failed", err=True)
        raise click.exceptions.Exit(FAILED_PARTS)
