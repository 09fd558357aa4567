"""`sage model`: learn dialogues and speak them."""

from __future__ import annotations

from sage_data.cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "base": Lazy(
        "train the tiny base (SAGE_0) from scratch: tokenizer, weights, chat template",
        "sage_models.base",
        "sage model base world/base --out base/",
    ),
    "sft": Lazy(
        "fine-tune with LoRA; loss on the assistant's messages alone",
        "sage_models.sft",
        "sage model sft base/model --data chains/ --out sage1/",
    ),
    "search": Lazy(
        "self-play with 16 candidates a reply and a selector",
        "sage_models.search",
        "sage model search sage1/model --user sage1/model --scenarios scenarios/ --out search1/",
    ),
    "dpo": Lazy(
        "learn preferences: the selected reply against a random other candidate",
        "sage_models.dpo",
        "sage model dpo sage2/model --trajectories search1/ --out sage-dpo/",
    ),
    "steer": Lazy(
        "boost action words and show what changes, reply by reply and dose by dose",
        "sage_models.steer",
        "sage model steer sage1/model --scenarios scenarios/ --out steered/",
    ),
}

group = LazyGroup("model", COMMANDS, "Learn dialogues and speak them.")
