"""What may be claimed for what derives from what: a table worked by hand, and properties over every licence."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sage_data.errors import PublishError
from sage_data.publishing.licenses import (
    LICENSES,
    OTHER,
    UNKNOWN,
    UNSTATED,
    Claim,
    check_claim,
    least_claim,
    stated_claim,
)
from sage_data.store.manifest import Origin

LINK = "https://example.org/terms"
IDS = st.sampled_from(sorted(LICENSES))


def origins(*ids: str) -> list[Origin]:
    return [Origin(name=f"source {place}", license=one) for place, one in enumerate(ids, 1)]


def allowed(claimed: str, *ids: str) -> bool:
    return not check_claim(claimed, origins(*ids), name="their-terms", link=LINK)


@pytest.mark.parametrize(
    ("claimed", "from_ids", "may"),
    [
        # public domain: anything may be claimed
        ("cc0-1.0", ["cc0-1.0"], True),
        ("apache-2.0", ["cc0-1.0"], True),
        ("cc-by-nc-4.0", ["cc0-1.0", "pddl"], True),
        # attribution is handed on
        ("cc0-1.0", ["cc-by-4.0"], False),
        ("apache-2.0", ["cc-by-4.0"], True),
        ("cc-by-sa-4.0", ["cc-by-4.0", "mit"], True),
        # non-commercial is kept
        ("apache-2.0", ["cc-by-nc-4.0"], False),
        ("cc-by-4.0", ["cc-by-nc-4.0"], False),
        ("cc-by-sa-4.0", ["cc-by-nc-4.0"], False),
        ("cc-by-nc-4.0", ["cc-by-nc-4.0"], True),
        ("cc-by-nc-sa-4.0", ["cc-by-nc-4.0"], True),
        ("other", ["cc-by-nc-4.0"], True),
        # share-alike is kept, in the same or a later version
        ("cc-by-4.0", ["cc-by-sa-4.0"], False),
        ("cc-by-nc-sa-4.0", ["cc-by-sa-4.0"], False),
        ("cc-by-sa-4.0", ["cc-by-sa-3.0"], True),
        ("cc-by-sa-3.0", ["cc-by-sa-4.0"], False),
        ("cc-by-nc-sa-4.0", ["cc-by-nc-sa-2.0"], True),
        ("cc-by-nc-4.0", ["cc-by-nc-sa-4.0"], False),
        ("cdla-sharing-1.0", ["cdla-sharing-1.0"], True),
        ("cc-by-sa-4.0", ["cdla-sharing-1.0"], False),
        ("cdla-permissive-2.0", ["cdla-sharing-1.0"], False),
        ("odbl", ["odbl", "odc-by"], True),
        ("other", ["cc-by-sa-4.0"], False),
        # no derivatives: nothing may be claimed
        ("cc-by-nd-4.0", ["cc-by-nd-4.0"], False),
        ("other", ["cc-by-nc-nd-4.0"], False),
        # terms of their own
        ("other", ["other"], True),
        ("cc0-1.0", ["other"], False),
        ("gemma", ["gemma"], True),
        ("apache-2.0", ["gemma"], False),
        ("other", ["other", "cc-by-nc-4.0", "mit"], True),
        # not known
        ("cc0-1.0", ["unknown"], False),
        ("other", ["cc"], False),
        ("cc0-1.0", ["my-own-licence"], False),
        ("unknown", ["cc0-1.0"], False),
        ("my-own-licence", ["cc0-1.0"], False),
        # several together
        ("cc-by-nc-sa-4.0", ["cc-by-nc-sa-4.0", "cc-by-nc-4.0"], True),
        ("cc-by-nc-sa-4.0", ["cc-by-nc-sa-4.0", "cc-by-sa-4.0"], False),
        ("cc-by-sa-4.0", ["cc-by-nc-sa-4.0", "cc-by-sa-4.0"], False),
    ],
)
def test_what_may_be_claimed(claimed: str, from_ids: list[str], may: bool) -> None:
    assert allowed(claimed, *from_ids) == may


@pytest.mark.parametrize(
    ("from_ids", "least"),
    [
        (["cc0-1.0"], "cc0-1.0"),
        (["cc0-1.0", "cc-by-4.0"], "cc-by-4.0"),
        (["apache-2.0"], "apache-2.0"),
        (["mit", "cc-by-nc-4.0"], "cc-by-nc-4.0"),
        (["cc-by-nc-4.0", "cc-by-nc-sa-4.0"], "cc-by-nc-sa-4.0"),
        (["cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"], "cc-by-nc-sa-4.0"),
        (["cc-by-sa-3.0"], "cc-by-sa-3.0"),
        (["cdla-sharing-1.0", "apache-2.0"], "cdla-sharing-1.0"),
        (["other", "cc-by-nc-4.0"], "other"),
        (["gemma"], "gemma"),
        (["gemma", "llama2"], "other"),
        (["cc0-1.0", "unknown"], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_least_that_a_card_states(from_ids: list[str], least: str) -> None:
    assert least_claim(origins(*from_ids)) == least


def test_each_problem_names_its_source() -> None:
    problems = check_claim("apache-2.0", [Origin(name="Dialogs", license="cc-by-nc-4.0"), *origins("mit", "unknown")])
    assert [one.origins for one in problems] == [("Dialogs",), ("source 2",)]
    assert problems[0].text.startswith("Dialogs (cc-by-nc-4.0) allows non-commercial use only")
    assert "not known" in problems[1].text


def test_a_pair_that_no_licence_joins_is_named() -> None:
    problems = check_claim("cc-by-sa-4.0", origins("cc-by-sa-4.0", "cc0-1.0", "cc-by-nc-sa-4.0"))
    assert [one.origins for one in problems] == [("source 3",), ("source 3",), ("source 1", "source 3")]
    assert "source 1 (cc-by-sa-4.0) and source 3 (cc-by-nc-sa-4.0) cannot be combined" in problems[-1].text
    with pytest.raises(PublishError, match="cannot be combined") as caught:
        least_claim(origins("cc-by-sa-4.0", "cc-by-nc-4.0"))
    assert caught.value.next_step is not None
    with pytest.raises(PublishError, match="allows no derivatives"):
        least_claim(origins("cc-by-nd-4.0"))


def test_only_an_unknown_licence_can_be_cleared_and_only_by_name() -> None:
    unknown = origins("unknown", "cc0-1.0")
    assert check_claim("cc-by-4.0", unknown)
    assert check_claim("cc-by-4.0", unknown, cleared=["source 2"])
    assert not check_claim("cc-by-4.0", unknown, cleared=["source 1"])
    assert check_claim("cc-by-4.0", origins("cc-by-nc-4.0"), cleared=["source 1"])
    assert check_claim("cc-by-4.0", [])
    assert not check_claim("cc-by-4.0", [], cleared=[UNSTATED])


def test_other_needs_a_name_and_a_link() -> None:
    reddit = Origin(name="Reddit comments", license="other", url="https://www.reddit.com")
    for name, link in ((None, None), ("terms", None), (None, LINK)):
        assert "needs a licence name and a link" in check_claim("other", [reddit], name=name, link=link)[0].text
    assert not check_claim("other", [reddit], name="terms", link=LINK)


def test_a_claim_is_checked_or_is_the_least_that_is_allowed() -> None:
    reddit = Origin(name="Reddit comments", license="other", url="https://www.reddit.com")
    assert stated_claim(None, None, None, [reddit]) == Claim("other", "reddit-comments", "https://www.reddit.com")
    assert stated_claim(None, "terms", LINK, [reddit]) == Claim("other", "terms", LINK)
    assert stated_claim(None, None, None, origins("cc-by-nc-4.0")) == Claim("cc-by-nc-4.0")
    assert stated_claim(None, None, None, []) == Claim(UNKNOWN)
    assert stated_claim("mit", None, None, origins("cc0-1.0")) == Claim("mit")
    with pytest.raises(PublishError, match="non-commercial use only"):
        stated_claim("mit", None, None, origins("cc-by-nc-4.0"))
    with pytest.raises(PublishError, match="needs a licence name"):
        stated_claim("other", None, None, [reddit])
    with pytest.raises(PublishError, match="needs a licence name"):
        stated_claim(None, None, None, origins("other"))


@settings(max_examples=40)
@given(st.lists(IDS, min_size=1, max_size=4))
def test_the_least_claim_is_allowed_and_none_allowed_means_problems_for_all(ids: list[str]) -> None:
    try:
        least = least_claim(origins(*ids))
    except PublishError:
        assert not any(allowed(one, *ids) for one in LICENSES)
        return
    assert least == UNKNOWN or allowed(least, *ids)


@given(IDS, st.lists(IDS, min_size=1, max_size=3), IDS)
def test_another_source_never_allows_more(claimed: str, ids: list[str], more: str) -> None:
    assert allowed(claimed, *ids) or not allowed(claimed, *ids, more)


def test_every_licence_keeps_itself_unless_it_allows_nothing() -> None:
    for one, terms in LICENSES.items():
        assert allowed(one, one) == (not terms.no_derivatives and not terms.unclear)


def test_share_alike_reaches_only_licences_that_keep_its_other_terms() -> None:
    for one, two in itertools.product(LICENSES, LICENSES):
        if two in LICENSES[one].keep:
            assert LICENSES[two].share_alike
            assert LICENSES[two].non_commercial == LICENSES[one].non_commercial
    assert not LICENSES[OTHER].share_alike
