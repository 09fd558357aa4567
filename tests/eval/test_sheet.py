"""Charts keep their colours in every viewer: they are literal, and the dark set repeats each of the light set."""

import io
import re
import shutil
import subprocess

import pytest
from PIL import Image

from sage_data.funnel import svg as funnel
from sage_eval.judge.chart import STYLE as JUDGE
from sage_eval.ratings.chart import STYLE as RATINGS
from sage_eval.regress.chart import STYLE as REGRESS
from sage_eval.sheet import sheet
from sage_eval.significance.chart import STYLE as SIGNIFICANCE
from sage_eval.states.drawing import bar, style, svg, text

SHEETS = {
    "judge": JUDGE,
    "ratings": RATINGS,
    "regress": REGRESS,
    "significance": SIGNIFICANCE,
    "states": style(),
    "funnel": funnel([], "Funnel").partition("<style>")[2].partition("</style>")[0],
}


@pytest.mark.parametrize("name", SHEETS)
def test_every_colour_is_literal_in_light_and_in_dark(name: str) -> None:
    light, media, dark = SHEETS[name].partition("@media (prefers-color-scheme: dark)")
    assert media
    assert "var(" not in SHEETS[name]
    given = [re.findall(r"(?:^|[{;}\n])\s*(?:fill|stroke):\s*(#[0-9a-f]{6}|none)", part) for part in (light, dark)]
    assert len(given[0]) == len(given[1]) >= 4
    assert given[0] != given[1]
    assert [one == "none" for one in given[0]] == [one == "none" for one in given[1]]


def test_dark_rules_keep_the_order_and_leave_out_what_is_no_colour() -> None:
    made = sheet(".a { fill: $a; stroke-width: 2; }\n.b { stroke: none; }\n.c { x: 1; }", {"a": ("#111111", "#eeeeee")})
    light, _, dark = made.partition("@media")
    assert ".a { fill: #111111; stroke-width: 2; }" in light
    assert dark.index(".a { fill: #eeeeee; }") < dark.index(".b { stroke: none; }")
    assert ".c" not in dark
    with pytest.raises(KeyError):
        sheet(".a { fill: $unheard; }")


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="needs rsvg-convert")
def test_a_viewer_without_css_variables_shows_the_page_and_a_bar_in_colour() -> None:
    picture = svg(60, [text(20, 20, "Words", "title"), bar(100, 30, 200, 20, 1)], "A bar")
    drawn = subprocess.run(["rsvg-convert"], input=picture.encode(), capture_output=True, check=True).stdout
    image = Image.open(io.BytesIO(drawn)).convert("RGB")
    assert image.getpixel((890, 55)) == (0xFC, 0xFC, 0xFB)
    assert image.getpixel((200, 40)) == (0xD5, 0x5E, 0x00)
