"""Read a recipe: YAML 1.2, duplicate and unknown keys refused, overrides applied, nothing guessed.

    version: 1
    name: quickstart
    seed: 7
    stages:
      world:
        uses: sage_data.sample
        with: {threads: 4000}
      dialogues:
        uses: sage_data.reddit
        inputs: {dumps: world/dumps}

An input is a stage's name, a folder inside it (`world/dumps`), a list of those, or `{path: ...}` for something outside:
a local path, or a URL such as s3://bucket/RC_2005-12.zst where the stage can read one.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import YAMLError

from sage_data.errors import ConfigError
from sage_data.inputs import check_url, is_url
from sage_data.stage import Need, StageConfig, load_stage

SUFFIX = ".yaml"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outside(_Frozen):
    """An input that no stage of the recipe makes."""

    path: str = Field(description="File, folder or URL; relative paths start at the recipe's folder.")


Reference = str | Outside


class Step(_Frozen):
    """One stage of a recipe."""

    uses: str = Field(description="Module of the stage, for example sage_data.gates.")
    inputs: dict[str, Reference | list[Reference]] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict, alias="with", description="The stage's Config.")

    def references(self) -> dict[str, list[Reference]]:
        """Every input as a list."""
        return {name: given if isinstance(given, list) else [given] for name, given in self.inputs.items()}


class Recipe(_Frozen):
    """An experiment: named stages and how they feed each other."""

    version: Literal[1] = Field(description="Version of the recipe format.")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Also the default run folder's name.")
    about: str = Field(default="", description="One paragraph for people.")
    seed: int = Field(default=0, ge=0, description="Given to every stage.")
    offline: bool = Field(default=True, description="Forbid every hub library any network access.")
    stages: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")], Step]
    show: list[str] = Field(default_factory=list, description="Stages whose summaries are printed at the end.")

    def order(self) -> list[str]:
        """Stage names so that each comes after what it reads; ties keep the recipe's order.

        Raises:
            ConfigError: stages depend on each other in a circle.
        """
        sorter = TopologicalSorter({name: self.depends_on(name) for name in self.stages})
        position = {name: index for index, name in enumerate(self.stages)}
        ordered: list[str] = []
        try:
            sorter.prepare()
        except CycleError as error:
            raise ConfigError(f"stages depend on each other in a circle: {' -> '.join(error.args[1])}") from error
        ready: list[str] = []
        while sorter.is_active():
            ready = sorted([*ready, *sorter.get_ready()], key=position.__getitem__)
            ordered.append(ready.pop(0))
            sorter.done(ordered[-1])
        return ordered

    def depends_on(self, name: str) -> list[str]:
        """Names of the stages that `name` reads."""
        references = [one for listed in self.stages[name].references().values() for one in listed]
        return sorted({one.partition("/")[0] for one in references if isinstance(one, str)})

    def config(self, name: str) -> StageConfig:
        """The checked Config of a stage.

        Raises:
            ConfigError: an option is unknown or has the wrong type.
        """
        step = self.stages[name]
        module = load_stage(step.uses)
        try:
            return module.Config.model_validate(step.options)
        except ValidationError as error:
            raise ConfigError(_explain(error, f"stage {name}: with", list(module.Config.model_fields))) from error


def find_recipe(name: str) -> Path:
    """The file of a recipe given by path, or by the name of one that ships with the package.

    Raises:
        ConfigError: there is neither.
    """
    path = Path(name)
    if path.suffix in (SUFFIX, ".yml") or path.exists():
        if path.is_file():
            return path
        raise ConfigError(f"{path}: no such recipe file")
    shipped = shipped_recipes()
    if name not in shipped:
        close = difflib.get_close_matches(name, shipped, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"shipped recipes: {', '.join(sorted(shipped))}"
        raise ConfigError(f"no recipe {name!r}: neither a .yaml file nor the name of a shipped one", next_step=hint)
    return shipped[name]


def shipped_recipes() -> dict[str, Path]:
    """Name -> file of every recipe that comes with the package."""
    packaged = Path(str(files("sage_data"))) / "_recipes"
    folder = packaged if packaged.is_dir() else Path(str(files("sage_data"))).parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob(f"*{SUFFIX}"))}


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read, override and check a recipe, down to the options of each stage.

    Raises:
        ConfigError: anything is wrong with it; names file, line and key.
    """
    raw = read_yaml(path)
    for override in overrides:
        apply_override(raw, override, [*Recipe.model_fields])
    try:
        recipe = Recipe.model_validate(raw)
    except ValidationError as error:
        raise ConfigError(_explain(error, str(path), [*Recipe.model_fields, "uses", "inputs", "with"])) from error
    recipe = _anchor(recipe, path.resolve().parent)
    _check_references(recipe, path)
    for name in recipe.stages:
        recipe.config(name)
    return recipe


