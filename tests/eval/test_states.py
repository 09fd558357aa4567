"""The states stage on planted dialogues: every number below was counted by hand."""

from xml.etree import ElementTree

import pyarrow as pa
import pytest
from made_replies import outcomes, reply
from planted_run import rollout, said, write_stage

from sage_data.dialogue import Scenario
from sage_data.errors import ConfigError, InputError
from sage_data.stage import run_stage
from sage_data.store.dialogues import scenarios_to_table, to_table
from sage_data.store.shards import read_table, write_table
from sage_eval.states import SCHEMAS

STAGE = "sage_eval.states"
SCENARIOS = [
    Scenario("s1", "I passed!", "proud", "test"),
    Scenario("s2", "He ran away.", "sad", "test"),
    Scenario("s3", "Just a day.", None, "test"),
]


def talks(model):
    """Three dialogues; replies: 2 in s1, 2 in s2, 1 in s3 without any tag."""
    return [
        rollout(
            "s1",
            model,
            said("user", "I passed!"),
            reply("Well done! How was it?", ("curiosity", "happy"), ("sharing", "proud")),
            said("user", "It was hard.", "answering", "relieved"),
            reply("Well done! How was it?", ("praise", "happy"), ("answering", "relieved")),
        ),
        rollout(
            "s2",
            model,
            said("user", "He ran away."),
            reply("My dog did that too.", ("empathy", "warm"), ("sharing", "very unhappy")),
            said("user", "Oh.", "answering", None),
            reply("So sorry.", ("empathy", None), None),
        ),
        rollout("s3", model, said("user", "Just a day."), said("assistant", "Fine.")),
    ]


def run(tmp_path, folders, config=None, **inputs):
    final = tmp_path / "out"
    manifest = run_stage(STAGE, config or {}, {"dialogues": folders, **inputs}, final)
    return manifest, {name: read_table(final, name).to_pylist() for name in SCHEMAS}, final


@pytest.fixture
def one_model(tmp_path):
    scenarios = write_stage(tmp_path, "scenarios", "sage_data.scenarios", {"scenarios": scenarios_to_table(SCENARIOS)})
    folder = write_stage(
        tmp_path, "rollout-a", "sage_eval.rollout", {"dialogues": to_table(talks("a")), "outcomes": outcomes()}
    )
    return run(tmp_path, [folder], scenarios=[scenarios])


def test_actions_are_counted_over_replies_with_an_action(one_model):
    rows = [row for row in one_model[1]["state_counts"] if row["kind"] == "action"]
    found = {(row["slot"], row["value"]): (row["count"], row["n"], row["clusters"]) for row in rows}
    assert found == {
        ("motivation", "empathy"): (2, 4, 2),
        ("motivation", "curiosity"): (1, 4, 2),
        ("motivation", "praise"): (1, 4, 2),
        ("emotion", "happy"): (2, 4, 2),
        ("emotion", "warm"): (1, 4, 2),
        ("emotion", None): (1, 4, 2),
    }
    assert all(0 <= row["low"] <= row["share"] <= row["high"] <= 1 for row in rows)


def test_readings_and_the_users_own_states_are_apart(one_model):
    rows = one_model[1]["state_counts"]
    read = {row["value"]: row["count"] for row in rows if (row["kind"], row["slot"]) == ("perceived", "emotion")}
    own = {row["value"]: row["count"] for row in rows if (row["kind"], row["slot"]) == ("user", "motivation")}
    assert read == {"proud": 1, "relieved": 1, "very unhappy": 1}
    assert own == {"answering": 2}


def test_tags_are_whole_partly_or_absent_and_as_the_outcomes_tell(one_model):
    found = {(row["source"], row["form"]): (row["count"], row["n"]) for row in one_model[1]["tag_forms"]}
    assert found == {
        ("dialogues", "whole"): (3, 5),
        ("dialogues", "partly"): (1, 5),
        ("dialogues", "absent"): (1, 5),
        ("outcomes", "well_formed"): (3, 6),
        ("outcomes", "untagged"): (2, 6),
        ("outcomes", "malformed"): (1, 6),
    }


def test_what_follows_what(one_model):
    rows = [row for row in one_model[1]["state_transitions"] if row["from_slot"] == row["to_slot"] == "motivation"]
    found = {
        (row["step"], row["from_value"], row["to_value"]): (row["count"], row["from_count"], row["pairs"], row["lift"])
        for row in rows
    }
    assert found == {
        # Three replies have both tags. "sharing" was read twice; each action occurs once in three pairs.
        ("perceived > action", "sharing", "curiosity"): (1, 2, 3, pytest.approx(1.5)),
        ("perceived > action", "sharing", "empathy"): (1, 2, 3, pytest.approx(1.5)),
        ("perceived > action", "answering", "praise"): (1, 1, 3, pytest.approx(3.0)),
        ("user > action", "answering", "praise"): (1, 2, 2, pytest.approx(1.0)),
        ("user > action", "answering", "empathy"): (1, 2, 2, pytest.approx(1.0)),
        ("action > action", "curiosity", "praise"): (1, 1, 2, pytest.approx(2.0)),
        ("action > action", "empathy", "empathy"): (1, 1, 2, pytest.approx(2.0)),
    }


