"""What the reasons of a funnel mean: the one place where that is written for people who hold nothing but the card.

reason_rows(stages)      # of the reasons that occur
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sage_data.publishing.card.meanings import UNDESCRIBED
from sage_data.store.manifest import Ancestor

_NO_ANSWER = {
    "api_error": "The model's service gave no answer.",
    "refused": "The model declined.",
    "truncated": "The model's reply was cut off at the limit on its length.",
    "empty": "The model's reply holds nothing.",
    "no_text": "The model's reply holds no text that can be used.",
    "backend_failed": "A model gave no answer, or declined, before the dialogue was over.",
    "no_reply": "The dialogue ended before the assistant had said anything.",
}
_HYDRATED = {
    "tombstoned": "A comment of it is on the list of those that must go.",
    "deleted": "The dumps say that a comment of it was deleted by its author, or removed.",
    "missing": "No line of the dumps that can be used has the comment's id.",
    "changed": "The text is not the one that was published: edited since, or rewritten by an annotator.",
    "rewritten": "The annotator's wording is lost; the author's own words stand there again.",
    "in_rejected_dialogue": "The text was found, but another of the same dialogue was not.",
}
_REDDIT = {
    "blank": "The line is empty.",
    "duplicate": "An earlier line of the dumps has the same comment id.",
    "deleted": "The comment's text, or the name of its author, is [deleted].",
    "removed": "A moderator or Reddit took the comment's text away.",
    "bot": "The author is AutoModerator, has a name like a bot's or is on the list of bots, or says that it is a bot.",
    "empty": "The comment holds no letter, digit or underscore.",
    "quote": "The comment quotes: a line of it starts with >.",
    "url": "The comment holds a web address.",
    "subreddit": "The comment is of a subreddit that was not asked for.",
    "score": "The comment's score is lower than was asked for.",
    "single": "The comment stayed alone: cut by the thread policy, no other comment was joined to it, so it is no "
    "dialogue.",
    "short_chain": "The comment is in no chain of at least min_utterances comments.",
}
_GATES = {
    "too_few_turns": "The dialogue has too few utterances.",
    "too_many_turns": "The dialogue has too many utterances.",
    "too_short_utterances": "The mean number of words per utterance is too low.",
    "long_utterance": "An utterance has too many words.",
    "short_utterance": "An utterance has too few words.",
    "too_many_words": "All utterances together have too many words.",
    "no_question": "No utterance ends with a question mark.",
    "quote": "A line starts with >, as quotations do.",
    "url": "An utterance holds a web address.",
    "brackets": "An utterance holds a character that is taken for a sign of markup.",
    "long_word": "An utterance holds a word that is too long to be one.",
    "repeated_words": "The same word stands several times in a row.",
    "capitals": "Too many capital letters stand in a row.",
    "no_common_word": "A reply holds none of the commonest English words.",
    "blocked_words": "An utterance holds a phrase of the block list.",
    "low_sentiment": "An utterance's sentiment (VADER's compound score) is not above the threshold.",
    "other_language": "The dialogue as a whole was not recognised as of the language asked for.",
    "duplicate": "A dialogue that was kept before has the same utterances, whatever case and white space.",
    "near_duplicate": "Its runs of three words are too much like those of a dialogue that was kept before.",
}
_CORPORA = {
    "duplicate": "A record with the same words and labels came before, perhaps in another file.",
    "system_prompt": "A message that instructs the assistant and is not said by either speaker.",
    "silence": "A mark that stands for a speaker who said nothing.",
    "persona": "A line that describes a speaker instead of being said.",
}
_ANNOTATION = {
    **{name: _NO_ANSWER[name] for name in ("api_error", "refused", "truncated", "empty")},
    "no_utterances": "The dialogue has nothing to annotate.",
    "not_json": "The model's reply is not in the form that was asked for (one JSON value).",
    "wrong_shape": "A field of the model's reply is missing, unknown or of the wrong type.",
    "wrong_count": "The model's reply has more or fewer utterances than the dialogue.",
    "wrong_index": "The model's reply numbers the utterances otherwise, or has them out of order.",
    "wrong_role": "The model gave an utterance to the other speaker.",
    "bad_tag": "The model gave a motivation, emotion or topic that is no short tag, or too many topics.",
    "empty_text": "The model left nothing of an utterance that it rewrote.",
    "bad_text": "An utterance that the model rewrote holds control characters or tags that were not there.",
    "text_changed": "The model changed a text that was to stay as it is.",
    "text_drifted": "An utterance that the model rewrote shares too little with the original.",
    "fact_changed": "Rewriting lost or made up a number, name, negation or question, or turned a word around.",
    "bridge_not_allowed": "The model added a question where none may be.",
    "bridge_not_question": "What the model added is not one short question.",
}
_CHAINS = {
    "no_exchange": "In the dialogue nobody answers the user.",
    "unannotated": "An utterance that a chain needs has no state.",
    "leading_assistant": "The assistant speaks before the user has said anything.",
    "trailing_user": "The user speaks last, and nobody answers.",
    "in_dropped_dialogue": "The utterance is of a dialogue that was dropped.",
}
MEANINGS: Mapping[str, Mapping[str, str]] = {
    "sage_data.reddit": _REDDIT,
    "sage_data.gates": _GATES,
    "sage_data.corpora": _CORPORA,
    "sage_data.annotation": _ANNOTATION,
    "sage_data.chains": _CHAINS,
    "sage_data.mixing": {
        "not_drawn": "The row was not drawn when the mix was made by shares.",
        "not_in_turn": "User and assistant do not take turns in it, the user first and the assistant last, so it could "
        "not be blended.",
    },
    "sage_data.scenarios": {
        "leaked": "The same situation stands in another split too.",
        "limit": "More situations were there than were asked for.",
    },
    "sage_data.rollout": _NO_ANSWER,
    "sage_models.search": {
        **_NO_ANSWER,
        "duplicate": "Another candidate says the same.",
        "not_selected": "Another candidate was taken.",
        "not_acceptable": "The candidate's score is too low to be taken.",
    },
    "sage_models.steer": _NO_ANSWER,
    "sage_eval.rollout": _NO_ANSWER,
    "sage_data.publishing.hydrate": _HYDRATED,
    "sage_data.publishing": {"tombstone": "The row holds a comment on the list of those that must go."},
}
"""Stage -> reason, as its counts name it -> what it means."""
POLICIES: Mapping[str, str] = {
    "alternating": "Exactly two people in turn: a chain goes on with replies of the one who was answered; of "
    "several, with the one that leads to the longest chain.",
    "any": "Any reply goes on with the chain, whoever wrote it; of several, the one that leads to the longest chain.",
    "windows": "Every run of consecutive replies of the given lengths is a dialogue, whoever wrote them; runs overlap.",
    "title-as-first-turn": "The submission's title comes first; then exactly two people in turn, as alternating.",
}
"""Way to cut threads -> what it does."""


def reason_rows(stages: Sequence[Ancestor]) -> list[tuple[str, str, str]]:
    """(stages, reason, meaning) of every reason for which something was dropped, in the order of the stages."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for stage in stages:
        for reason in _reasons(stage):
            found.setdefault((stage.uses, reason), {})[stage.stage] = None
    return [
        (", ".join(names), reason.replace("_", " "), MEANINGS.get(uses, {}).get(reason, UNDESCRIBED))
        for (uses, reason), names in found.items()
    ]


def _reasons(stage: Ancestor) -> list[str]:
    dropped = [one for counts in stage.counts for one in counts.dropped.items() if one[1]]
    return [reason for reason, _ in sorted(dropped, key=lambda one: (-one[1], one[0]))]
