"""The annotator's prompt, put together from `prompt.toml` for what is asked: with or without text and questions.

Prompt.load(Mode(keep_text=False, bridge=True, most_topics=3), shipped_tags()).system
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sage_data.annotation.llm.tags import CanonicalTags
from sage_data.dialogue import Utterance

PROMPT_FILE = Path(__file__).parent / "prompt.toml"


@dataclass(frozen=True, slots=True)
class Mode:
    """What a reply is to hold."""

    keep_text: bool = False
    """The text stays as it came, so the reply holds none."""
    bridge: bool = True
    """Questions may be added to the assistant's utterances; never where the text is kept."""
    most_topics: int = 3

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of each utterance in a reply, in order."""
        text = () if self.keep_text else ("text",)
        bridge = ("bridge",) if self.bridges else ()
        return ("index", "role", "motivation", "emotion", "topics", *text, *bridge)

    @property
    def bridges(self) -> bool:
        """True when questions may be added."""
        return self.bridge and not self.keep_text


@dataclass(frozen=True, slots=True)
class Prompt:
    """All the words that a model is told besides the dialogue."""

    version: int
    mode: Mode
    system: str
    example: tuple[Utterance, ...]
    """The in-context example as it would come in."""
    example_reply: str
    """The reply to it, as JSON."""
    repair_told: str
    repair_asked: str

    @classmethod
    def load(cls, mode: Mode, tags: CanonicalTags) -> Self:
        """Read the prompt file and take from it what the mode asks for."""
        raw = tomllib.loads(PROMPT_FILE.read_text(encoding="utf-8"))
        return cls(
            version=raw["version"],
            mode=mode,
            system=_system(raw["system"], mode, tags),
            example=tuple(Utterance(one["role"], one["said"]) for one in raw["example"]),
            example_reply=_reply(raw["example"], mode),
            repair_told=raw["repair"]["told"].strip(),
            repair_asked=raw["repair"]["asked"].strip(),
        )


def _system(parts: Mapping[str, str], mode: Mode, tags: CanonicalTags) -> str:
    filled = parts["tags"]
    lists = {"motivations": ", ".join(tags.names["motivation"]), "emotions": ", ".join(tags.names["emotion"])}
    for name, value in {"most_topics": str(mode.most_topics), **lists}.items():
        filled = filled.replace(f"{{{name}}}", value)
    chosen = [parts["task"], parts["data"], filled]
    chosen += [] if mode.keep_text else [parts["rewrite"]]
    chosen += [parts["bridge"]] if mode.bridges else []
    fields = ", ".join(f'"{field}"' for field in mode.fields)
    return "\n\n".join(part.strip() for part in [*chosen, f"{parts['form'].strip()} {fields}."])


def _reply(example: Sequence[Mapping[str, Any]], mode: Mode) -> str:
    entries = []
    for index, one in enumerate(example):
        known = {"bridge": None, **one, "index": index, "topics": one["topics"][: mode.most_topics]}
        entries.append({field: known[field] for field in mode.fields})
    return json.dumps({"utterances": entries}, ensure_ascii=False)