def test_the_users_emotion_against_the_label(one_model):
    rows = [row for row in one_model[1]["emotion_matches"] if row["kind"] == "perceived"]
    assert [(row["scenario_id"], row["reading"], row["emotion"], row["mapped"], row["hit"]) for row in rows] == [
        ("s1", 0, "proud", "proud", True),
        ("s1", 1, "relieved", None, None),
        ("s2", 0, "very unhappy", "sad", True),
    ]
    by_scope = {row["scope"]: row for row in one_model[1]["emotion_accuracy"] if row["kind"] == "perceived"}
    assert (by_scope["first"]["accuracy"], by_scope["first"]["coverage"]) == (1.0, 1.0)
    assert by_scope["every"]["coverage"] == pytest.approx(2 / 3)
    assert by_scope["every"]["strict"] == pytest.approx(2 / 3)
    assert by_scope["any"]["kappa"] is None
    assert by_scope["first"]["kappa"] == pytest.approx(1.0)


def test_style_by_hand(one_model):
    found = {row["measure"]: row["value"] for row in one_model[1]["style_measures"]}
    # Words: 5, 5, 5, 2, 1.
    assert found["words"] == pytest.approx(18 / 5)
    assert found["words_median"] == 5
    assert found["ends_with_question"] == pytest.approx(2 / 5)
    # Of the replies that have an earlier one in their dialogue (2), one says it again word for word.
    assert found["repeats_reply"] == pytest.approx(1 / 2)
    # The repeated reply's three runs of three words all stood there; "So sorry." has none.
    assert found["repeats_in_dialogue"] == 1.0
    # 18 words, the five of the first reply twice: 13 different.
    assert found["distinct_1"] == pytest.approx(13 / 18)
    assert found["distinct_1_fixed"] is None
    # Twelve tokens in s1 (3 generated utterances), 9 in s2 (3), 2 in s3 (1).
    assert found["tokens"] == pytest.approx(23 / 7)


def test_repeated_replies_are_listed(one_model):
    assert [(row["reply"], row["count"], row["dialogues"]) for row in one_model[1]["frequent_replies"]] == [
        ("well done! how was it?", 2, 1)
    ]


def test_claims_to_be_human_are_kept_with_their_span(one_model):
    (hit,) = one_model[1]["incarnation"]
    assert (hit["dialogue_id"], hit["turn"], hit["kind"], hit["matched"]) == ("a/s2", 1, "family", "My dog")
    assert hit["reply"][hit["span_start"] : hit["span_end"]] == "My dog"
    rates = {(row["unit"], row["kind"]): (row["count"], row["n"]) for row in one_model[1]["incarnation_rates"]}
    assert rates["replies", "any"] == rates["replies", "family"] == (1, 5)
    assert rates["dialogues", "any"] == (1, 3)


def test_one_model_has_no_differences_and_charts_are_svg(one_model):
    _, tables, final = one_model
    assert tables["behaviour_differences"] == []
    drawn = sorted(path.name for path in final.glob("*.svg"))
    assert drawn == ["actions.svg", "perceived.svg", "transitions.svg"]
    for name in drawn:
        ElementTree.parse(final / name)
    assert "Readings of the user" in (final / "summary.txt").read_text()


def test_failed_dialogues_are_counted_and_never_scored(tmp_path):
    kept = talks("a")
    silent = rollout("s9", "a", said("user", "Hello?"))
    folder = write_stage(tmp_path, "rollout-a", "sage_eval.rollout", {"dialogues": to_table([*kept, silent])})
    rejected = to_table([rollout("s8", "a", said("user", "Hi"), said("assistant", "My wife says hi."))])
    write_table(folder / "rejected" / "dialogues-00000.parquet", rejected.append_column("reason", [["backend_failed"]]))
    (folder / "manifest.json").unlink()
    manifest, tables, _ = run(tmp_path, [folder])
    (counts,) = [one for one in manifest.counts if one.unit == "dialogues"]
    assert (counts.came_in, counts.kept, counts.dropped) == (5, 3, {"backend_failed": 1, "no_reply": 1})
    assert any("backend_failed 1" in warning for warning in manifest.warnings)
    assert {row["dialogue_id"] for row in tables["incarnation"]} == {"a/s2"}


