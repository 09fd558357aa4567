"""Funnels: the steps of each stage's counts, and the picture of them."""

import io
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from made_folders import made_counts, made_folder, made_stage
from PIL import Image

from sage_data.cli.funnel import funnel
from sage_data.errors import InputError, MissingDependencyError
from sage_data.funnel import MARGIN, PNG_SCALE, WIDTH, Step, chain_steps, joined, layout, png, steps_of, svg, wrapped

REDDIT: dict[str, Any] = {
    "comments": {"came_in": 90, "dropped": {"bot": 3, "too_old": 17, "url": 0}, "kept": 70, "quarantined": 0},
    "dialogues": {"came_in": 30, "dropped": {}, "kept": 30, "quarantined": 0},
    "files": {"RC_2012-11.zst": {"lines": 100, "comments": 90}},
    "lines": {
        "came_in": 100,
        "dropped": {"blank": 1},
        "kept": 90,
        "quarantined": 9,
        "quarantined_by_reason": {"bad_json": 4, "bad_type": 5},
    },
}
GATES: dict[str, Any] = {
    "unit": "dialogues",
    "came_in": 30,
    "dropped": {"low_sentiment": 8, "too_few_turns": 2, "no_question": 0},
    "kept": 20,
    "order": ["too_few_turns", "no_question", "low_sentiment"],
    "settings": {"min_turns": 4},
}
FROM_REDDIT = [
    Step("lines", 100, "total"),
    Step("quarantined: bad type", 5, "drop"),
    Step("quarantined: bad json", 4, "drop"),
    Step("blank", 1, "drop"),
    Step("comments", 90, "kept"),
    Step("too old", 17, "drop"),
    Step("bot", 3, "drop"),
    Step("comments in dialogues", 70, "kept"),
    Step("dialogues", 30, "total"),
]
FROM_GATES = [
    Step("dialogues", 30, "total"),
    Step("too few turns", 2, "drop"),
    Step("low sentiment", 8, "drop"),
    Step("dialogues kept", 20, "kept"),
]
STEPS = st.lists(
    st.builds(Step, st.text(max_size=120), st.integers(0, 10**13), st.sampled_from(["total", "drop", "kept"])),
    max_size=12,
)


class TestSteps:
    def test_lines_comments_and_dialogues_follow_each_other(self) -> None:
        assert steps_of(REDDIT) == FROM_REDDIT

    def test_gates_keep_their_order(self) -> None:
        assert steps_of(GATES) == FROM_GATES

    def test_stages_are_joined_where_the_next_took_in_what_the_last_kept(self) -> None:
        assert joined([FROM_REDDIT, FROM_GATES]) == [*FROM_REDDIT, *FROM_GATES[1:]]
        more = [Step("dialogues", 20, "total"), Step("near duplicate", 1, "drop"), Step("dialogues kept", 19, "kept")]
        assert joined([FROM_GATES, more]) == [*FROM_GATES, *more[1:]]
        assert joined([FROM_GATES, FROM_GATES]) == [*FROM_GATES, *FROM_GATES]
        assert joined([[], FROM_GATES]) == FROM_GATES

    def test_comments_that_are_not_the_lines_open_their_own_section(self) -> None:
        other = {**REDDIT, "comments": {"came_in": 80, "dropped": {}, "kept": 80}}
        assert [(one.label, one.kind) for one in steps_of(other)][3:6] == [
            ("blank", "drop"),
            ("lines kept", "kept"),
            ("comments", "total"),
        ]

    @pytest.mark.parametrize(
        "wrong", [{}, [], {"comments": 3}, {"came_in": 3}, {"came_in": "x", "kept": 1}, {"came_in": 1, "dropped": 3}]
    )
    def test_what_is_no_funnel_is_refused(self, wrong: Any) -> None:
        with pytest.raises(InputError, match=r"expected a|not readable"):
            steps_of(wrong)


