"""A funnel in a picture: what came in, what each reason dropped, what was kept. SVG for pages, PNG for slides.

One layout feeds both. A bar's length is its share of the first bar of its section; a dropped part is drawn where it
was cut off, in a lighter tone. A new section begins where another thing is counted, such as dialogues after comments.
Equal steps give equal bytes of SVG; labels are escaped, and are broken into lines where they are long.

    sage data funnel dialogues/ kept/ --out funnel.svg
    sage data funnel chains/ --out funnel.svg             # with every stage above it
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from xml.sax.saxutils import escape, quoteattr

from sage_data.errors import InputError, MissingDependencyError
from sage_data.store.manifest import Ancestor, Counts

WIDTH = 760
MARGIN = 24
LABELS = 236
"""Width of the column of labels."""
GAP = 14
TITLE_SIZE, SIZE = 18, 13
LINE = 17
"""Height of a line of a label; a row is one line and `PADDING` high at least."""
PADDING = 9
SECTION = 14
"""Room above a section that is not the first."""
SHARES = 62
"""Width of the column of shares."""
PNG_SCALE = 2
"""Pixels of a PNG for each unit of the layout."""

LIGHT = {"back": "#ffffff", "text": "#1f2328", "quiet": "#59636e", "full": "#1f6f8b", "cut": "#a8d3e0"}
DARK = {"back": "#0d1117", "text": "#e6edf3", "quiet": "#9aa4af", "full": "#58b4d1", "cut": "#3d788e"}

ORDER = ("lines", "comments", "dialogues")
"""Units of the Reddit stage from the dump to the result. Every usable line is a comment, so those two share a scale."""
GROWS_FROM = {"comments": "lines"}
"""Unit -> the one it is drawn on the scale of, when as many came in as were kept of that."""
KEPT = {"comments": "comments in dialogues"}

Kind = Literal["total", "drop", "kept"]


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a funnel."""

    label: str
    count: int
    kind: Kind
    """`total` opens a section, `drop` takes away from it, `kept` is what is left."""


@dataclass(frozen=True, slots=True)
class Block:
    """One rectangle; `tone` names its colour."""

    x: float
    y: float
    width: float
    height: float
    tone: str


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text; `x` is its left end, or its right end when `right` is set; `y` is its baseline."""

    x: float
    y: float
    text: str
    tone: str
    size: int = SIZE
    right: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A funnel laid out, `WIDTH` wide."""

    height: int
    blocks: tuple[Block, ...]
    words: tuple[Words, ...]


def steps_of(funnel: Any) -> list[Step]:
    """The steps of one stage's `funnel.json`, parts that are zero left out.

    A funnel is one count (`unit`, `came_in`, `dropped` by reason, `kept`; perhaps `order`, `quarantined` and
    `quarantined_by_reason`) or several by unit. Reasons stand in the given order, else the most frequent first.

    Raises:
        InputError: it holds no counts.
    """
    if not isinstance(funnel, Mapping):
        raise InputError(f"expected a mapping, found {type(funnel).__name__}")
    if "came_in" in funnel:
        return list(_section(str(funnel.get("unit", "rows")), funnel))
    steps: list[Step] = []
    for unit in _units(funnel):
        section = list(_section(unit, funnel[unit]))
        if unit == "comments" and steps[-1:] == [Step("lines kept", section[0].count, "kept")]:
            steps[-1:] = [Step("comments", section[0].count, "kept")]
            section = section[1:]
        steps += section
    return steps


def _units(funnel: Mapping[str, Any]) -> list[str]:
    """What a funnel with several counts counts, in the order of the pipeline.

    Raises:
        InputError: it holds no counts.
    """
    units = [key for key, value in funnel.items() if isinstance(value, Mapping) and "came_in" in value]
    if not units:
        raise InputError("expected a funnel with `came_in`, `dropped` and `kept`, found none")
    return sorted(units, key=lambda unit: (unit_order(unit), unit))


