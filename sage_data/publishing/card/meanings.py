"""What each published column means: the one place where that is written, which every card reads.

meaning("dialogues", "utterances[].state.emotion")
"""

from __future__ import annotations

from collections.abc import Mapping

UNDESCRIBED = "not described; it was added outside this project"

_STATE = {
    "": "State of the speaker; null when the utterance was given none.",
    ".motivation": "Why it is said; null when no motivation was found.",
    ".emotion": "The speaker's emotion; null when none was found.",
    ".topics": "What it is about, most important first; empty when nothing was found.",
}
_PERCEIVED = {
    "": "How the speaking model read the utterance before; null but in self-play.",
    ".motivation": "Motivation it read.",
    ".emotion": "Emotion it read.",
    ".topics": "Topics it read.",
}
_ORIGIN = {
    "corpus": "Short name of the corpus, such as reddit.",
    "thread": "Id of the thread or conversation in that corpus.",
    "place": "Community or part of the corpus, such as a subreddit.",
    "created_utc": "Time of the first utterance, in seconds since 1970-01-01 UTC.",
    "split": "Split of the corpus that it belongs to; null where the corpus has none: such rows are in train.",
    "scenario_id": "Scenario it was spoken from; null for found dialogues.",
    "model": "Model that spoke as the assistant; null for found dialogues.",
}

ANYWHERE: Mapping[str, str] = {
    **_ORIGIN,
    "utterances": "What was said, in order.",
    "utterances[].role": "Who speaks: user or assistant. In found dialogues the first speaker is the user.",
    "utterances[].text": "The words.",
    "utterances[].text_sha256": "SHA-256 of the text's UTF-8 bytes, 64 hex digits; the text itself is left out.",
    "utterances[].original_sha256": "SHA-256 of the author's words where the annotator rewrote them; null elsewhere.",
    "utterances[].characters": "Length of the text in Unicode code points.",
    **{f"utterances[].state{part}": words for part, words in _STATE.items()},
    **{f"utterances[].perceived{part}": words for part, words in _PERCEIVED.items()},
    "utterances[].source_id": "Id of the comment or record that the text came from.",
    "source": "Where it comes from.",
    **{f"source.{name}": words for name, words in _ORIGIN.items() if name not in ("scenario_id", "model")},
    "source.files": "Names of the source files that hold its utterances.",
    "messages": "The dialogue as a chat, user first, roles in turn.",
    "messages[].role": "user or assistant.",
    "messages[].content": "The words; an assistant's begin with the State-Action Chain that the variant asks for.",
    "conversations": "The dialogue in ShareGPT's form, user first, roles in turn.",
    "conversations[].from": "human (the user) or gpt (the assistant).",
    "conversations[].value": "The words; the assistant's begin with the State-Action Chain that the variant asks for.",
    "exchange": "Place of the exchange in its dialogue, from 0.",
    "prompt": "All messages before the reply.",
    "prompt[].role": "user or assistant.",
    "prompt[].content": "The words; an assistant's begin with their State-Action Chain.",
    "completion": "The reply, as one message.",
    "completion[].role": "assistant.",
    "completion[].content": "The reply, with the State-Action Chain that the variant asks for in front.",
    "user_text": "What the user said.",
    "reply_text": "The reply, without its tags.",
    "u_motivation": "Why the user said it; null when no motivation was found, or no tag was asked for.",
    "u_emotion": "The user's emotion; null when none was found, or no tag was asked for.",
    "u_topics": "What the user spoke about; null when no tag was asked for.",
    "a_motivation": "What the reply is meant to do; null when no motivation was found, or no tag was asked for.",
    "a_emotion": "Emotion that the reply shows; null when none was found, or no tag was asked for.",
    "a_topics": "What the reply is about; null when no tag was asked for.",
    "source_datasets": "Inputs of the mix that the row is made of, in order.",
    "source_ids": "Ids of the rows in those inputs.",
    "variant": "Which tags stand in front of a reply: full, none, state or action; and the slots, if chosen.",
    "exchanges": "Number of user messages that were answered.",
}
"""Path of a column or of a field inside one -> what it means, in whatever table it stands."""

IN_TABLE: Mapping[tuple[str, str], str] = {
    ("dialogues", "id"): "Id of the dialogue, unique within the dataset.",
    ("messages", "id"): "Id of the dialogue that the messages were made from.",
    ("conversations", "id"): "Id of the dialogue that the conversation was made from.",
    ("completions", "id"): "Id of the dialogue that the reply stands in.",
    ("turns", "id"): "Id of the dialogue that the exchange stands in.",
    ("scenarios", "id"): "Id of the scenario, unique within the dataset.",
    ("scenarios", "situation"): "The situation, in the words of the one who lived it: the user's opening.",
    ("scenarios", "emotion"): "Emotion that its author gave it.",
    ("scenarios", "split"): "train, dev or test, as its publisher cut them.",
}
"""(table, path) -> what it means there."""


def meaning(table: str, path: str) -> str:
    """What a column, or a field inside one, means in a table."""
    return IN_TABLE.get((table, path)) or ANYWHERE.get(path, UNDESCRIBED)
