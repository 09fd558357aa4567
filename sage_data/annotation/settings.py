"""The options of the stage: those of both annotators, those of the lexicon, and those of a language model.

An option that the chosen annotator would not heed is refused, so that nobody believes it did something.

    Config(annotator="llm", model="openai:MODEL@URL", input_price=0.5, output_price=1.5, max_cost=20)
"""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from sage_data.chat.openai.address import parse_address
from sage_data.chat.openai.redaction import looks_like_key
from sage_data.errors import ConfigError
from sage_data.gates.lexicon import NLTK_LEXICON_SHA256
from sage_data.stage import StageConfig

LEXICON_ONLY = ("lexicon_sha256",)
LLM_ONLY = (
    "model",
    "keep_text",
    "bridge",
    "min_similarity",
    "temperature",
    "max_tokens",
    "retry_failed",
    "pilot_rows",
    "pilot_only",
    "input_price",
    "output_price",
    "max_cost",
)
REWRITING_ONLY = ("min_similarity",)
MOST_ROUNDS = 10
"""Beyond the first one."""
LEAST_PILOT = 5
"""Fewer rows give no interval worth the name."""
_CREDENTIALS = re.compile(r"://[^/?#]*@|[?&][^=&]*(?:key|token|secret|passw\w*|credentials?)=", re.IGNORECASE)


class Config(StageConfig):
    """How to annotate."""

    volatile: ClassVar[frozenset[str]] = frozenset({"max_cost", "pilot_only"})

    annotator: Literal["lexicon", "llm"] = Field(
        default="lexicon", description="Who annotates: the offline lexicon annotator, or the language model `model`."
    )
    max_topics: int = Field(default=3, ge=0, le=10, description="At most this many topics an utterance.")
    existing: Literal["keep", "replace"] = Field(
        default="keep",
        description="What to do with an utterance that has a state already: keep it and its text, or annotate anew.",
    )
    lexicon_sha256: str = Field(
        default=NLTK_LEXICON_SHA256,
        description="lexicon: hash the parsed VADER lexicon must have; the default is NLTK's.",
    )
    model: str | None = Field(
        default=None,
        description="llm: the backend that annotates, such as openai:MODEL@URL, hf:FOLDER or hf:@weights.",
    )
    keep_text: bool = Field(
        default=False, description="llm: only annotate; the text stays as it came, and no question is added."
    )
    bridge: bool = Field(
        default=True,
        description="llm: let an assistant's utterance that ends with no question end with one that leads to the "
        "user's next utterance, where it helps (paper Appendix B).",
    )
    min_similarity: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="llm: how much of an utterance a more readable one must share with it (sage_data.annotation.llm"
        ".closeness); 0 sets no bound.",
    )
    temperature: float = Field(default=0.2, ge=0, le=2, description="llm: 0 is greedy.")
    max_tokens: int = Field(
        default=4096, ge=64, description="llm: most tokens of one reply; a longer one is cut and counts as failed."
    )
    retry_failed: int = Field(
        default=0,
        ge=0,
        le=MOST_ROUNDS,
        description="llm: ask again, with other seeds, for a dialogue that failed: at most this many more rounds. What "
        "the journal holds is not asked again, so a higher number makes the further rounds alone.",
    )
    pilot_rows: int = Field(
        default=20,
        ge=0,
        description="llm: dialogues asked first, to say what the others will cost, and to end a run where no reply "
        "can be used; 0 asks none.",
    )
    pilot_only: bool = Field(default=False, description="llm: stop after the pilot (exit code 4); answers are kept.")
    input_price: float | None = Field(default=None, ge=0, description="llm: USD per million tokens of input.")
    output_price: float | None = Field(default=None, ge=0, description="llm: USD per million tokens of output.")
    max_cost: float | None = Field(
        default=None,
        gt=0,
        description="llm: stop (exit code 4) when so many USD are spent, in all attempts together; answers are kept. "
        "Calls that are open by then are waited for, paid and counted, so somewhat more may be spent.",
    )

    @field_validator("model")
    @classmethod
    def _holds_no_secret(cls, value: str | None) -> str | None:
        """Refuse a key or password before anything is written, hashed or asked; the message does not repeat it.

        Raises:
            ConfigError: there is one, or an openai: address is wrong.
        """
        if value is not None:
            _check_model(value)
        return value

    @model_validator(mode="after")
    def _heeds_every_option(self) -> Config:
        """Refuse what the chosen annotator would ignore."""
        if self.annotator == "lexicon":
            self._refuse(LLM_ONLY, "needs annotator llm")
        else:
            self._refuse(LEXICON_ONLY, "needs annotator lexicon")
            if not self.model:
                raise ValueError("annotator llm needs a model, such as --model openai:MODEL@URL")
        if self.keep_text:
            self._refuse(REWRITING_ONLY, "says nothing where keep_text leaves the text alone")
        return self

    @model_validator(mode="after")
    def _can_do_what_is_asked(self) -> Config:
        """Refuse budgets without prices, and pilots too small to tell anything."""
        if (self.input_price is None) != (self.output_price is None):
            raise ValueError("input_price and output_price belong together")
        if self.max_cost is not None and self.input_price is None:
            raise ValueError("max_cost needs input_price and output_price, or nothing could be counted")
        if 0 < self.pilot_rows < LEAST_PILOT or (self.pilot_only and not self.pilot_rows):
            raise ValueError(f"pilot_rows must be at least {LEAST_PILOT}, or 0 for no pilot (not with pilot_only)")
        return self

    def _refuse(self, names: tuple[str, ...], why: str) -> None:
        fields = type(self).model_fields
        given = [name for name in names if getattr(self, name) != fields[name].default]
        if given:
            raise ValueError(f"{', '.join(given)} {why}")


def _check_model(uri: str) -> None:
    scheme, _, rest = uri.partition(":")
    if scheme == "openai":
        # It also says what is wrong with an address before anything is read.
        parse_address(rest)
    elif looks_like_key(uri) or _CREDENTIALS.search(uri):
        raise ConfigError(
            "`model` holds something that looks like a key or password (not repeated here)",
            next_step="keys stand in environment variables; an openai: address names its own: ?key_env=NAME",
        )
