"""The charts of the stage: bars of states (the paper's Figure 3), heat maps of what follows what, dose-response curves.

state_bars(rows, "action", "What the assistant does and feels", top=10)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sage_eval.states.drawing import (
    COLOURS,
    bar,
    cell,
    legend,
    legend_height,
    line,
    shortened,
    svg,
    text,
    whisker,
)

Row = Mapping[str, Any]
NONE = "(none)"
LEFT, RIGHT = 176, 800
"""Where bars begin and where the longest may end."""
THICK, GAP = 13, 9
CELL, SIDE = 40, 128
"""Side of a heat map's cell, and room for the names left of it."""
COLUMN, HEADING = 440, 96
"""Distance of two maps side by side, and height of a map's column names."""
MOST_CELLS = 6
SLANT = -40
CURVE = (70.0, 800.0, 280.0)
"""Left and right end of a curve's plot, and its height."""
LEAST_FOR_LIFT = 5
"""Cases below which a lift is chance and is not shown."""
DODGE = 6.0
"""Distance between the points of two curves at one amount."""


def left_out(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """Models of which no row is there, as none of their replies has such a state."""
    there = {row["model"] for row in rows}
    return [name for name in names if name not in there]


def state_bars(rows: Sequence[Row], kind: str, title: str, top: int, names: Sequence[str] = ()) -> str | None:
    """The most frequent motivations and emotions, a bar for each model; None when nothing is stated.

    Models among `names` without any are named below the title.
    """
    shown = [row for row in rows if row["kind"] == kind]
    models = list(dict.fromkeys(row["model"] for row in shown))
    if not shown:
        return None
    parts, first = [text(20, 30, title, "title")], 56
    if without := left_out(shown, names):
        parts.append(text(20, 50, shortened(f"Without tags, so not shown: {', '.join(without)}", 110), "quiet"))
        first += 20
    parts += legend(models, 20, first)
    y = first + legend_height(models, 20)
    for slot in dict.fromkeys(row["slot"] for row in shown):
        drawn, height = _bars([row for row in shown if row["slot"] == slot], models, slot, y, top)
        parts += drawn
        y += height
    level = shown[0]["level"]
    parts.append(text(20, y + 6, f"Share of utterances with a state; {level:.0%} intervals over scenarios.", "quiet"))
    return svg(y + 22, parts, title)


def _bars(rows: Sequence[Row], models: Sequence[str], slot: str, y: float, top: int) -> tuple[list[str], float]:
    found = {(row["model"], row["value"]): row for row in rows}
    means: Counter[str | None] = Counter()
    for row in rows:
        means[row["value"]] += row["share"] / len(models)
    values = sorted(means, key=lambda value: (-means[value], value is None, str(value)))[:top]
    listed = [row for row in rows if row["value"] in values]
    most = max(row["high"] if row["high"] is not None else row["share"] for row in listed)
    scale = (RIGHT - LEFT) / most
    parts = [text(20, y + 16, slot.capitalize(), "head")]
    first = y + 30
    step = THICK * len(models) + GAP
    bottom = first + step * len(values)
    parts += _share_axis(most, scale, first - 4, bottom)
    for number, value in enumerate(values):
        at = first + step * number
        middle = at + THICK * len(models) / 2 + 4
        parts.append(text(LEFT - 8, middle, shortened(NONE if value is None else value, 24), "small end"))
        for place, model in enumerate(models):
            parts += _bar(found.get((model, value)), at + THICK * place, place, scale)
    return parts, bottom - y + 34


def _share_axis(most: float, scale: float, top: float, bottom: float) -> list[str]:
    step = next((one for one in (0.01, 0.02, 0.05, 0.1, 0.2) if most / one <= 6), 0.25)
    ticks = [step * number for number in range(int(most / step + 1e-9) + 1)]
    parts = []
    for tick in ticks:
        x = LEFT + tick * scale
        parts += [line(x, top, x, bottom, "grid"), text(x, bottom + 14, f"{tick:.0%}", "quiet middle")]
    return parts


def _bar(row: Row | None, y: float, colour: int, scale: float) -> list[str]:
    if row is None:
        return [text(LEFT + 4, y + THICK - 2.5, "0", "quiet")]
    parts = [bar(LEFT, y, row["share"] * scale, THICK - 2, colour)]
    end = LEFT + row["share"] * scale
    if row["low"] is not None:
        parts += whisker(LEFT + row["low"] * scale, LEFT + row["high"] * scale, y + THICK / 2 - 1)
        end = LEFT + row["high"] * scale
    return [*parts, text(end + 6, y + THICK - 2.5, f"{row['share']:.1%} ({row['count']})", "quiet")]


MAPS = (
    ("perceived > action", "emotion", "motivation", "The user's emotion, as read, and what the assistant then does"),
    ("user > action", "emotion", "motivation", "The user's own emotion, and what the assistant then does"),
    ("action > action", "motivation", "motivation", "What the assistant does, and what it does in its next reply"),
)


def transition_maps(rows: Sequence[Row], top: int) -> str | None:
    """Heat maps of shares, models side by side with the same values in the same order; None when there are none."""
    parts: list[str] = []
    y = 10.0
    for step, first, second, title in MAPS:
        chosen = [row for row in rows if (row["step"], row["from_slot"], row["to_slot"]) == (step, first, second)]
        if chosen:
            drawn, height = _maps(chosen, title, y, min(top, MOST_CELLS))
            parts += drawn
            y += height
    return svg(y + 10, parts, "What follows what") if parts else None


def _maps(rows: Sequence[Row], title: str, y: float, most: int) -> tuple[list[str], float]:
    """One kind of step: its title and a map for each model, two to a row."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    firsts, seconds = _most(rows, "from", most), _most(rows, "to", most)
    note = "Share of the row, and below it the lift: how much more often than after anything "
    note += f"(from {LEAST_FOR_LIFT} cases). Blank: never."
    parts = [text(20, y + 24, title, "title"), text(20, y + 44, note, "quiet")]
    height = HEADING + CELL * len(firsts) + 20
    for number, model in enumerate(models):
        own = [row for row in rows if row["model"] == model]
        parts += _map(own, model, firsts, seconds, (20 + COLUMN * (number % 2), y + 54 + height * (number // 2)))
    return parts, 64 + height * ((len(models) + 1) // 2)


def _map(
    rows: Sequence[Row],
    model: str,
    firsts: Sequence[str | None],
    seconds: Sequence[str | None],
    corner: tuple[float, float],
) -> list[str]:
    found = {(row["from_value"], row["to_value"]): row for row in rows}
    totals = {row["from_value"]: row["from_count"] for row in rows}
    left, top = corner[0] + SIDE, corner[1] + HEADING
    parts = [text(corner[0], corner[1] + 16, shortened(model, 40), "head")]
    for column, value in enumerate(seconds):
        name = text(0, 0, shortened(_name(value), 15), "small")
        x = left + CELL * column + CELL / 2
        parts.append(f'<g transform="translate({x:g} {top - 6:g}) rotate({SLANT})">{name}</g>')
    for number, first in enumerate(firsts):
        y = top + CELL * number
        label = f"{shortened(_name(first), 15)} ({totals.get(first, 0)})"
        parts.append(text(left - 6, y + CELL / 2 + 4, label, "quiet end"))
        for column, second in enumerate(seconds):
            parts += _cell(found.get((first, second)), left + CELL * column, y)
    return parts


def _cell(row: Row | None, x: float, y: float) -> list[str]:
    if row is None:
        return [cell(x, y, CELL, CELL, 0.03)]
    # Strong cells stay light enough for their numbers to be read in either scheme.
    parts = [cell(x, y, CELL, CELL, 0.05 + 0.55 * row["share"])]
    parts.append(text(x + CELL / 2, y + 17, f"{row['share']:.0%}", "small middle"))
    if row["count"] >= LEAST_FOR_LIFT:
        parts.append(text(x + CELL / 2, y + 32, f"\u00d7{row['lift']:.1f}", "quiet middle"))
    return parts


def _most(rows: Sequence[Row], end: str, most: int) -> list[str | None]:
    """The values that stand most often at one end of a step, over all models."""
    counts: Counter[str | None] = Counter()
    for row in rows:
        counts[row[f"{end}_value"]] += row["count"]
    return sorted(counts, key=lambda one: (-counts[one], one is None, str(one)))[:most]


def _name(value: str | None) -> str:
    return NONE if value is None else value


def dose_curves(rows: Sequence[Row]) -> str | None:
    """Share of replies that show a boosted word, against the amount; None without steered replies."""
    shown = [row for row in rows if row["share"] is not None]
    names = list(dict.fromkeys(row["steered"] for row in shown))
    if not shown:
        return None
    amounts = sorted({float(row["boost"]) for row in shown})
    first, last = amounts[0], amounts[-1]
    top = 60 + legend_height(names, 20)
    bottom = top + CURVE[2]
    span = (last - first) or 1.0

    def x(amount: float) -> float:
        return CURVE[0] + (amount - first) / span * (CURVE[1] - CURVE[0])

    def y(share: float) -> float:
        return bottom - share * CURVE[2]

    parts = [text(20, 30, "Steering success: replies that show a boosted word", "title"), *legend(names, 20, 56)]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [line(CURVE[0], y(share), CURVE[1], y(share), "grid")]
        parts.append(text(CURVE[0] - 8, y(share) + 4, f"{share:.0%}", "quiet end"))
    for amount in amounts:
        parts.append(text(x(amount), bottom + 18, f"{amount:g}", "quiet middle"))
    parts.append(text((CURVE[0] + CURVE[1]) / 2, bottom + 38, "amount of boost", "quiet middle"))
    for number, name in enumerate(names):
        own = [row for row in shown if row["steered"] == name]
        # Side by side, so that the intervals of several curves stay apart.
        aside = DODGE * (number - (len(names) - 1) / 2)
        parts += _curve([(x(row["boost"]) + aside, y(row["share"]), row) for row in own], number, y)
    note = f"Vertical lines: {shown[0]['level']:.0%} intervals over scenarios."
    parts.append(text(20, bottom + 62, note, "quiet"))
    return svg(bottom + 78, parts, "Steering success against the amount of boost")


def _curve(points: Sequence[tuple[float, float, Row]], number: int, y: Any) -> list[str]:
    colour = number % len(COLOURS)
    path = "L".join(f"{at:g} {up:g}" for at, up, _ in ((round(a, 2), round(b, 2), c) for a, b, c in points))
    parts = [f'<path class="curve s{colour}" d="M{path}"/>'] if len(points) > 1 else []
    for at, up, row in points:
        if row["low"] is not None:
            parts.append(line(at, y(row["low"]), at, y(row["high"]), f"curve s{colour}"))
        parts.append(f'<circle class="c{colour}" cx="{round(at, 2):g}" cy="{round(up, 2):g}" r="5"/>')
    last = points[-1]
    return [*parts, text(last[0] + 12, last[1] + 4, f"{last[2]['share']:.0%}", "small")]
