"""Command groups whose members are imported only when used: the listing needs names and one-line helps alone."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass

import click


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command that is not imported yet."""

    about: str
    """One line for the group's listing."""
    target: str
    """`module:attribute` of a click command, or the module name of a stage when it has no colon."""
    example: str = ""
    """A command line that works, shown at the end of a stage command's help."""


class LazyGroup(click.Group):
    """A group made of `Lazy` entries; a name of two words (`bench mirror`) is a command beside its first word's."""

    def __init__(self, name: str, entries: Mapping[str, Lazy], about: str) -> None:
        super().__init__(name=name, help=about)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table: the order of the pipeline."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, colon, attribute = entry.target.partition(":")
        if not colon:
            from sage_data.cli.stage_command import stage_command

            return stage_command(cmd_name, entry.target, entry.about, entry.example)
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List names and one-line helps without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.about) for name, entry in self._entries.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown name is answered with the closest known one."""
        if (both := " ".join(args[:2])) in self._entries and len(args) > 1:
            return both, self.get_command(ctx, both), args[2:]
        if args and args[0] not in self._entries and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], self._entries, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(self._entries)}."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)
