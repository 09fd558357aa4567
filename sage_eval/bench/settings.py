"""Inputs and settings of the bench stage.

Config(names=("paper",), limit=100)
"""

from __future__ import annotations

from pydantic import Field

from sage_data.stage import Need, StageConfig
from sage_eval.bench.endpoint import Api
from sage_eval.bench.opening import Argument

INPUTS = (
    Need("model", "checkpoint folder, or the folder of a stage that made one", optional=True, positional=True),
    Need("adapter", "folder of a LoRA adapter to put on the model", optional=True),
    Need("tasks", "folder of lm-eval task files with their data", optional=True),
    Need("mirror", "mirror of the tasks' data, as `sage eval bench mirror` writes it", optional=True),
    Need("tokenizer", "tokenizer of the model that a server runs", optional=True),
)


class Config(StageConfig):
    """Which tasks are run, on what, and how."""

    names: tuple[str, ...] = Field(
        (),
        description="Tasks or groups by their lm-eval names; `paper` for the ten of the paper's Table 2, zero-shot; "
        "every task of the input `tasks` when left out.",
    )
    model_uri: str = Field(
        "hf:@model",
        description="hf:@model or vllm:@model for the input `model`, hf:ORG/NAME, vllm:ORG/NAME, openai:MODEL@URL.",
    )
    api: Api = Field(Api.COMPLETIONS, description="Route of an openai: server; chat can run only tasks that write.")
    tokenizer_id: str | None = Field(None, description="Hub id of an openai: model's tokenizer, if not its own name.")
    limit: int | None = Field(None, ge=1, description="Documents a task; all of them when left out.")
    num_fewshot: int | None = Field(None, ge=0, description="Examples in the prompt; the task's own when left out.")
    batch_size: int = Field(16, ge=1, description="Requests in a batch.")
    apply_chat_template: bool = Field(False, description="Put prompts into the model's chat template.")
    bootstrap_iters: int = Field(1000, ge=0, description="Resamples for standard errors that have no formula.")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:1, ...")
    max_length: int | None = Field(None, ge=1, description="Tokens of context; the model's own when left out.")
    model_args: dict[str, Argument] = Field(
        default_factory=dict, description="More arguments of lm-eval's model, such as {dtype: float32}."
    )
    offline: bool = Field(True, description="Never ask the Hub for data or models.")
