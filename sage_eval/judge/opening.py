"""Opens what is judged and who judges, and says where the two are related.

models = load_models(config, inputs)
judges = open_judges(config, inputs, context, purse)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, combinations

from sage_data.chat.meter import Meter
from sage_data.dialogue import Dialogue
from sage_data.errors import ConfigError, InputError
from sage_data.inputs import Input, maker
from sage_data.stage import Context, Inputs, Output, located
from sage_data.store.dialogues import read_dialogues
from sage_eval.judge import llm, reward, rubric
from sage_eval.judge.protocol import Judge
from sage_eval.judge.purse import Purse
from sage_eval.judge.settings import REWARD, RUBRIC, Config, JudgeSpec
from sage_eval.judge.transcripts import Matched, Place, by_place, match
from sage_eval.plan import PANEL

RESERVED = (PANEL, "pooled")
"""Names in tables that stand for several judges."""
Models = Mapping[str, Mapping[Place, Dialogue]]
"""Model name -> place -> dialogue."""


def model_name(given: Input, config: Config) -> str:
    """What a model is called in tables: the label of its transcripts, without the prefix."""
    return given.label.removeprefix(config.strip_prefix)


def load_models(config: Config, inputs: Inputs) -> Models:
    """Read every model's transcripts.

    Raises:
        ConfigError: two inputs have one name, or a pair names a model that no input has.
        InputError: a dialogue has no scenario, or a sample of a scenario two dialogues.
    """
    models: dict[str, Mapping[Place, Dialogue]] = {}
    for one in inputs.many("transcripts"):
        name = model_name(one, config)
        if name in models:
            raise ConfigError(f"two inputs are named {name!r} once {config.strip_prefix!r} is taken off")
        models[name] = by_place(read_dialogues(one.path), one.label)
    unknown = sorted(set(chain.from_iterable(config.pairs)) - models.keys())
    if unknown:
        raise ConfigError(
            f"`pairs` names {', '.join(unknown)}, but there are transcripts of {', '.join(sorted(models))} only",
            next_step="add the rollout to the stage's inputs, or correct `pairs`",
        )
    return models


def match_models(config: Config, models: Models) -> dict[tuple[str, str], Matched]:
    """(A, B) -> their dialogues that meet.

    Raises:
        ConfigError: there is one model only.
        InputError: two models of a pair share no scenario.
    """
    pairs = config.pairs or tuple(combinations(models, 2))
    if not pairs:
        raise ConfigError("there is one model only, and nothing to compare it with", next_step="add transcripts")
    found = {}
    for a, b in pairs:
        found[a, b] = match(models[a], models[b])
        if not found[a, b].pairs:
            raise InputError(
                f"{a} and {b} share no scenario, so there is nothing to compare",
                next_step="roll both out on the same scenarios",
            )
    return found


def open_judges(config: Config, inputs: Inputs, context: Context, purse: Purse) -> list[Judge]:
    """Open every judge; none is asked anything yet.

    Raises:
        ConfigError: there is no such rubric, two judges share a name, or one has a name that stands for several.
        BackendError: nothing answers to a URI.
    """
    judges = [_open(spec, config, inputs, context, purse) for spec in config.judges]
    names = [judge.name for judge in judges]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"judges share a name: {', '.join(names)}", next_step="name them apart: judges: {uri: ..., name: ...}"
        )
    if taken := [name for name in names if name in RESERVED]:
        raise ConfigError(f"a judge is called {taken[0]!r}, which stands for several judges", next_step="rename it")
    return judges


def _open(spec: JudgeSpec, config: Config, inputs: Inputs, context: Context, purse: Purse) -> Judge:
    if spec.scheme == RUBRIC:
        return rubric.rubric_judge(spec.uri, spec.name)
    if spec.scheme == REWARD:
        return reward.reward_judge(located(spec.uri, inputs), spec.name)
    # A backend tells its name only once it is open, and is opened with the meter that goes by its judge's name.
    prices = config.prices(spec)
    meter = None if prices is None else Meter(prices)
    backend = context.chat(spec.uri, inputs, meter)
    name = spec.name or backend.identity
    purse.give(name, meter)
    return llm.ChatJudge(
        name, backend, config.max_tokens, context.seed, temperature=config.temperature, constrained=config.constrained
    )


def warn_of_kinship(config: Config, inputs: Inputs, models: Models, judges: Sequence[Judge], out: Output) -> None:
    """Say where a judge is a model that it judges, or has chosen the replies that one was trained on."""
    candidates = {
        name: {dialogue.model for dialogue in dialogues.values() if dialogue.model}
        for name, dialogues in models.items()
    }
    selectors = {model_name(one, config): _selectors(one) for one in inputs.many("transcripts")}
    for one, other in combinations(judges, 2):
        if one.spec_hash == other.spec_hash:
            out.warn(f"judges {one.name} and {other.name} are one and the same: the second adds nothing but its name")
    for judge in judges:
        out.add_model(f"judge {judge.name}", judge.identity)
        if any(judge.identity in spoken for spoken in candidates.values()):
            out.warn(f"judge {judge.name} is one of the models it judges ({judge.identity}); it may favour itself")
        for model, stages in selectors.items():
            if judge.identity in stages:
                out.warn(
                    f"judge {judge.name} chose the replies that {model} learnt from, as the selector of stage "
                    f"{stages[judge.identity]}; it may favour what it chose"
                )


def _selectors(given: Input) -> dict[str, str]:
    """Identity of each selector in the lineage of some transcripts -> the stage in which it selected."""
    made = maker(given)
    if made is None:
        return {}
    return {one.models["selector"]: one.stage for one in made.lineage if "selector" in one.models}