def test_order_and_names_of_shards_do_not_matter(tmp_path):
    listed = talks("a")
    one = write_stage(tmp_path / "x", "rollout-a", "m", {"dialogues": to_table(listed)})
    other = write_stage(tmp_path / "y", "rollout-a", "m", {"dialogues": [to_table([d]) for d in reversed(listed)]})
    first, second = run(tmp_path / "1", [one])[0], run(tmp_path / "2", [other])[0]
    assert first.content_hash == second.content_hash


def test_dialogues_without_states_and_with_odd_characters(tmp_path):
    odd = [
        rollout(
            "s1",
            "a",
            said("user", "\u202ehi \x00"),
            said("assistant", "<script>&\U0001f600\u0007 caf\u00e9 \u0627\u061f"),
        ),
        rollout("s2", "a", said("user", "x"), said("assistant", "  ")),
    ]
    folder = write_stage(tmp_path, "rollout-<b>&", "m", {"dialogues": to_table(odd)})
    _, tables, final = run(tmp_path, [folder])
    assert tables["state_counts"] == tables["state_transitions"] == []
    assert not list(final.glob("*.svg"))
    assert {row["value"] for row in tables["style_measures"] if row["measure"] == "has_question"} == {0.5}


def test_odd_values_of_states_stay_text_in_the_chart(tmp_path):
    states = [("</text><script>", "\u202e\x07"), ("&amp;", None)]
    listed = [rollout(f"s{n}", "a", said("user", "x"), reply("ok", states[n % 2], ("<b>", "sad"))) for n in range(6)]
    folder = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(listed)})
    _, _, final = run(tmp_path, [folder])
    for path in final.glob("*.svg"):
        tree = ElementTree.parse(path)
        assert not [one for one in tree.iter() if one.tag.endswith("script")]


def test_no_dialogues_at_all_is_a_result(tmp_path):
    folder = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table([])})
    _, tables, _ = run(tmp_path, [folder])
    assert {row["value"] for row in tables["style_measures"]} == {None}
    assert all(row["share"] is None for row in tables["incarnation_rates"])


def test_two_models_are_compared_scenario_by_scenario(tmp_path):
    def many(model, motivation):
        return [
            rollout(f"s{n:02d}", model, said("user", "x"), reply("Well " * (n % 3 + 1), (motivation(n), "happy"), None))
            for n in range(12)
        ]

    a = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(many("a", lambda n: "praise"))})
    b = write_stage(
        tmp_path, "rollout-b", "m", {"dialogues": to_table(many("b", lambda n: "joke" if n < 8 else "praise"))}
    )
    manifest, tables, _ = run(tmp_path, [a, b], {"least": 5})
    rows = {(row["family"], row["value"]): row for row in tables["behaviour_differences"]}
    praise = rows["action motivation", "praise"]
    assert (praise["mean_a"], praise["mean_b"], praise["scenarios"]) == (1.0, pytest.approx(4 / 12), 12)
    # Eight scenarios differ, all in one direction: 2 / 2**8.
    assert praise["p"] == pytest.approx(2 / 2**8)
    assert praise["family_size"] == 2
    assert praise["p_holm"] == pytest.approx(4 / 2**8)
    # Both models always answer at the same length: nothing differs, so nothing can be decided.
    assert (rows["style", "words"]["difference"], rows["style", "words"]["p"]) == (0.0, None)
    assert manifest.warnings == []


def test_models_without_a_common_scenario_are_not_compared(tmp_path):
    a = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(talks("a")[:1])})
    b = write_stage(tmp_path, "rollout-b", "m", {"dialogues": to_table(talks("b")[1:])})
    manifest, tables, _ = run(tmp_path, [a, b])
    assert all(row["p"] is None for row in tables["behaviour_differences"])
    assert any("share no scenario" in warning for warning in manifest.warnings)


def test_two_folders_of_one_name_and_two_dialogues_of_one_id_are_refused(tmp_path):
    a = write_stage(tmp_path / "x", "rollout-a", "m", {"dialogues": to_table(talks("a"))})
    b = write_stage(tmp_path / "y", "rollout-a", "m", {"dialogues": to_table(talks("a"))})
    with pytest.raises(ConfigError, match="two inputs are named 'a'"):
        run(tmp_path, [a, b])
    twice = write_stage(tmp_path / "z", "rollout-a", "m", {"dialogues": to_table(talks("a")[:1] * 2)})
    with pytest.raises(InputError, match="two dialogues have the id a/s1"):
        run(tmp_path, [twice])


