"""Any stage as a command: its inputs become arguments, the fields of its Config become options.

    sage data gate dialogues/ --out kept/ --min-compound 0.2

The first input is given by position, the others as `--NAME PATH`. What an option cannot express goes through `--set`. A
field whose type is a model of its own becomes an option if that model says `written_as_text = True`, as one that
validates from a text.
"""

from __future__ import annotations

import json
import os
import types
import typing
from enum import StrEnum
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from sage_data.cli.ending import end_with_failures, say_failed
from sage_data.errors import ConfigError
from sage_data.inputs import check_url, is_url
from sage_data.progress import choose_progress
from sage_data.recipe.load import apply_override
from sage_data.recipe.run import JOURNAL, RECIPE, go_offline
from sage_data.stage import SUMMARY, Context, Need, StageConfig, load_stage, run_stage
from sage_data.store.folder import WORK, StageFolder
from sage_data.store.lock import LOCK, run_lock
from sage_data.store.manifest import Manifest

_SCALARS: dict[Any, click.ParamType[Any]] = {
    int: click.INT,
    float: click.FLOAT,
    str: click.STRING,
    Path: click.Path(path_type=Path),
}


class InputType(click.ParamType[Path | str]):
    """A local path that exists, or a URL where the stage can read one."""

    name = "path"
    _local = click.Path(exists=True, path_type=Path)

    def __init__(self, need: Need) -> None:
        self._need = need
        self.name = "path-or-url" if need.remote else "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        """Pass a URL through, and look whether a path exists."""
        if not isinstance(value, str) or not is_url(value):
            return self._local.convert(value, param, ctx)
        try:
            check_url(value, self._need)
        except ConfigError as error:
            self.fail(error.message, param, ctx)
        return value


def stage_command(name: str, uses: str, about: str, example: str) -> click.Command:
    """Build the command of one stage."""
    module = load_stage(uses)
    needs, fields = module.INPUTS, module.Config.model_fields

    def callback(**given: Any) -> None:
        inputs = {need.name: _as_tuple(given.pop(need.name)) for need in needs}
        _run(uses, module.Config, {key: paths for key, paths in inputs.items() if paths}, given)

    help_text = f"{about[0].upper()}{about[1:].rstrip('.')}.\n\n{_beginning(module.__doc__)}"
    epilog = f"\b\nExample:\n  {example}" if example else None
    parameters = [_input_parameter(need, first=index == 0) for index, need in enumerate(needs)]
    options = [option for key, field in fields.items() if (option := _option(key, field)) is not None]
    return click.Command(
        name, callback=callback, params=[*parameters, *_common(), *options], help=help_text, epilog=epilog
    )


def _beginning(doc: str | None) -> str:
    """A module's first two paragraphs, or the first where the second is its example."""
    paragraphs = (doc or "").strip("\n").split("\n\n")[:2]
    return "\n\n".join(one.strip() for one in paragraphs if not one.startswith("    "))


def _as_tuple(value: Any) -> tuple[Path | str, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, tuple) else (value,)


def _input_parameter(need: Need, *, first: bool) -> click.Parameter:
    path = InputType(need)
    if first and (need.positional or not need.optional):
        return click.Argument([need.name], type=path, nargs=-1 if need.many else 1, required=not need.optional)
    flag = f"--{need.name.replace('_', '-')}"
    about = f"{need.about} (input{', repeatable' if need.many else ''})"
    return click.Option([flag, need.name], type=path, multiple=need.many, required=not need.optional, help=about)