def dump_recipe(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain data that `load_recipe` reads back."""
    return recipe.model_dump(mode="json", by_alias=True)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML 1.2 mapping.

    Raises:
        ConfigError: it is not YAML, has a key twice, or is no mapping.
    """
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except DuplicateKeyError as error:
        raise ConfigError(f"{path}: a key stands twice: {error.problem} {error.problem_mark}") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(raw).__name__}")
    return raw


def apply_override(raw: dict[str, Any], override: str, known: Sequence[str] = ()) -> None:
    """Apply `a.b=value` in place; the value is read as YAML. `stages.` may be left out, and `with.` is implied.

    `known` are keys that may be set although `raw` does not hold them.

    Raises:
        ConfigError: it is not of that form, or names no stage.
    """
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: expected KEY=VALUE, for example gates.min_compound=0.2")
    path = key.split(".")
    stages = raw.get("stages") or {}
    settable = dict.fromkeys([*raw, *known, *stages])
    if path[0] not in settable:
        raise ConfigError(f"--set {override!r}: no stage or key {path[0]!r}{_did_you_mean(path[0], settable)}")
    if path[0] in stages:
        implied = [] if path[1:2] in (["with"], ["inputs"], ["uses"]) else ["with"]
        path = ["stages", path[0], *implied, *path[1:]]
    try:
        _put(raw, path, YAML(typ="safe", pure=True).load(value))
    except YAMLError as error:
        raise ConfigError(f"--set {override!r}: the value is not YAML: {error}") from error
    except TypeError as error:
        raise ConfigError(f"--set {override!r}: {error}") from error


def _put(node: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set one value in nested mappings; missing or empty ones on the way are made."""
    for part in path[:-1]:
        if node.get(part) is None:
            node[part] = {}
        node = node[part]
        if not isinstance(node, dict):
            raise TypeError(f"{part!r} holds a value, not a mapping")
    node[path[-1]] = value


def _anchor(recipe: Recipe, folder: Path) -> Recipe:
    """Make outside paths absolute, so that a run can be resumed from anywhere."""

    def anchored(reference: Reference) -> Reference:
        if not isinstance(reference, Outside) or is_url(reference.path):
            return reference
        return Outside(path=str(folder / reference.path))

    stages = {
        name: step.model_copy(
            update={"inputs": {key: [anchored(one) for one in listed] for key, listed in step.references().items()}}
        )
        for name, step in recipe.stages.items()
    }
    return recipe.model_copy(update={"stages": stages})


def _check_references(recipe: Recipe, path: Path) -> None:
    for name, step in recipe.stages.items():
        _check_needs(name, step, path)
        for dependency in recipe.depends_on(name):
            if dependency not in recipe.stages:
                raise ConfigError(
                    f"{path}: stage {name} reads {dependency!r}, which is no stage"
                    f"{_did_you_mean(dependency, recipe.stages)}",
                    next_step="for a file or folder that no stage writes: {path: ...}",
                )
    for name in recipe.show:
        if name not in recipe.stages:
            raise ConfigError(f"{path}: show names {name!r}, which is no stage{_did_you_mean(name, recipe.stages)}")
    recipe.order()


def _check_needs(name: str, step: Step, path: Path) -> None:
    needs = {need.name: need for need in load_stage(step.uses).INPUTS}
    given = step.references()
    for key, listed in given.items():
        if key not in needs:
            raise ConfigError(f"{path}: stage {name}: unknown input {key!r}{_did_you_mean(key, list(needs))}")
        _check_given(listed, needs[key], f"{path}: stage {name}: input {key!r}")
    for key, need in needs.items():
        if not need.optional and not given.get(key):
            raise ConfigError(f"{path}: stage {name}: needs the input {key!r}: {need.about}")


def _check_given(listed: Sequence[Reference], need: Need, where: str) -> None:
    if len(listed) > 1 and not need.many:
        raise ConfigError(f"{where} takes one folder, found {len(listed)}")
    for one in listed:
        if isinstance(one, Outside):
            _check_outside(one.path, need, where)


def _check_outside(path: str, need: Need, where: str) -> None:
    """A local path must exist; whether something is behind a URL is asked when it is read."""
    if is_url(path):
        try:
            check_url(path, need)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error.message}", next_step=error.next_step) from error
    elif not Path(path).exists():
        raise ConfigError(f"{where}: {path}: no such file or folder")


def _explain(error: ValidationError, where: str, known: Sequence[str]) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where}: unknown key {key!r}{_did_you_mean(str(problem['loc'][-1]), known)}")
        else:
            lines.append(f"{where}: {key}: {problem['msg']} (found {problem['input']!r})")
    return "\n".join(lines)


def _did_you_mean(word: str, known: Sequence[str] | Mapping[str, Any] | set[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"
