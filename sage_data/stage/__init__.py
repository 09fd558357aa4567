"""The stage contract: what a stage is given, what it may write, and how it is run.

A stage is a module with

    VERSION = 1                                   bumped when the same config and inputs would give other bytes
    INPUTS = (Need("dialogues", "what it reads"), ...)
    RESOURCES = (path, ...)                       optional: prompt or lexicon files that belong to its fingerprint;
                                                  or a function of the config that gives them
    class Config(StageConfig): ...
    def run(config, inputs, out, context) -> None

and is used three ways with one code path: `run_stage` from Python, a `sage` sub-command, a step of a recipe.
"""

from sage_data.inputs import Input, Inputs, Need, resolve_path
from sage_data.stage.contract import (
    SUMMARY,
    Context,
    StageConfig,
    StageModule,
    derive_seed,
    load_stage,
    located,
    missing_package,
)
from sage_data.stage.fingerprint import backend_files, counted_config, describe, fingerprint, resources
from sage_data.stage.output import Output
from sage_data.stage.running import fresh_manifest, package_versions, run_stage
from sage_data.store.manifest import Counts, Origin

__all__ = [
    "SUMMARY",
    "Context",
    "Counts",
    "Input",
    "Inputs",
    "Need",
    "Origin",
    "Output",
    "StageConfig",
    "StageModule",
    "backend_files",
    "counted_config",
    "derive_seed",
    "describe",
    "fingerprint",
    "fresh_manifest",
    "load_stage",
    "located",
    "missing_package",
    "package_versions",
    "resolve_path",
    "resources",
    "run_stage",
]