class TestPicture:
    def test_each_count_has_its_share_of_the_section_and_its_bar(self) -> None:
        picture = layout(FROM_GATES, "Gates")
        texts = [one.text for one in picture.words]
        assert texts[1:] == [
            *("dialogues", "30", "100%", "too few turns", "2", "6.7%"),
            *("low sentiment", "8", "26.7%", "dialogues kept", "20", "66.7%"),
        ]
        total, few, low, kept = picture.blocks
        assert few.x + few.width == pytest.approx(total.x + total.width, abs=0.02)
        assert low.x + low.width == pytest.approx(few.x, abs=0.02)
        assert kept.x + kept.width == pytest.approx(low.x, abs=0.02)
        assert kept.width / total.width == pytest.approx(2 / 3, abs=0.001)
        assert (few.tone, kept.tone) == ("cut", "full")

    def test_a_share_is_never_rounded_to_none_or_all(self) -> None:
        steps = [Step("a", 10**6, "total"), Step("b", 1, "drop"), Step("c", 10**6 - 1, "kept"), Step("d", 0, "drop")]
        shares = [one.text for one in layout(steps, "").words if one.text.endswith("%")]
        assert shares == ["100%", "<0.1%", ">99.9%", "0.0%"]

    @given(STEPS, st.text(max_size=200))
    def test_any_steps_make_one_well_formed_page_without_overlaps(self, steps: list[Step], title: str) -> None:
        drawn = svg(steps, title)
        root = ET.fromstring(drawn.encode())
        assert drawn == svg(steps, title)
        assert (root.get("width"), root.tag) == (str(WIDTH), "{http://www.w3.org/2000/svg}svg")
        assert "script" not in {element.tag.rpartition("}")[2] for element in root.iter()}
        picture = layout(steps, title)
        for block in picture.blocks:
            assert block.x >= MARGIN + 236
            assert block.x + block.width <= WIDTH - MARGIN
            assert block.y + block.height <= picture.height
        left = [one for one in picture.words if not one.right]
        assert all(below.y - above.y >= 17 for above, below in pairwise(left))

    @given(st.text(max_size=150))
    def test_wrapping_keeps_every_sign(self, text: str) -> None:
        joined_up = "".join("".join(wrapped(text, 120, 13)).split())
        assert len(joined_up) == len("".join(text.split()))

    def test_labels_are_escaped_and_numbers_have_separators(self) -> None:
        drawn = svg([Step("<b>&\"'\x00\ud800\n", 1234567, "total")], 'T <"&')
        assert "&lt;b&gt;&amp;\"'\ufffd\ufffd" in drawn
        assert ">1,234,567<" in drawn
        assert "prefers-color-scheme: dark" in drawn

    def test_png_is_the_same_picture(self) -> None:
        drawn = png(FROM_GATES, "Gates")
        assert drawn == png(FROM_GATES, "Gates")
        image = Image.open(io.BytesIO(drawn)).convert("RGB")
        picture = layout(FROM_GATES, "Gates")
        assert image.size == (WIDTH * PNG_SCALE, picture.height * PNG_SCALE)
        for block in picture.blocks:
            middle = ((block.x + block.width / 2) * PNG_SCALE, (block.y + block.height / 2) * PNG_SCALE)
            red, _, blue = image.getpixel((int(middle[0]), int(middle[1])))  # type: ignore[misc]
            assert blue - red > 30, "a bar is blue"

    def test_without_pillow_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "PIL", None)
        with pytest.raises(MissingDependencyError, match=r"sage-dialogue\[plots\]"):
            png(FROM_GATES, "Gates")


