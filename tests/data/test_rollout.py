"""Two scripted speakers: what each sees, when a dialogue ends, and what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sage_data.chat import Completion, CompletionStatus, Conversation, Sampling
from sage_data.dialogue import Scenario, State, Utterance
from sage_data.rollout import (
    Settings,
    Speaker,
    StopReason,
    TagForm,
    Talk,
    Transcript,
    history,
    play_together,
    roll,
)

Say = Callable[[Conversation], str | Completion]
USER_TAGS = (
    "{u_motivation: asking, u_emotion: curious, u_topic: [boat]} {a_motivation: sharing, a_emotion: sad, a_topic: []}"
)
TAGS = (
    "{u_motivation: sharing, u_emotion: sad, u_topic: [boat]} {a_motivation: empathy, a_emotion: warm, a_topic: [sea]}"
)


class Fake:
    """Answers with a function of the conversation and keeps what it was asked."""

    identity = "fake@1"

    def __init__(self, say: Say) -> None:
        self.say = say
        self.batches: list[list[Conversation]] = []

    def generate(self, conversations: Sequence[Conversation], sampling: Sampling, n: int = 1) -> list[list[Completion]]:
        self.batches.append(list(conversations))
        return [[self.answer(conversation)] * n for conversation in conversations]

    def answer(self, conversation: Conversation) -> Completion:
        said = self.say(conversation)
        if isinstance(said, Completion):
            return said
        return Completion(said, CompletionStatus.OK, self.identity, len(conversation.messages), 5)


def failing(status: CompletionStatus, text: str = "", finish: str | None = None) -> Completion:
    return Completion(text, status, "fake@1", finish_reason=finish, error="as planted")


def counting(word: str, tags: str = "") -> Say:
    return lambda conversation: f"{tags} {word} {len(conversation.messages)}.".strip()


def scenario(number: int = 0) -> Scenario:
    return Scenario(f"s{number}", f"My boat {number} sank.", "sad", "test")


def play(agent: Say, user: Say, exchanges: int = 3, **settings: object) -> tuple[Transcript, Fake, Fake]:
    first, second = Fake(agent), Fake(user)
    sampling = Sampling()
    chosen = Settings(exchanges=exchanges, **settings)  # type: ignore[arg-type]
    [transcript] = roll([scenario()], Speaker(first, sampling), Speaker(second, sampling), chosen)
    return transcript, first, second


def test_a_model_of_chosen_slots_is_read_and_reminded_in_its_own_form() -> None:
    tags = "{u_emotion: sad} {a_emotion: warm}"
    transcript, agent, _ = play(counting("Reply", tags), counting("Word", USER_TAGS), exchanges=2, slots=("emotion",))
    assert [form for role, form in transcript.forms if role == "assistant"] == [TagForm.WELL_FORMED] * 2
    assert agent.batches[1][0].messages[1].content.startswith(tags + " Reply")
    whole, _, _ = play(counting("Reply", tags), counting("Word", USER_TAGS), exchanges=1)
    assert [form for _, form in whole.forms] == [TagForm.MALFORMED]


def test_the_situation_opens_and_speakers_alternate_for_the_asked_exchanges() -> None:
    transcript, agent, user = play(counting("Reply", TAGS), counting("Word", USER_TAGS))
    roles = [one.role for one in transcript.dialogue.utterances]
    assert roles == ["user", "assistant"] * 3
    assert transcript.dialogue.utterances[0] == Utterance("user", "My boat 0 sank.")
    assert (transcript.stop_reason, transcript.exchanges, transcript.stopped_by) == (StopReason.EXCHANGES, 3, None)
    assert (len(agent.batches), len(user.batches)) == (3, 2)
    assert transcript.dialogue.model == "fake@1"
    assert transcript.completion_tokens == 25


def test_tags_become_state_and_perceived_of_their_speaker() -> None:
    transcript, *_ = play(counting("Reply", TAGS), counting("Word", USER_TAGS), exchanges=2)
    reply, word = transcript.dialogue.utterances[1:3]
    assert reply.state == State("empathy", "warm", ("sea",))
    assert reply.perceived == State("sharing", "sad", ("boat",))
    assert word.state == State("sharing", "sad", ())
    assert word.perceived == State("asking", "curious", ("boat",))
    assert (reply.text, word.text) == ("Reply 1.", "Word 3.")
    assert [role for role, _ in transcript.forms] == ["assistant", "user", "assistant"]
    assert {form for _, form in transcript.forms} == {TagForm.WELL_FORMED}


def test_each_side_sees_its_own_tags_and_only_the_words_of_the_other() -> None:
    _, agent, user = play(counting("Reply", TAGS), counting("Word", USER_TAGS))
    seen = [(one.role, one.content) for one in agent.batches[-1][0].messages]
    assert seen == [
        ("user", "My boat 0 sank."),
        ("assistant", f"{TAGS} Reply 1."),
        ("user", "Word 3."),
        ("assistant", f"{TAGS} Reply 3."),
        ("user", "Word 5."),
    ]
    flipped = [(one.role, one.content) for one in user.batches[-1][0].messages]
    assert flipped[0][0] == "user"
    assert flipped[1:] == [
        ("assistant", "My boat 0 sank."),
        ("user", "Reply 1."),
        ("assistant", f"{USER_TAGS} Word 3."),
        ("user", "Reply 3."),
    ]


def test_an_agent_without_tags_just_speaks() -> None:
    transcript, *_ = play(counting("Reply"), counting("Word"), exchanges=1)
    assert transcript.dialogue.utterances[1] == Utterance("assistant", "Reply 1.")
    assert transcript.forms == (("assistant", TagForm.UNTAGGED),)


def test_malformed_tags_keep_the_text_and_are_recorded() -> None:
    transcript, *_ = play(lambda _: "(a_motivation: joke) Ha!", counting("Word"), exchanges=1)
    assert transcript.dialogue.utterances[1].text == "Ha!"
    assert transcript.forms == (("assistant", TagForm.MALFORMED),)
    assert (1, "not in canonical form") in transcript.problems


def test_a_user_turn_ends_at_its_first_question() -> None:
    said = "Is it gone?! I loved it. Would you dive?"
    transcript, *_ = play(counting("Reply"), lambda _: said, exchanges=2)
    assert transcript.dialogue.utterances[2].text == "Is it gone?!"
    whole, *_ = play(counting("Reply"), lambda _: said, exchanges=2, trim_user=False)
    assert whole.dialogue.utterances[2].text == said


@pytest.mark.parametrize(("text", "ends"), [("Well, good night!", True), ("He waved goodbye to me once", False)])
def test_a_farewell_of_the_user_is_answered_and_ends_the_dialogue(text: str, ends: bool) -> None:
    transcript, *_ = play(counting("Reply"), lambda _: text, exchanges=5)
    if ends:
        assert (transcript.stop_reason, transcript.stopped_by) == (StopReason.FAREWELL, "user")
        assert [one.role for one in transcript.dialogue.utterances] == ["user", "assistant"] * 2
    else:
        assert transcript.stop_reason is not StopReason.FAREWELL


@pytest.mark.parametrize(
    "text",
    [
        "Sleep well, my friend, and come back soon to tell me how it goes.",
        "Good night, my friend, I wish you sweet dreams.",
        "Take care, and have a great time with your dog.",
        "It was so nice to talk to you, take good care of yourself.",
        "I am tired. Good night!",
        "Thanks! Bye",
        "See you tomorrow.",
        "Ok bye",
    ],
)
def test_a_sentence_that_begins_with_a_goodbye_ends_the_dialogue(text: str) -> None:
    transcript, *_ = play(lambda _: text, counting("Word"))
    assert (transcript.stop_reason, transcript.exchanges) == (StopReason.FAREWELL, 1)


@pytest.mark.parametrize(
    "text",
    [
        "We had a really good night.",
        "They were so happy to see you.",
        "My dog has nobody to take care.",
        "I never said goodbye.",
        "Sleep well before the exam.",
        "Good night is what she always said to me. I miss it.",
        "Did you sleep well?",
        "Take care of the dog while I am away.",
    ],
)
def test_words_of_goodbye_inside_a_sentence_end_nothing(text: str) -> None:
    transcript, *_ = play(lambda _: text, counting("Word"), exchanges=2)
    assert transcript.stop_reason is StopReason.EXCHANGES


def test_the_situation_never_ends_the_dialogue() -> None:
    fake = Fake(counting("Reply"))
    told = Scenario("s", "My son left for the army. Goodbye.", "sad", "test")
    [transcript] = roll([told], Speaker(fake, Sampling()), Speaker(Fake(counting("Word")), Sampling()), Settings(2))
    assert (transcript.stop_reason, transcript.exchanges) == (StopReason.EXCHANGES, 2)


def test_the_agents_farewell_ends_the_dialogue() -> None:
    transcript, *_ = play(lambda _: "Take care.", counting("Word"))
    assert (transcript.stop_reason, transcript.stopped_by, transcript.exchanges) == (
        StopReason.FAREWELL,
        "assistant",
        1,
    )


def test_an_exchange_said_twice_in_a_row_is_a_loop() -> None:
    transcript, *_ = play(lambda _: "I see.", lambda _: "Yes  I DO.", exchanges=8)
    assert (transcript.stop_reason, transcript.exchanges) == (StopReason.LOOP, 3)


@pytest.mark.parametrize("text", ["", "   ", TAGS])
def test_nothing_said_is_empty(text: str) -> None:
    transcript, *_ = play(lambda _: text, counting("Word"))
    assert (transcript.stop_reason, transcript.stopped_by, transcript.exchanges) == (StopReason.EMPTY, "assistant", 0)


@pytest.mark.parametrize("status", [CompletionStatus.API_ERROR, CompletionStatus.REFUSED])
def test_a_failed_backend_ends_the_dialogue_with_its_error(status: CompletionStatus) -> None:
    transcript, *_ = play(counting("Reply"), lambda _: failing(status))
    assert (transcript.stop_reason, transcript.stopped_by) == (StopReason.FAILED, "user")
    assert transcript.error == "as planted"
    assert len(transcript.dialogue.utterances) == 2


def test_a_reply_cut_at_its_length_stands_and_is_recorded() -> None:
    transcript, *_ = play(lambda _: failing(CompletionStatus.TRUNCATED, "And then we"), counting("Word"), exchanges=1)
    assert transcript.dialogue.utterances[1].text == "And then we"
    assert (1, "truncated") in transcript.problems


def test_a_history_too_long_for_the_model_loses_its_oldest_exchanges() -> None:
    def short_memory(conversation: Conversation) -> str | Completion:
        if len(conversation.messages) > 3:
            return failing(CompletionStatus.API_ERROR, finish="context")
        return f"Reply to {conversation.messages[-1].content}"

    transcript, agent, _ = play(short_memory, counting("Word"), exchanges=4)
    assert transcript.stop_reason is StopReason.EXCHANGES
    assert transcript.forgotten == 4
    sizes = [len(batch[0].messages) for batch in agent.batches]
    assert sizes == [1, 3, 5, 3, 5, 3]
    assert all(batch[0].messages[0].role == "user" for batch in agent.batches)


def test_a_single_message_too_long_fails() -> None:
    transcript, *_ = play(lambda _: failing(CompletionStatus.API_ERROR, finish="context"), counting("Word"))
    assert transcript.stop_reason is StopReason.FAILED


def test_seeds_depend_on_scenario_role_and_exchange_and_not_on_the_block_or_the_other_speaker() -> None:
    def seeds(numbers: Sequence[int], agent: Say) -> dict[str, list[int]]:
        user = Fake(counting("Word"))
        speakers = Speaker(Fake(agent), Sampling()), Speaker(user, Sampling())
        roll([scenario(number) for number in numbers], *speakers, Settings(exchanges=3, seed=5))
        return {f"s{number}": [batch[place].seed for batch in user.batches] for place, number in enumerate(numbers)}

    alone = seeds([1], counting("Reply"))
    together = seeds([0, 1, 2], counting("Another"))
    assert together["s1"] == alone["s1"]
    assert len({seed for row in together.values() for seed in row}) == 6


def seeds_of(sample: int, number: int = 1, agent: str = "Reply") -> tuple[list[int], list[int]]:
    """The seeds that agent and user are asked with."""
    one, two = Fake(counting(agent)), Fake(counting("Word"))
    talk = Talk(scenario(number), Settings(exchanges=3, seed=5), sample)
    play_together([talk], Speaker(one, Sampling()), Speaker(two, Sampling()))
    first, second = ([batch[0].seed for batch in fake.batches] for fake in (one, two))
    return first, second


def test_the_first_sample_draws_what_the_only_one_always_drew() -> None:
    """Written down before there were samples: with other seeds, no rollout made until then could be compared."""
    assert seeds_of(0) == (
        [3998039605239977024, 1855625255043476857, 9100911053804208580],
        [374206398443549028, 8283451663371140151],
    )


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=6, unique=True))
def test_every_sample_of_every_scenario_has_draws_of_its_own(parts: list[tuple[int, int]]) -> None:
    found = [seed for number, sample in parts for side in seeds_of(sample, number) for seed in side]
    assert len(set(found)) == 5 * len(parts)


def test_two_agents_meet_the_same_user_in_each_sample() -> None:
    for sample in range(3):
        assert seeds_of(sample, agent="Reply")[1] == seeds_of(sample, agent="Another")[1]


def test_a_sample_is_told_by_its_dialogue() -> None:
    fakes = Speaker(Fake(counting("Reply")), Sampling()), Speaker(Fake(counting("Word")), Sampling())
    played = play_together([Talk(scenario(), Settings(2), sample) for sample in (0, 2)], *fakes)
    found = [(one.dialogue.id, one.dialogue.scenario_id, one.dialogue.sample) for one in played]
    assert found == [("s0", "s0", 0), ("s0#2", "s0", 2)]


def test_tokens_are_told_apart_by_speaker() -> None:
    """The fake reads one token a message: the agent 1 + 3 + 5, the user, whose opener counts too, 3 + 5."""
    transcript, *_ = play(counting("Reply"), counting("Word"))
    assert (transcript.prompt_tokens, transcript.user_prompt_tokens) == (17, 8)
    assert (transcript.completion_tokens, transcript.user_completion_tokens) == (25, 10)


def test_eight_exchanges_are_the_default() -> None:
    fakes = Speaker(Fake(counting("Reply")), Sampling()), Speaker(Fake(counting("Word")), Sampling())
    [transcript] = roll([scenario()], *fakes, Settings())
    assert (transcript.exchanges, len(transcript.dialogue.utterances)) == (8, 16)


def test_dialogues_that_end_early_leave_the_others_alone() -> None:
    def agent(conversation: Conversation) -> str:
        return "Goodbye!" if "boat 1" in conversation.messages[0].content else f"Reply {len(conversation.messages)}."

    one, two = Fake(agent), Fake(counting("Word"))
    block = [scenario(number) for number in range(3)]
    transcripts = roll(block, Speaker(one, Sampling()), Speaker(two, Sampling()), Settings(exchanges=3))
    assert [one.exchanges for one in transcripts] == [3, 1, 3]
    assert [len(batch) for batch in one.batches] == [3, 2, 2]


def test_history_survives_text_that_looks_like_a_tag() -> None:
    said = [Utterance("user", "{hello}"), Utterance("assistant", "{not a tag}")]
    assert [one.content for one in history(said, "assistant")] == ["{hello}", "\\{not a tag}"]