def _common() -> list[click.Parameter]:
    return [
        click.Option(
            ["--out"], type=click.Path(path_type=Path), required=True, help="Folder to write; made when missing."
        ),
        click.Option(["--seed"], type=click.IntRange(min=0), default=0, show_default=True, help="Seed of every draw."),
        click.Option(["--set", "overrides"], multiple=True, metavar="KEY=VALUE", help="Any option, its value as YAML."),
        click.Option(["--offline"], is_flag=True, help="Forbid the hub libraries any network access."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the manifest as JSON."),
        click.Option(["-q", "--quiet"], is_flag=True, help="No progress."),
        click.Option(["--progress/--no-progress"], default=True, help="Live progress bars."),
    ]


def _option(key: str, field: FieldInfo) -> click.Option | None:
    """The option of one Config field, or None when its type needs `--set`."""
    flag = f"--{key.replace('_', '-')}"
    if flag in ("--out", "--seed", "--set", "--json", "--quiet", "--offline", "--progress"):
        return None
    kind, many = _kind(field.annotation)
    about = f"{field.description or ''} [default: {_shown(field)}]"
    if kind is bool:
        return click.Option([f"{flag}/--no-{key.replace('_', '-')}", key], default=None, help=about)
    param_type = _param_type(kind)
    if param_type is None:
        return None
    return click.Option([flag, key], type=param_type, multiple=many, default=None, help=about)


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    shown = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "none" if value is None or not shown else shown


def _kind(annotation: Any) -> tuple[Any, bool]:
    """(scalar type, repeatable?) of an annotation; `X | None` counts as X."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        rest = [one for one in arguments if one is not type(None)]
        return _kind(rest[0]) if len(rest) == 1 else (None, False)
    if origin in (list, tuple) and arguments:
        kind, nested = _kind(arguments[0])
        return (None, False) if nested else (kind, True)
    return annotation, False


def _param_type(kind: Any) -> click.ParamType[Any] | None:
    if typing.get_origin(kind) is typing.Literal:
        return click.Choice([str(choice) for choice in typing.get_args(kind)])
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return click.Choice([str(choice) for choice in kind])
    if getattr(kind, "written_as_text", False):
        return click.STRING
    return _SCALARS.get(kind)


def _run(
    uses: str, config_type: type[StageConfig], inputs: dict[str, tuple[Path | str, ...]], given: dict[str, Any]
) -> None:
    out, seed, as_json = given.pop("out"), given.pop("seed"), given.pop("as_json")
    quiet, live, overrides = given.pop("quiet"), given.pop("progress"), given.pop("overrides")
    if given.pop("offline"):
        go_offline()
    options: dict[str, Any] = {key: value for key, value in given.items() if value is not None and value != ()}
    for override in overrides:
        _override(config_type, options, override)
    config = _checked(config_type, options)
    final = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() would follow links
    work = final.parent / WORK
    context = Context(seed=seed, journal=work / JOURNAL, report=choose_progress(quiet=quiet, live=live))
    in_a_run = (final.parent / RECIPE).is_file()
    with run_lock(final.parent / LOCK if in_a_run else work / f"{LOCK}-{final.name}"):
        before = StageFolder(final).manifest()
        manifest = run_stage(uses, config, inputs, final, context)
    _print(manifest, out, as_json, _done(before, manifest))
    say_failed(manifest.failures)
    end_with_failures(len(manifest.failures))


def _override(config_type: type[StageConfig], options: dict[str, Any], override: str) -> None:
    """Apply one `--set KEY=VALUE` to the options given so far."""
    raw = {**dict.fromkeys(config_type.model_fields), **options}
    apply_override(raw, override)
    key = override.partition("=")[0].partition(".")[0]
    options[key] = raw[key]


def _checked(config_type: type[StageConfig], options: dict[str, Any]) -> StageConfig:
    try:
        return config_type.model_validate(options)
    except ValidationError as error:
        raise ConfigError("\n".join(_said(one) for one in error.errors())) from error


def _said(one: ErrorDetails) -> str:
    """One error of a config as a sentence; a rule about several options has no option of its own."""
    message = one["msg"].removeprefix("Value error, ")
    if not one["loc"]:
        return message
    option = ".".join(str(part) for part in one["loc"]).replace("_", "-")
    return f"--{option}: {message} (found {one['input']!r})"


def _done(before: Manifest | None, now: Manifest) -> str:
    """What happened to the output folder."""
    if before is None:
        return "wrote"
    return "up to date:" if before.fingerprint == now.fingerprint else "replaced, as inputs or settings differ:"


def _print(manifest: Manifest, out: Path, as_json: bool, done: str) -> None:
    if as_json:
        click.echo(json.dumps(manifest.model_dump(mode="json"), indent=2, sort_keys=True))
        return
    summary = out / SUMMARY
    if summary.is_file():
        click.echo(summary.read_text(encoding="utf-8").rstrip())
    for warning in manifest.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{done} {out} ({len(manifest.files)} files, content {manifest.content_hash[:12]})", err=True)
