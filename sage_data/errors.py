"""Every error a user can meet, in one place, each with the exit code the command line ends with.

A message says what was expected, what was found and where (file, line, row); `next_step` says what to do about it.
"""

from __future__ import annotations


class SageError(Exception):
    """Something went wrong that the user can act on (exit code 1).

    `message` states what was expected, what was found and where; `next_step` is the command or change that helps.
    """

    exit_code = 1

    def __init__(self, message: str, *, next_step: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return self.message if self.next_step is None else f"{self.message}\n  next: {self.next_step}"


class ConfigError(SageError):
    """A recipe, option or argument is wrong (exit code 2)."""

    exit_code = 2


class InputError(SageError):
    """An input file or row is missing, damaged or of the wrong shape (exit code 1)."""


class DamagedFileError(InputError):
    """A file is cut short or corrupt; what precedes the damage is not used unless asked for (exit code 1)."""


class SchemaVersionError(InputError):
    """A manifest or table was written by a newer version of this software (exit code 1)."""


class StageError(SageError):
    """A stage broke its contract, for example by writing nothing (exit code 1)."""


class MissingDependencyError(SageError):
    """An optional package is needed; the message names the extra that brings it (exit code 1)."""


class BackendError(SageError):
    """A chat backend could not be opened or used at all (exit code 1)."""


class BudgetStopError(SageError):
    """The allowed cost is reached, or only a pilot was asked for; finished calls are kept (exit code 4)."""

    exit_code = 4


class PublishError(SageError):
    """A dataset may not be published as it is, or the Hub did not take it (exit code 1)."""


class UnscriptedPromptError(BackendError):
    """The scripted fake met a conversation that its script does not answer (exit code 1)."""


class LockedError(SageError):
    """Another process is running in this folder (exit code 5)."""

    exit_code = 5


class Terminated(BaseException):
    """SIGTERM arrived: not an error, but the end of the work, like KeyboardInterrupt (exit code 143)."""
