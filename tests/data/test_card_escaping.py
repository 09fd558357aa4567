"""Text as data in Markdown: read back by a Markdown parser, it is the text, and nothing else is there."""

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sage_data.publishing.card.escaping import code, fenced, link, markdown, plain, plain_lines, table

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
NASTY = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="`|<>&*_[]()#-+=~!\\\n\r\t :/.1@${}\"'ab\u2028\x85", max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "a | b || c",
            "\n---\nlicense: mit\n---\n",
            "# head",
            "1. one",
            "- item",
            "![x](http://x.org/y.png)",
            "<!-- hidden",
            "```\nend",
            "    indented",
            "[a]: http://x.org",
            "www.x.org https://x.org me@x.org",
            "\u202eright to left",
            "&lt;b&gt; &amp;copy;",
            "===",
        ]
    ),
)


def words(tokens: list[Token]) -> str:
    """What a reader sees of inline tokens."""
    return "".join(
        unescape(one.content) if one.type == "text_special" else one.content
        for token in tokens
        for one in token.children or []
    )


@given(NASTY)
def test_a_line_of_text_shows_as_it_is(text: str) -> None:
    tokens = PARSER.parse(f"before {markdown(text)} after")
    assert [one.type for one in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {one.type for one in tokens[1].children or []} <= {"text", "text_special"}
    assert " ".join(words(tokens).split()) == " ".join(f"before {plain(text)} after".split())


@given(NASTY)
def test_a_paragraph_stays_a_paragraph(text: str) -> None:
    tokens = PARSER.parse(f"x\n\n{markdown(text)}\n\ny")
    assert {one.type for one in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    assert len(tokens) == (9 if plain(text).strip() else 6)


@given(st.lists(st.tuples(NASTY, NASTY, NASTY), max_size=4))
def test_a_table_keeps_its_cells(rows: list[tuple[str, str, str]]) -> None:
    tokens = PARSER.parse(table(("a", "b ", "c"), rows))
    assert tokens[0].type == "table_open"
    assert sum(one.type == "tr_open" for one in tokens) == len(rows) + 1
    cells = [tokens[place + 1] for place, one in enumerate(tokens) if one.type == "td_open"]
    shown = [" ".join(words([one]).split()) for one in cells]
    assert shown == [" ".join(plain(cell).split()) for row in rows for cell in row]
    assert not any("html" in inner.type or inner.type == "link_open" for one in cells for inner in one.children or [])


@given(NASTY)
def test_a_code_block_holds_all_of_its_text(text: str) -> None:
    tokens = PARSER.parse(f"{fenced(text, 'text')}\n\nafter")
    assert [one.type for one in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[0].content == "".join(f"{line}\n" for line in plain_lines(text))


@given(NASTY)
def test_a_code_span_holds_all_of_its_text(text: str) -> None:
    (paragraph,) = [one for one in PARSER.parse(f"before {code(text)} after") if one.type == "inline"]
    inner = [one for one in paragraph.children or [] if one.type == "code_inline"]
    assert len(inner) == 1
    assert inner[0].content.strip() == plain(text).strip()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a?b=c", "[a \\| b](https://example.org/a?b=c)"),
        ("javascript:alert(1)", "a \\| b (javascript:alert(1))"),
        ("https://example.org/) <b>", "a \\| b (https&#58;//example.org/) &lt;b&gt;)"),
        (None, "a \\| b"),
    ],
)
def test_only_plain_addresses_become_links(url: str | None, shown: str) -> None:
    assert link("a | b", url) == shown


def test_signs_that_nothing_can_hold_are_replaced() -> None:
    assert plain("a\x00b\ud800\u202e\ufffe c\n d") == "a\ufffdb\ufffd\ufffd\ufffd c d"
