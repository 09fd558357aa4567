"""Stage: roll out an agent against a user simulator on every scenario (paper section 4: 8 exchanges, held-out split).

Two agents rolled out with the same user, scenarios and seed meet a user with the same draws, so their transcripts can
be compared scenario by scenario.

    sage eval rollout sage1/model --user sage1/model --scenarios scenarios/ --out rollout-sage1/
"""

from __future__ import annotations

from pydantic import Field

from sage_data.dialogue import Split
from sage_data.rollout import OPENER, Speaker, roll
from sage_data.rollout.recording import PLAY_INPUTS, PlayConfig, blocks, chosen_scenarios, describe, write_transcripts
from sage_data.stage import Context, Inputs, Output

VERSION = 2
INPUTS = PLAY_INPUTS
RESOURCES = (OPENER,)
TABLES = ("outcomes", "dialogues")


class Config(PlayConfig):
    """Settings of an evaluation rollout."""

    split: Split | None = Field("test", description="Take only scenarios of this split; null takes all.")


def run(config: Config, inputs: Inputs, out: Output, context: Context) -> None:
    """Write the transcripts (`dialogues`), how each went (`outcomes`), and `summary.txt`.

    Raises:
        InputError: there are no scenarios of the split.
        BackendError: a model cannot be loaded or used.
    """
    scenarios = chosen_scenarios(inputs.one("scenarios").path, config.split, config.limit)
    agent = Speaker(context.chat(config.agent_uri, inputs), config.agent_sampling())
    user = Speaker(context.chat(config.user_uri, inputs), config.user_sampling())
    out.add_model("agent", agent.backend.identity)
    out.add_model("user", user.backend.identity)
    settings = config.settings(context.seed, "rollout")
    for index, block in blocks(scenarios, config.block, TABLES, out, context, "rollout"):
        write_transcripts(roll(block, agent, user, settings), index, out)
    out.write_text("summary.txt", "\n".join(describe(out)) + "\n")
