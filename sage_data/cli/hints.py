"""Says in the command line's words what a stage says in a recipe's: `max_cost` becomes `--max-cost`.

Stages name their settings and inputs between backticks as a recipe writes them, `offline: false` with a value. A name
that is no setting or input of the stage stays as it is.

    in_options("choose another `split`", Config, INPUTS)  # "choose another --split"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from sage_data.inputs import Need
from sage_data.stage import StageConfig

_NAMED = re.compile(r"(input )?`([a-z][a-z0-9_]*)(?:: ([^`]*))?`")


def in_options(
    said: str, config: type[StageConfig], needs: Sequence[Need] = (), no_option: Collection[str] = ()
) -> str:
    """A hint with every setting and input as the option or argument that gives it; `--set` for those of `no_option`."""
    place = next(iter(needs), None)
    argument = place.name if place is not None and (place.positional or not place.optional) else None
    names = {*config.model_fields, *(need.name for need in needs)}

    def written(found: re.Match[str]) -> str:
        input_, name, value = found.groups(default="")
        if name not in names:
            return found.group()
        if name == argument:
            return f"argument {name.upper()}" if input_ else name.upper()
        if name in no_option:
            return f"{input_}--set {name}={value or '...'}"
        return f"{input_}{_option(name, value)}"

    return _NAMED.sub(written, said)


def rule_in_options(said: str, config: type[StageConfig]) -> str:
    """A rule about several settings, which names them without backticks; only names of two words are surely meant."""
    longest_first = sorted((name for name in config.model_fields if "_" in name), key=len, reverse=True)
    if not longest_first:
        return said
    return re.sub(rf"\b(?:{'|'.join(longest_first)})\b", lambda found: _option(found.group()), said)


def _option(name: str, value: str = "") -> str:
    flag = name.replace("_", "-")
    if value in ("true", "false"):
        return f"--{'no-' if value == 'false' else ''}{flag}"
    return f"--{flag} {value}".rstrip()
