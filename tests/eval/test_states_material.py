"""What the states stage reads: tags taken off, clusters, whose states they are."""

from made_replies import reply

from sage_data.dialogue import Dialogue, State, Utterance
from sage_eval.states.material import Kind, Talk, spoken


def test_tags_are_taken_off_and_other_brackets_stay():
    assert spoken("{u_motivation: sharing} {a_motivation: joke} Ha!") == "Ha!"
    assert spoken("(smiles) Hi!") == "(smiles) Hi!"


def test_a_dialogue_without_a_scenario_is_its_own_cluster():
    assert Talk(Dialogue("d", ())).cluster == "dialogue d"
    assert Talk(Dialogue("d", (), scenario_id="s")).cluster == "s"


def test_states_are_found_by_who_has_them():
    talk = Talk(Dialogue("d", (Utterance("user", "x", State("a")), reply("y", ("b", None), ("c", None)))))
    assert [(place, state.motivation) for place, state in talk.states(Kind.USER)] == [(0, "a")]
    assert [(place, state.motivation) for place, state in talk.states(Kind.ACTION)] == [(1, "b")]
    assert [(place, state.motivation) for place, state in talk.states(Kind.PERCEIVED)] == [(1, "c")]
