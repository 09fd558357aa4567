"""What the judge stage may be told.

Config(judges=["rubric:warm", "openai:MODEL@URL"], input_price=0.5, output_price=1.5, max_cost=20)
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sage_data.chat.meter import Prices
from sage_data.stage import StageConfig
from sage_eval.judge.probes import Check
from sage_eval.plan import Correction, StoppingRule, TieRule

RUBRIC, REWARD = "rubric", "reward"
"""Schemes of the judges that are no chat models."""
UNPAID = (RUBRIC, REWARD, "hf")
"""Schemes whose calls cost no money: they run on this machine."""
PANEL_FROM = 3
"""From so many judges on their majority is a judge too, unless said otherwise: of two it takes both."""
LEAST_PILOT = 5
"""Fewer pairs give no interval worth the name."""


class JudgeSpec(BaseModel):
    """One judge."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    written_as_text: ClassVar[bool] = True
    """Its URI alone will do; a mapping may be written as YAML, so that the command line can name judges and prices."""

    uri: str = Field(description="rubric:NAME, reward:PATH, or a chat backend's URI; @judge is the input `judge`.")
    name: str | None = Field(default=None, description="Name in tables; the rubric's or the model's own when left out.")
    input_price: float | None = Field(
        default=None, ge=0, description="USD per million tokens of input, if not the stage's."
    )
    output_price: float | None = Field(
        default=None, ge=0, description="USD per million tokens of output, if not the stage's."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_uri(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        if not value.lstrip().startswith("{"):
            return {"uri": value}
        try:
            return YAML(typ="safe").load(value)
        except YAMLError as error:
            raise ValueError(f"expected a URI, or a mapping such as {{uri: ..., name: ...}}, found {value}") from error

    def __str__(self) -> str:
        return self.uri

    @property
    def scheme(self) -> str:
        """What stands before the colon."""
        return self.uri.partition(":")[0]


class Config(StageConfig):
    """Which models are compared, by whom, under which plan, and for how much."""

    volatile: ClassVar[frozenset[str]] = frozenset({"max_cost", "pilot_only"})

    pairs: tuple[tuple[str, str], ...] = Field(
        (), description="Pairs of models, [A, B]; every pair, in the order of the inputs, when left out."
    )
    judges: tuple[JudgeSpec, ...] = Field(
        (JudgeSpec(uri="rubric:warm"), JudgeSpec(uri="rubric:plain")),
        min_length=1,
        description="Judges, each a URI or {uri: ..., name: ..., input_price: ..., output_price: ...}.",
    )
    panel: bool | None = Field(
        None, description=f"Whether the judges' majority is a judge too; when left out, from {PANEL_FROM} judges on."
    )
    strip_prefix: str = Field("rollout-", description="Taken off an input's label to name its model.")

    alpha: float = Field(0.05, gt=0.0, lt=1.0, description="Chance of any false claim in the whole family.")
    correction: Correction = Field(Correction.HOLM, description="How p-values will be adjusted for the family.")
    tie_rule: TieRule = Field(
        TieRule.DROP, description="What will become of pairs that neither model won: dropped, or half a win for each."
    )
    stop: StoppingRule = Field(
        StoppingRule.FIXED,
        description="When a comparison ends: after its last pair, or, scenarios in random order, as soon as its "
        "e-value reaches family size / alpha.",
    )
    replicates: int = Field(
        1, ge=1, le=100, description="Ask so often about some pairs: the repeats count for test-retest agreement alone."
    )
    replicate_share: float = Field(
        0.1, gt=0.0, le=1.0, description="Share of the scenarios that are asked again, at least one."
    )

    self_test: bool = Field(True, description="Put judges to questions with known answers before verdicts are paid.")
    self_test_skip: tuple[Check, ...] = Field((), description="Checks of the self-test to leave out, by name.")
    self_test_pairs: int = Field(20, ge=1, description="Scenarios that each check of the self-test is made of.")

    temperature: float = Field(0.0, ge=0.0, le=2.0, description="Of chat judges; 0 is greedy.")
    max_tokens: int = Field(32, ge=1, description="Upper bound of a chat judge's reply, in tokens.")
    constrained: bool = Field(
        True, description="Ask servers to hold chat judges to a verdict by a schema; the reply is matched all the same."
    )
    retry_failed: int = Field(
        0, ge=0, le=10, description="Ask again, at most so often, where no reply came at all (verdict error)."
    )
    block: int = Field(32, ge=1, description="Scenarios judged and stored at a time.")

    pilot_pairs: int = Field(
        10,
        ge=0,
        description="Pairs that each chat judge is asked about first, to say what the others will cost, and to end a "
        "run in which no reply can be read; 0 asks none.",
    )
    pilot_only: bool = Field(False, description="Stop after the pilot (exit code 4); answers are kept.")
    input_price: float | None = Field(None, ge=0, description="USD per million tokens of input to chat judges.")
    output_price: float | None = Field(None, ge=0, description="USD per million tokens of output of chat judges.")
    max_cost: float | None = Field(
        None,
        gt=0,
        description="Stop (exit code 4) when so many USD are spent, by all judges in all attempts together.",
    )

    @field_validator("pairs")
    @classmethod
    def _distinct(cls, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if any(a == b for a, b in pairs):
            raise ValueError("a model cannot be compared with itself")
        if len({frozenset(pair) for pair in pairs}) < len(pairs):
            raise ValueError("a pair is listed twice, perhaps as [A, B] and [B, A]: it would be counted twice")
        return pairs

    @model_validator(mode="after")
    def _can_do_what_is_asked(self) -> Config:
        """Refuse budgets without prices, pilots too small to tell anything, and a panel of one."""
        priced = [(self.input_price, self.output_price), *((one.input_price, one.output_price) for one in self.judges)]
        for sent, got in priced:
            if (sent is None) != (got is None):
                raise ValueError("input_price and output_price belong together")
        if self.max_cost is not None:
            unknown = [spec.scheme for spec in self.judges if self.prices(spec) is None and spec.scheme not in UNPAID]
            if unknown:
                raise ValueError(
                    "max_cost needs input_price and output_price, or nothing could be counted; "
                    f"there are none for {', '.join(unknown)}"
                )
        if 0 < self.pilot_pairs < LEAST_PILOT or (self.pilot_only and not self.pilot_pairs):
            raise ValueError(f"pilot_pairs must be at least {LEAST_PILOT}, or 0 for no pilot (not with pilot_only)")
        if self.panel and len(self.judges) < 2:
            raise ValueError("a panel needs at least two judges")
        return self

    @property
    def has_panel(self) -> bool:
        """Whether the majority of the judges is a judge too."""
        return len(self.judges) >= PANEL_FROM if self.panel is None else self.panel

    def prices(self, spec: JudgeSpec) -> Prices | None:
        """What a judge's tokens cost; None where nobody said."""
        if spec.scheme in (RUBRIC, REWARD):
            return Prices()
        named = spec if spec.input_price is not None else self
        if named.input_price is None or named.output_price is None:
            return None
        return Prices(input_usd=named.input_price, output_usd=named.output_price)