class TestChain:
    """One funnel across stages, from what their manifests count."""

    def test_a_unit_goes_on_from_stage_to_stage(self) -> None:
        reddit = made_stage(
            "read",
            counts=[
                made_counts(90, 70, "comments", bot=20),
                made_counts(30, 30),
                made_counts(100, 90, "lines", quarantined=9, blank=1),
            ],
        )
        gates = made_stage("kept", counts=[made_counts(30, 20, too_few_turns=2, low_sentiment=8)])
        annotated = made_stage(
            "annotated", counts=[made_counts(20, 19, quarantined=1), made_counts(80, 76, "utterances", quarantined=4)]
        )
        chains = made_stage("chains", counts=[made_counts(19, 19), made_counts(76, 70, "utterances", trailing_user=6)])
        assert chain_steps([made_stage("world"), reddit, gates, annotated, chains]) == [
            Step("lines", 100, "total"),
            Step("quarantined", 9, "drop"),
            Step("blank", 1, "drop"),
            Step("comments", 90, "kept"),
            Step("bot", 20, "drop"),
            Step("comments in dialogues", 70, "kept"),
            Step("dialogues", 30, "total"),
            Step("low sentiment", 8, "drop"),
            Step("too few turns", 2, "drop"),
            Step("dialogues in kept", 20, "kept"),
            Step("quarantined", 1, "drop"),
            Step("dialogues in annotated", 19, "kept"),
            Step("utterances", 80, "total"),
            Step("quarantined", 4, "drop"),
            Step("utterances in annotated", 76, "kept"),
            Step("trailing user", 6, "drop"),
            Step("utterances in chains", 70, "kept"),
        ]

    def test_where_branches_meet_a_section_of_its_own_begins(self) -> None:
        one = made_stage("reddit", counts=[made_counts(30, 20, no_question=10)])
        two = made_stage("loaded", counts=[made_counts(8, 8)])
        mixed = made_stage("mixed", counts=[made_counts(28, 25, surplus=3)])
        assert chain_steps([one, two, mixed]) == [
            Step("dialogues", 30, "total"),
            Step("no question", 10, "drop"),
            Step("dialogues in reddit", 20, "kept"),
            Step("dialogues into stage loaded", 8, "total"),
            Step("dialogues into stage mixed", 28, "total"),
            Step("surplus", 3, "drop"),
            Step("dialogues in mixed", 25, "kept"),
        ]

    def test_a_second_read_of_lines_names_its_stage(self) -> None:
        both = [
            made_stage(name, counts=[made_counts(size, size, "lines"), made_counts(size, size, "comments")])
            for name, size in (("a", 5), ("b", 9))
        ]
        assert [(one.label, one.count) for one in chain_steps(both)] == [
            ("lines", 5),
            ("comments", 5),
            ("lines into stage b", 9),
            ("comments", 9),
        ]

    @given(st.lists(st.lists(st.integers(0, 50), max_size=4), max_size=6))
    def test_whatever_is_dropped_is_drawn_once(self, drops: list[list[int]]) -> None:
        left = sum(map(sum, drops)) + 3
        stages, total = [], 0
        for place, numbers in enumerate(drops):
            dropped = {f"reason {index}": number for index, number in enumerate(numbers)}
            stages.append(made_stage(f"s{place}", counts=[made_counts(left, left - sum(numbers), **dropped)]))
            left, total = left - sum(numbers), total + sum(numbers)
        steps = chain_steps(stages)
        assert sum(step.count for step in steps if step.kind == "drop") == total
        assert [step.kind for step in steps].count("total") == (1 if drops else 0)


class TestCommand:
    """`sage data funnel` on folders with manifests."""

    def drawn(self, *arguments: str) -> str:
        result = CliRunner().invoke(funnel, [*arguments, "--out", "f.svg"])
        assert result.exit_code == 0, result.output
        return Path("f.svg").read_text(encoding="utf-8")

    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        above = [made_stage("kept", counts=[made_counts(9, 2, no_question=7)])]
        made_folder(tmp_path / "chains", lineage=above, counts=[made_counts(2, 1, no_exchange=1)])

    def test_the_last_folder_draws_the_whole_chain(self) -> None:
        drawn = self.drawn("chains")
        assert ">no question<" in drawn
        assert ">dialogues in chains<" in drawn

    def test_alone_it_draws_its_own_stage(self) -> None:
        drawn = self.drawn("chains", "--alone")
        assert ">no question<" not in drawn
        assert ">no exchange<" in drawn

    def test_several_folders_are_drawn_as_given(self) -> None:
        made_folder(Path("more"), counts=[made_counts(1, 0, duplicate=1)])
        drawn = self.drawn("chains", "more")
        assert ">no question<" not in drawn
        assert ">duplicate<" in drawn

    def test_a_folder_without_counts_is_named(self) -> None:
        made_folder(Path("bare"))
        result = CliRunner().invoke(funnel, ["bare", "--out", "f.svg"])
        assert isinstance(result.exception, InputError)
        assert "no manifest with counts" in str(result.exception)