def test_scenarios_that_contradict_each_other_are_refused(tmp_path):
    folder = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(talks("a"))})
    given = [
        write_stage(
            tmp_path / label, "scenarios", "m", {"scenarios": scenarios_to_table([Scenario("s1", "x", label, "test")])}
        )
        for label in ("proud", "sad")
    ]
    with pytest.raises(InputError, match="s1 is labelled sad here and proud elsewhere"):
        run(tmp_path, [folder], scenarios=given)


def steered(hits):
    """(amount, scenario, hit) -> the table of a steering stage."""
    form = {True: "well_formed", False: "untagged", None: "untagged"}
    return pa.Table.from_pylist(
        [
            {"boost": b, "scenario_id": s, "sample": 0, "text": "a b", "hit": h, "tags": form[h]} for b, s, h in hits
        ],
        schema=pa.schema(
            [("boost", pa.float64()), ("scenario_id", pa.string()), ("sample", pa.int64()), ("text", pa.string()),
             ("hit", pa.bool_()), ("tags", pa.string())]
        ),
    )  # fmt: skip


def test_steering_success_by_dose(tmp_path):
    folder = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(talks("a"))})
    names = [f"s{n}" for n in range(10)]
    table = steered(
        [(0.0, one, n == 0) for n, one in enumerate(names)]
        + [(2.0, one, None if n == 9 else n < 7) for n, one in enumerate(names)]
    )
    given = write_stage(tmp_path, "steered", "sage_models.steer", {"steering": table})
    manifest, tables, final = run(tmp_path, [folder], steered=[given])
    none, some = tables["steering_success"]
    assert (none["hits"], none["replies"], none["share"], none["gain"]) == (1, 10, 0.1, None)
    assert (some["hits"], some["replies"], some["unreadable"]) == (7, 9, 1)
    # Nine twins: six gained, none lost; two-sided 2 / 2**6.
    assert some["gain"] == pytest.approx(6 / 9)
    assert some["p"] == some["p_holm"] == pytest.approx(2 / 2**6)
    assert some["well_formed"] == pytest.approx(7 / 9)
    assert any("1 steered replies cannot be read" in warning for warning in manifest.warnings)
    ElementTree.parse(final / "steering.svg")


def test_what_is_no_steering_output_is_refused(tmp_path):
    folder = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(talks("a"))})
    given = write_stage(tmp_path, "steered", "m", {"steering": pa.table({"boost": [1.0]})})
    with pytest.raises(InputError, match="lacks the columns scenario_id"):
        run(tmp_path, [folder], steered=[given])


def test_the_summary_explains_what_would_puzzle(tmp_path):
    tagged = [
        rollout(f"s{n}", "a", said("user", "x"), reply("Well.", ("praise" if n < 6 else "joke", "happy"), ("w", "sad")))
        for n in range(8)
    ]
    bare = [rollout(f"s{n}", "b", said("user", "x"), said("assistant", "Well.")) for n in range(8)]
    a = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(tagged), "outcomes": outcomes()})
    b = write_stage(tmp_path, "rollout-b", "m", {"dialogues": to_table(bare)})
    _, tables, final = run(tmp_path, [a, b], {"least": 5})
    shown = " ".join((final / "summary.txt").read_text().split())
    assert "outcomes: all replies as the model wrote them, failed dialogues included" in shown
    assert "- for distinct_*_fixed: fewer than 2,000 runs of words (distinct_budget): a, b" in shown
    assert shown.count("without tags, so not shown: b") == 4
    assert "lift: only from 5 cases" in shown
    # Six cases have a lift, two have none.
    lifts = {
        row["to_value"]: row["count"] for row in tables["state_transitions"] if row["step"] == "perceived > action"
    }
    assert (lifts["praise"], lifts["joke"]) == (6, 2)
    maps = (final / "transitions.svg").read_text()
    assert maps.count("\u00d7") == 1
    for name in ("actions.svg", "perceived.svg"):
        assert "Without tags, so not shown: b" in (final / name).read_text()


def test_no_difference_that_holds_is_said_without_an_empty_table(tmp_path):
    def many(model, words):
        return [rollout(f"s{n:02d}", model, said("user", "x"), said("assistant", words(n))) for n in range(12)]

    a = write_stage(tmp_path, "rollout-a", "m", {"dialogues": to_table(many("a", lambda n: "Well " * (n % 3 + 1)))})
    b = write_stage(tmp_path, "rollout-b", "m", {"dialogues": to_table(many("b", lambda n: "Well " * (n % 2 + 1)))})
    shown = (run(tmp_path, [a, b], {"least": 5})[2] / "summary.txt").read_text()
    assert "hold at .05 after Holm in their family; behaviour_differences holds them all." in shown
    assert "mean A" not in shown
