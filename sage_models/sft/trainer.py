"""TRL's SFT trainer with the loss computed in the way that is quick on a CPU, and equal to TRL's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from datasets import Dataset
from torch.nn import functional
from trl import SFTTrainer

from sage_models.masking import IGNORED, Masked

CURVE = {
    "epoch": "epoch",
    "num_tokens": "tokens",
    "loss": "loss",
    "learning_rate": "lr",
    "grad_norm": "gradient_norm",
    "mean_token_accuracy": "token_accuracy",
}
"""Logged name -> column. `tokens` counts real tokens fed so far, padding not among them."""


class QuickLossTrainer(SFTTrainer):
    """TRL computes log-probabilities in float32 chunks to save GPU memory; on a CPU a plain product is 3 times as fast.

    Only positions in the loss get as far as the softmax.
    """

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Mean cross-entropy over the step's tokens in the loss, nats per token."""
        if return_outputs or self.accelerator.device.type != "cpu" or self.aux_loss_enabled:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels = inputs["labels"][:, 1:]
        logits = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False).logits
        chosen = labels != IGNORED
        scores, targets = logits[:, :-1][chosen].float(), labels[chosen]
        count = targets.numel() if num_items_in_batch is None else num_items_in_batch
        self._note(inputs, scores, targets)
        return functional.cross_entropy(scores, targets, reduction="sum") / count

    @torch.no_grad()
    def _note(self, inputs: dict[str, Any], scores: torch.Tensor, targets: torch.Tensor) -> None:
        mode = "train" if self.model.training else "eval"
        accuracy = (scores.argmax(-1) == targets).float().mean().item()
        self._total_train_tokens += int(inputs["attention_mask"].sum()) if mode == "train" else 0
        self._metrics[mode]["mean_token_accuracy"].append(accuracy)
        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]


def dataset_of(rows: Sequence[Masked]) -> Dataset:
    """Tokens and labels as TRL takes them without touching them again; `length` lets it batch like with like."""
    return Dataset.from_list(
        [{"input_ids": list(row.input_ids), "labels": row.labels, "length": len(row.input_ids)} for row in rows]
    )
