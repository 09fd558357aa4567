"""The summary: what a reader wants first, in plain text.

print(summary(models, rows, config))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

from sage_eval.states import asking, counting, differing, emotions, incarnation, steering, style, transitions
from sage_eval.states.charts import LEAST_FOR_LIFT, NONE, left_out
from sage_eval.states.claims import MEASURED
from sage_eval.states.drawing import printable, shortened
from sage_eval.states.material import Model
from sage_eval.states.settings import Config
from sage_eval.stats.signs import wilson_interval
from sage_eval.tables import show_p, text_table

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
LONGEST = 40
WIDTH = 100
STYLES = ("words", "words_median", "reply_tokens", "tokens", "ends_with_question", "has_question", "distinct_1_fixed",
          "distinct_2_fixed", "repeated_in_reply", "repeats_in_dialogue", "repeats_reply", "stock_replies")  # fmt: skip
SHARES = frozenset(STYLES[4:])
MOST_DIFFERENCES = 15
MOST_TRANSITIONS = 8


def summary(models: Sequence[Model], rows: Rows, config: Config) -> str:
    """All parts that have something to say."""
    parts = [
        _dialogues(models),
        _states(rows, config, [model.name for model in models]),
        _forms(rows),
        _transitions(rows),
        _emotions(rows),
        _style(models, rows, config.distinct_budget),
        _differences(rows),
        _steering(rows),
        _incarnation(rows),
        _judge(rows),
    ]
    notes = f"Brackets: {config.level:.0%} intervals over scenarios. Tables and charts hold the rest."
    return "\n\n".join([*(part for part in parts if part), notes]) + "\n"


def _dialogues(models: Sequence[Model]) -> str:
    lines = [
        (model.name, str(len(model.talks)), str(sum(1 for _ in model.replies)), _reasons(model)) for model in models
    ]
    return text_table(("model", "dialogues", "replies", "not measured"), lines)


def _reasons(model: Model) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(model.lost.items())) or "0"


def _states(rows: Rows, config: Config, names: Sequence[str]) -> str:
    blocks = []
    for kind, title in (("action", "Actions of the assistant"), ("perceived", "Readings of the user")):
        for slot in ("motivation", "emotion"):
            listed = [row for row in rows[counting.COUNTS] if (row["kind"], row["slot"]) == (kind, slot)]
            if listed:
                without = left_out(listed, names)
                note = f"\nwithout tags, so not shown: {', '.join(without)}" if without else ""
                blocks.append(f"{title}: {slot}\n" + _top(listed, config.top) + note)
    return "\n\n".join(blocks)


def _top(listed: Sequence[Mapping[str, Any]], top: int) -> str:
    found = {(row["model"], row["value"]): row for row in listed}
    models = list(dict.fromkeys(row["model"] for row in listed))
    means: Counter[str | None] = Counter()
    for row in listed:
        means[row["value"]] += row["share"]
    values = sorted(means, key=lambda value: (-means[value], value is None, str(value)))[:top]
    lines = [(_name(value), *(_share(found.get((model, value))) for model in models)) for value in values]
    return text_table(("", *models), lines)


def _name(value: str | None) -> str:
    return NONE if value is None else shortened(printable(value), LONGEST)


def _share(row: Mapping[str, Any] | None) -> str:
    return "0" if row is None else f"{row['count']} {_limits(row, percent=True)}"


def _limits(row: Mapping[str, Any], value: str = "share", *, percent: bool) -> str:
    form = ".1%" if percent else ".1f"
    if row[value] is None:
        return "-"
    shown = f"{row[value]:{form}}"
    return shown if row["low"] is None else f"{shown} [{row['low']:{form}}, {row['high']:{form}}]"


def _forms(rows: Rows) -> str:
    found = rows[counting.FORMS]
    if not found:
        return ""
    lines = [(row["model"], row["source"], row["form"], _share(row)) for row in found]
    note = (
        "dialogues: replies of the transcripts that were kept, whole if a state and an action could be read; outcomes: "
        "all replies as the model wrote them, failed dialogues included, by the strict grammar"
    )
    table = text_table(("model", "seen in", "form", "replies"), lines, left=3)
    both = len({row["source"] for row in found}) > 1
    return f"Tags of the replies\n{table}" + (f"\n{fill(note, WIDTH)}" if both else "")


def _transitions(rows: Rows) -> str:
    lines = []
    for row in rows[transitions.TABLE]:
        if row["from_slot"] == "emotion" and row["to_slot"] == "motivation" and row["step"] == "perceived > action":
            lines.append(row)
    lines.sort(key=lambda row: (-row["count"], row["model"], str(row["from_value"]), str(row["to_value"])))
    shown = [
        (row["model"], _name(row["from_value"]), _name(row["to_value"]), str(row["count"]),
         _limits(row, percent=True), f"{row['lift']:.2f}" if row["count"] >= LEAST_FOR_LIFT else "-")
        for row in lines[:MOST_TRANSITIONS]
    ]  # fmt: skip
    header = ("model", "user's emotion, as read", "assistant's motivation", "times", "share", "lift")
    note = f"\nlift: only from {LEAST_FOR_LIFT} cases" if any(one[-1] == "-" for one in shown) else ""
    return "What follows most often\n" + text_table(header, shown, left=3) + note if shown else ""


def _emotions(rows: Rows) -> str:
    lines = [
        (row["model"], row["kind"], row["scope"], str(row["readings"]), _percent(row["coverage"]),
         _limits(row, "accuracy", percent=True), _percent(row["strict"]), _plain(row["kappa"]))
        for row in rows[emotions.ACCURACY]
    ]  # fmt: skip
    if not lines:
        return ""
    header = ("model", "who read", "utterances", "readings", "mapped", "right, of mapped", "of all", "kappa")
    wrong = [
        row
        for row in rows[emotions.CONFUSIONS]
        if row["kind"] == "perceived" and row["mapped"] not in (None, row["label"])
    ]
    wrong.sort(key=lambda row: (-row["count"], row["model"], row["label"], row["mapped"]))
    pairs = "; ".join(f"{row['model']}: {row['label']} as {row['mapped']} {row['count']}" for row in wrong[:6])
    end = "\n" + fill(f"most often misread in the user's first utterance: {pairs}", WIDTH) if pairs else ""
    return "The user's emotion against the scenario's label\n" + text_table(header, lines, left=3) + end


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _style(models: Sequence[Model], rows: Rows, budget: int) -> str:
    found = {(row["model"], row["measure"]): row for row in rows[style.TABLE]}
    lines = []
    for measure in STYLES:
        cells = [found.get((model.name, measure)) for model in models]
        if any(cells):
            lines.append((measure, *("-" if row is None else _limits(row, "value", percent=measure in SHARES)
                                     for row in cells)))  # fmt: skip
    fixed = ("distinct_1_fixed", "distinct_2_fixed")
    short = [
        model.name
        for model in models
        if any((row := found.get((model.name, one))) and row["value"] is None for one in fixed)
    ]
    why = f"\n- for distinct_*_fixed: fewer than {budget:,} runs of words (distinct_budget): {', '.join(short)}"
    return "Style\n" + text_table(("measure", *(model.name for model in models)), lines) + (why if short else "")


def _differences(rows: Rows) -> str:
    found = [row for row in rows[differing.TABLE] if row["p_holm"] is not None and row["p_holm"] < 0.05]
    tested = sum(row["p"] is not None for row in rows[differing.TABLE])
    if not tested:
        return ""
    found.sort(key=lambda row: (row["p_holm"], -abs(row["difference"])))
    lines = [
        (row["family"], _name(row["value"]), row["model_a"], row["model_b"], f"{row['mean_a']:.3g}",
         f"{row['mean_b']:.3g}", show_p(row["p"]), show_p(row["p_holm"]))
        for row in found[:MOST_DIFFERENCES]
    ]  # fmt: skip
    title = f"Differences: {len(found)} of {tested} tested hold at .05 after Holm in their family"
    if not lines:
        return f"{title}; behaviour_differences holds them all."
    return f"{title}\n" + text_table(("family", "", "A", "B", "mean A", "mean B", "p", "Holm"), lines, left=4)


def _steering(rows: Rows) -> str:
    lines = [
        (row["steered"], f"{row['boost']:g}", str(row["replies"]), str(row["unreadable"]), _limits(row, percent=True),
         _plain(row["gain"]), show_p(row["p_holm"]), _percent(row["well_formed"]),
         "-" if row["words"] is None else f"{row['words']:.1f}")
        for row in rows[steering.TABLE]
    ]  # fmt: skip
    header = ("steered", "boost", "replies", "unread", "show the word", "gain", "Holm", "tags whole", "words")
    return "Steering\n" + text_table(header, lines) if lines else ""


def _incarnation(rows: Rows) -> str:
    found = [row for row in rows[incarnation.RATES] if row["unit"] == "replies" and row["kind"] == incarnation.ANY]
    kinds = {
        row["model"]: ", ".join(
            f"{one['kind']} {one['count']}"
            for one in rows[incarnation.RATES]
            if one["model"] == row["model"] and one["unit"] == "replies" and one["kind"] != incarnation.ANY
        )
        for row in found
    }
    lines = [(row["model"], _share(row), kinds[row["model"]]) for row in found]
    table = text_table(("model", "replies", "of them"), lines)
    return f"Replies that claim to be human, by rules\n{table}\n\n{_measured()}"


def _measured() -> str:
    """What the rules are worth."""
    lines = [(one.lines, _of(one.found, one.hits), _of(one.found, one.claims)) for one in MEASURED]
    return text_table(("the rules on lines labelled by hand", "hits that are claims", "claims found"), lines)


def _of(part: int, whole: int) -> str:
    interval = wilson_interval(part, whole)
    return f"{part} of {whole} ({part / whole:.0%} [{interval.low:.0%}, {interval.high:.0%}])"


def _judge(rows: Rows) -> str:
    found = rows[asking.TABLE]
    if not found:
        return ""
    lines = []
    for model in dict.fromkeys(row["model"] for row in found):
        own = [row for row in found if row["model"] == model]
        counts = Counter(row["answer"] for row in own)
        both = Counter((row["answer"] == "yes", row["rules"]) for row in own if row["answer"] in ("yes", "no"))
        agree = both[True, True] + both[False, False]
        shown = [str(counts[one]) for one in ("yes", "no", asking.MALFORMED, asking.ERROR)]
        lines.append((model, *shown, f"{agree} of {both.total()}"))
    header = ("model", "yes", "no", "malformed", "error", "rules say the same")
    return "Replies that claim to be human, by the judge\n" + text_table(header, lines)
