"""The thresholds of all gates, with a preset's values as defaults.

Thresholds(preset="dialogpt-release", max_words=40)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sage_data.gates.presets import PRESETS, Preset


class Thresholds(BaseModel):
    """When a gate drops a dialogue; null or false switches it off. A preset's values count where none is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Preset = Field(default="sage", description="Where the thresholds come from that are not given.")
    min_turns_exclusive: int | None = Field(
        default=4, ge=0, description='Keep dialogues with more utterances than this: "more than four turns".'
    )
    max_turns: int | None = Field(default=None, ge=1, description="Keep dialogues with at most this many utterances.")
    min_mean_words_exclusive: float | None = Field(
        default=15.0,
        ge=0,
        description='Keep a mean above this: "the average length of each utterance exceeds 15 words".',
    )
    max_words: int | None = Field(default=None, ge=0, description="Keep when no utterance has more words than this.")
    min_words: int | None = Field(default=None, ge=0, description="Keep when no utterance has fewer words than this.")
    max_total_words: int | None = Field(
        default=None, ge=0, description="Keep when all utterances together have at most this many words."
    )
    need_question: bool = Field(
        default=True, description='Keep dialogues where "at least one utterance ends with a question mark".'
    )
    drop_quotes: bool = Field(default=False, description="Drop when a line starts with '>'.")
    drop_urls: bool = Field(default=False, description="Drop when there is a web address.")
    bracket_characters: str | None = Field(
        default=None, min_length=1, description='Drop when one of these characters occurs, for example "[]".'
    )
    max_word_characters: int | None = Field(
        default=None, ge=1, description="Keep when no word, punctuation included, is longer than this."
    )
    repeated_words: int | None = Field(
        default=None, ge=2, description="Drop when the same word stands this many times in a row."
    )
    capitals_in_row: int | None = Field(
        default=None, ge=1, description="Drop when this many capital letters A to Z stand in a row."
    )
    need_common_word: bool = Field(
        default=False, description="Keep when every reply holds one of the 50 commonest English words."
    )
    min_compound_exclusive: float | None = Field(
        default=0.4, ge=-1, le=1, description='Keep when "all utterances had a sentiment score above 0.4".'
    )
    language: str | None = Field(
        default=None, min_length=2, description='Keep dialogues in this language, by its ISO 639-1 code such as "en".'
    )
    min_language_probability: float | None = Field(
        default=None, ge=0, le=1, description="Keep only when the language is at least this probable."
    )
    drop_duplicates: bool = Field(
        default=False, description="Drop dialogues whose utterances equal a kept one's, whatever case and white space."
    )
    near_duplicate_jaccard: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Drop dialogues whose three-word shingles overlap a kept one's at least this much (Jaccard).",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        """Put the preset's values where nothing is given; a wrong preset is reported with the other fields."""
        if not isinstance(given, Mapping):
            return given
        return {**PRESETS.get(str(given.get("preset", "sage")), {}), **given}

    @field_validator("need_question", "drop_quotes", "drop_urls", "need_common_word", "drop_duplicates", mode="before")
    @classmethod
    def _null_is_off(cls, value: Any) -> Any:
        return False if value is None else value