def _section(unit: str, counts: Mapping[str, Any]) -> Iterator[Step]:
    """The steps of one unit's counts.

    Raises:
        InputError: a count is missing or is no number.
    """
    try:
        dropped = {str(reason): int(count) for reason, count in counts.get("dropped", {}).items()}
        quarantined = counts.get("quarantined_by_reason") or {"": counts.get("quarantined", 0)}
        aside = {f"quarantined: {reason}".rstrip(": "): int(count) for reason, count in quarantined.items()}
        came_in, kept = int(counts["came_in"]), int(counts["kept"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"the funnel of {unit} is not readable: {error!r}") from error
    yield Step(unit, came_in, "total")
    yield from _drops(aside, ())
    yield from _drops(dropped, counts.get("order", ()))
    # Lines that are all usable still become comments, so that step is always there.
    if kept != came_in or unit == "lines":
        yield Step(KEPT.get(unit, f"{unit} kept"), kept, "kept")


def _drops(counts: Mapping[str, int], order: Sequence[str]) -> Iterator[Step]:
    place = {reason: index for index, reason in enumerate(order)}
    for reason in sorted(counts, key=lambda reason: (place.get(reason, len(place)), -counts[reason], reason)):
        if counts[reason]:
            yield Step(reason.replace("_", " "), counts[reason], "drop")


def joined(funnels: Sequence[Sequence[Step]]) -> list[Step]:
    """One funnel across stages: what one stage kept and the next took in is one bar."""
    steps: list[Step] = []
    for more in funnels:
        first, last = (more[0] if more else None), (steps[-1] if steps else None)
        same = first and last and first.count == last.count and last.label in (first.label, f"{first.label} kept")
        steps += more[1:] if same else more
    return steps


def chain_steps(stages: Sequence[Ancestor]) -> list[Step]:
    """One funnel over finished stages, earliest first: a section for each thing that is counted.

    A stage goes on in the section of its unit when it took in what was left there; otherwise, as where branches meet,
    it opens one of its own. What is kept is named after the stage that kept it.
    """
    sections: list[_Section] = []
    opened: set[str] = set()
    for stage in stages:
        for counts in sorted(stage.counts, key=lambda one: unit_order(one.unit)):
            before = [one for one in sections if one.leads_to(counts)]
            if before:
                before[-1].go_on(counts, stage.stage)
            else:
                steps = _opened(counts, stage.stage, again=counts.unit in opened)
                sections.append(_Section(counts.unit, counts.kept, steps))
                opened.add(counts.unit)
    return [step for section in sections for step in section.steps]


def _opened(counts: Counts, stage: str, *, again: bool) -> list[Step]:
    """The steps of a section that begins with this stage; `again` when one has begun with its unit before."""
    steps = list(_section(counts.unit, counts.model_dump(mode="json")))
    if again:
        steps[0] = Step(f"{counts.unit} into stage {stage}", counts.came_in, "total")
    if steps[-1].label == f"{counts.unit} kept":
        steps[-1] = Step(f"{counts.unit} in {stage}", counts.kept, "kept")
    return steps


@dataclass
class _Section:
    """Steps of one unit over several stages, with what is left at their end."""

    unit: str
    left: int
    steps: list[Step]

    def leads_to(self, counts: Counts) -> bool:
        """True when a stage took in what is left here."""
        return self.left == counts.came_in and self.unit in (counts.unit, GROWS_FROM.get(counts.unit))

    def go_on(self, counts: Counts, stage: str) -> None:
        """Add what a later stage dropped and kept."""
        if self.unit != counts.unit:
            self.steps[-1] = Step(counts.unit, counts.came_in, "kept")
        more = list(_section(counts.unit, counts.model_dump(mode="json")))[1:]
        if more and self.unit == counts.unit:
            more[-1] = Step(f"{counts.unit} in {stage}", counts.kept, "kept")
        self.steps += more
        self.unit, self.left = counts.unit, counts.kept


def unit_order(unit: str) -> int:
    """Sorts units in the order of the pipeline; those that are not in `ORDER` come last."""
    return ORDER.index(unit) if unit in ORDER else len(ORDER)


def svg(steps: Sequence[Step], title: str) -> str:
    """The funnel as an SVG document, `WIDTH` wide, that follows the reader's light or dark setting."""
    picture = layout(steps, title)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{picture.height}" '
        f'viewBox="0 0 {WIDTH} {picture.height}" role="img" aria-label={quoteattr(_clean(title))}>',
        "<style>",
        'text { font-family: system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; white-space: pre }',
        *_colours(LIGHT),
        "@media (prefers-color-scheme: dark) {",
        *_colours(DARK),
        "}",
        "</style>",
        f'<rect class="back" width="{WIDTH}" height="{picture.height}"/>',
    ]
    for block in picture.blocks:
        box = f'x="{block.x:g}" y="{block.y:g}" width="{block.width:g}" height="{block.height:g}"'
        lines.append(f'<rect class="{block.tone}" {box} rx="2"/>')
    for words in picture.words:
        end = ' text-anchor="end"' if words.right else ""
        place = f'x="{words.x:g}" y="{words.y:g}" font-size="{words.size}"{end}'
        lines.append(f'<text class="{words.tone}" {place}>{escape(words.text)}</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _colours(tones: Mapping[str, str]) -> list[str]:
    return [f".{name} {{ fill: {colour} }}" for name, colour in tones.items()]


def png(steps: Sequence[Step], title: str) -> bytes:
    """The same picture as a PNG in light colours, `PNG_SCALE` pixels to a unit.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise MissingDependencyError(
            "drawing a PNG needs the package 'pillow'", next_step="pip install 'sage-dialogue[plots]', or write an .svg"
        ) from error
    picture = layout(steps, title)
    image = Image.new("RGB", (WIDTH * PNG_SCALE, picture.height * PNG_SCALE), LIGHT["back"])
    draw = ImageDraw.Draw(image)
    for block in picture.blocks:
        corners = (block.x, block.y, block.x + block.width, block.y + block.height)
        draw.rounded_rectangle([round(one * PNG_SCALE) for one in corners], radius=3, fill=LIGHT[block.tone])
    for words in picture.words:
        font = ImageFont.load_default(words.size * PNG_SCALE)
        where = (words.x * PNG_SCALE, words.y * PNG_SCALE)
        draw.text(where, words.text, font=font, fill=LIGHT[words.tone], anchor="rs" if words.right else "ls")
    held = io.BytesIO()
    image.quantize(64).save(held, "PNG", optimize=True)
    return held.getvalue()


def layout(steps: Sequence[Step], title: str) -> Picture:
    """Where every bar and every word of the funnel stands."""
    words, blocks = [], []
    y = float(MARGIN)
    for line in wrapped(title, WIDTH - 2 * MARGIN, TITLE_SIZE):
        words.append(Words(MARGIN, y + TITLE_SIZE - 4, line, "text", TITLE_SIZE))
        y += TITLE_SIZE + 5
    y += 8
    shares = WIDTH - MARGIN
    counts = shares - SHARES
    most = max((_width(f"{step.count:,}", SIZE) for step in steps), default=0.0)
    left = MARGIN + LABELS + GAP
    for step, start, whole, opens in _places(steps):
        y += SECTION if opens else 0
        drop = step.kind == "drop"
        indent = 14 if drop else 0
        lines = wrapped(step.label, LABELS - indent, SIZE)
        middle = y + (len(lines) * LINE + PADDING) / 2
        tone = "quiet" if drop else "text"
        top = middle - len(lines) * LINE / 2
        words += [Words(MARGIN + indent, top + (n + 1) * LINE - 4, one, tone) for n, one in enumerate(lines)]
        words.append(Words(counts, middle + 5, f"{step.count:,}", tone, right=True))
        words.append(Words(shares, middle + 5, _share(step.count, whole), "quiet", right=True))
        blocks += _bar(step, start, whole, (left, counts - most - GAP), middle)
        y += len(lines) * LINE + PADDING
    return Picture(round(y) + MARGIN - 6, tuple(blocks), tuple(words))


def _places(steps: Sequence[Step]) -> Iterator[tuple[Step, int, int, bool]]:
    """Each step with the count its bar starts at, the first count of its section, and whether it opens a later one."""
    whole = left = 0
    for index, step in enumerate(steps):
        opens = index == 0 or step.kind == "total"
        if opens:
            whole = step.count
        left = max(left - step.count, 0) if step.kind == "drop" else step.count
        yield step, left if step.kind == "drop" else 0, whole, opens and index > 0


def _bar(step: Step, start: int, whole: int, ends: tuple[float, float], middle: float) -> list[Block]:
    """The bar of a step, two units wide at least so that nothing counted is invisible; none for a count of zero."""
    if not step.count or not whole:
        return []
    left, right = ends
    unit = (right - left) / whole
    width = min(max(step.count * unit, 2.0), right - left)
    x = min(left + start * unit, right - width)
    height = 12 if step.kind == "drop" else 18
    return [Block(round(x, 2), middle - height / 2, round(width, 2), height, "cut" if step.kind == "drop" else "full")]


def _share(count: int, whole: int) -> str:
    """Share of the section's first count; never rounded to none or to all when it is neither."""
    if not whole:
        return ""
    if count == whole:
        return "100%"
    if 0 < count / whole < 0.0005:
        return "<0.1%"
    if 0.9995 <= count / whole < 1:
        return ">99.9%"
    return f"{count / whole:.1%}"


def wrapped(text: str, width: float, size: int) -> list[str]:
    """Cut a text into lines that are at most `width` units wide, between words where that is possible."""
    lines = [""]
    for word in _clean(text).split():
        if lines[-1] and _width(f"{lines[-1]} {word}", size) <= width:
            lines[-1] += f" {word}"
            continue
        pieces = _pieces(word, width, size)
        lines[-1:] = [*([lines[-1]] if lines[-1] else []), *pieces]
    return lines


def _pieces(word: str, width: float, size: int) -> list[str]:
    """A word, cut where it would be wider than `width`."""
    pieces = [""]
    for sign in word:
        if pieces[-1] and _width(pieces[-1] + sign, size) > width:
            pieces.append("")
        pieces[-1] += sign
    return pieces


def _clean(text: str) -> str:
    """A text on one line, without the characters that XML or UTF-8 cannot hold."""
    return "".join("\ufffd" if _unfit(sign) else sign for sign in " ".join(text.split()))


def _unfit(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cs") or sign in "\ufffe\uffff"


def _width(text: str, size: int) -> float:
    """Width of a text at a font size, in units: never less than in DejaVu Sans, which is wider than most fonts."""
    return size * sum(_em(sign) for sign in text)


def _em(sign: str) -> float:
    """Width of one character in ems, rounded up."""
    if unicodedata.east_asian_width(sign) in "WF" or not sign.isascii():
        return 1.3 if unicodedata.category(sign) == "So" else 1.0
    if sign in "mwMW@%":
        return 1.0
    if sign in " .,:;'|!iljI()[]/ft":
        return 0.41
    return 0.79 if sign.isupper() else 0.65
