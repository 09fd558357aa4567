"""Rolled-out dialogues with a known better model, for the tests of judging."""

from pathlib import Path

from sage_data.dialogue import Dialogue, Utterance
from sage_data.stage import Input
from sage_data.store.dialogues import to_table
from sage_data.store.shards import shard_name, write_table

WARM = ("Oh no, I'm so sorry about your garden. What happened to it?", "That must hurt! Haha, did you blame the dog?")
STIFF = (
    "It is important to consider that there are several reasons for a problem of this kind, and furthermore one should "
    "weigh each of them with great care before coming to any conclusion about the matter, which may in addition be "
    "affected by several other matters that are outside of the scope of this short reply.",
) * 2


def dialogue(scenario: str, replies, *, model="m", user=("My garden is ruined.", "My dog dug it up.")) -> Dialogue:
    """A dialogue in which the user says `user` and the assistant `replies`, in turn."""
    spoken = [
        Utterance(role, text)
        for heard, said in zip(user, replies, strict=False)
        for role, text in (("user", heard), ("assistant", said))
    ]
    return Dialogue(f"{model}-{scenario}", tuple(spoken), scenario_id=scenario, model=model)


def rollout(folder: Path, replies, count=5, model="m", first=0) -> Path:
    """Write a folder of `count` dialogues, one a scenario."""
    dialogues = [dialogue(f"s{number:03}", replies, model=model) for number in range(first, first + count)]
    return write(folder, dialogues)


def write(folder: Path, dialogues) -> Path:
    """Write dialogues as a stage would."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / shard_name("dialogues", 0), to_table(dialogues))
    return folder


def given(path: Path, label: str) -> Input:
    """A folder as an input with a label."""
    return Input(path, label, "0" * 64)
