"""What can be chosen about chains: which tags, which slots in them, what a missing one does, which tables are written.

Config(variant=Variant.FULL, slots=("motivation", "emotion"), export=(Export.MESSAGES, Export.TURNS))
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from sage_data.sac import ALL_SLOTS, SLOTS, Slot
from sage_data.stage import StageConfig


class Variant(StrEnum):
    """Which tags stand in front of a reply."""

    FULL = "full"
    """State and action, as in the paper."""
    NONE = "none"
    """No tags, the reply exactly as it was said: the paper's ablation SAGE_1(-SAC)."""
    STATE = "state"
    """The user's state alone."""
    ACTION = "action"
    """The assistant's action alone."""


class Export(StrEnum):
    """A table that is written; its name is that of the files."""

    MESSAGES = "messages"
    """One row a dialogue; `messages` as TRL and chat templates read them."""
    COMPLETIONS = "completions"
    """One row a reply; TRL's `prompt` (all that came before, tags included) and `completion` (the reply)."""
    CONVERSATIONS = "conversations"
    """One row a dialogue; ShareGPT's `conversations` of `from` (human, gpt) and `value`."""
    TURNS = "turns"
    """One row an exchange, in flat columns for SQL; the tags are columns, not text."""


class Config(StageConfig):
    """How to write chains."""

    variant: Variant = Field(default=Variant.FULL, description="Which tags stand in front of a reply.")
    sac: bool = Field(default=True, description="--no-sac leaves all tags out, as `--variant none` does.")
    slots: tuple[Slot, ...] = Field(
        default=ALL_SLOTS,
        min_length=1,
        description="Slots that the tags hold; always written in the order motivation, emotion, topic.",
    )
    missing: Literal["reject", "omit", "null"] = Field(
        default="reject",
        description="When a reply lacks a state or action that the variant needs: reject the whole dialogue, leave "
        "that tag out, or write it with null slots.",
    )
    export: tuple[Export, ...] = Field(
        default=(Export.MESSAGES,), min_length=1, description="Tables to write, each into files of its name."
    )

    @field_validator("sac")
    @classmethod
    def _agrees(cls, value: bool, info: ValidationInfo) -> bool:
        """Refuse to leave all tags out and to ask for one."""
        variant = info.data.get("variant", Variant.FULL)
        if not value and variant not in (Variant.FULL, Variant.NONE):
            raise ValueError(f"no-sac leaves all tags out, but the variant {variant} asks for one")
        return value

    @field_validator("slots")
    @classmethod
    def _has_tags(cls, value: tuple[Slot, ...], info: ValidationInfo) -> tuple[Slot, ...]:
        """Refuse to choose slots of tags that are not written."""
        untagged = not info.data.get("sac", True) or info.data.get("variant") is Variant.NONE
        if untagged and set(value) != set(SLOTS):
            raise ValueError("slots are chosen of tags that the variant leaves out")
        return value

    @property
    def tags(self) -> Variant:
        """The variant that is written."""
        return self.variant if self.sac else Variant.NONE

    @property
    def chosen(self) -> tuple[str, ...]:
        """The slots in the order they are written, each once."""
        return tuple(slot for slot in SLOTS if slot in self.slots)

    @property
    def exports(self) -> tuple[Export, ...]:
        """The tables in a fixed order, each once."""
        return tuple(export for export in Export if export in self.export)

    @property
    def label(self) -> str:
        """Variant as rows name it: `full`, or `full:motivation,emotion` when some slots were chosen."""
        return self.tags.value if self.chosen == SLOTS else f"{self.tags.value}:{','.join(self.chosen)}"
