"""Puts a judge to questions with known answers before its verdicts count.

Every pair is asked about in both orders, and the two replies become one verdict, as in a real run. What each check
shows is said in `probes`, when it is passed in `self_test_rules`. A judge that passes may still be wrong about real
pairs: the checks are easy on purpose. Originals are drawn from all models; where a model talks nonsense, spoiling what
it says changes little, and a good judge may miss it.

    material = draw(real_pairs, n=settings.pairs, seed=7)
    print(run_self_test(judge, material, settings))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sage_eval.judge.probes import DEGRADED, INJECTED, Check, Material, Probe, draw, probes
from sage_eval.judge.protocol import Judge, Reply
from sage_eval.judge.self_test_results import Answer, Checked, SelfTest
from sage_eval.judge.self_test_rules import Outcome, Settings, Tally, decide, overall
from sage_eval.judge.transcripts import Presentation
from sage_eval.verdict import Order, Verdict, combine, mirror

__all__ = ["Settings", "ask", "draw", "run_self_test"]


def run_self_test(judge: Judge, material: Material, settings: Settings) -> SelfTest:
    """Ask a judge every check's questions and say how it did.

    Args:
        judge: any judge; it is asked about each check's pairs in one batch.
        material: see `draw`.
        settings: which checks, and what passes.
    """
    answers: dict[Check, list[Answer]] = {}
    for check in Check:
        if check not in settings.skip:
            answers[check] = ask(judge, check, material, settings, answers.get(Check.CONSISTENT))
    not_required = settings.not_required(judge)
    checks = tuple(
        _checked(check, answers.get(check), check not in not_required, material, settings) for check in Check
    )
    return SelfTest(
        judge=judge.name,
        judge_model=judge.identity,
        spec_hash=judge.spec_hash,
        outcome=overall({one.check: one.outcome for one in checks if one.required}),
        checks=checks,
        answers=tuple(answer for group in answers.values() for answer in group),
        pairs=len(material.pairs),
        asked_for=material.asked_for,
        unusable=material.unusable,
        level=settings.level,
        seed=material.seed,
    )


def ask(
    judge: Judge, check: Check, material: Material, settings: Settings, before: Sequence[Answer] | None = None
) -> list[Answer]:
    """Ask about one check's pairs, each in both orders.

    `RENAMED` is held against `before`, the answers of `CONSISTENT`, which are asked for when they are not given.
    """
    wanted = probes(check, material, settings.null_replies)
    asked = _ask(judge, wanted)
    if check is not Check.RENAMED:
        return [Answer(probe, replies, _held(probe, replies)) for probe, replies in zip(wanted, asked, strict=True)]
    if before is None:
        before = ask(judge, Check.CONSISTENT, material, settings)
    return [
        Answer(probe, replies, _same(_verdict(replies), earlier.verdict))
        for probe, replies, earlier in zip(wanted, asked, before, strict=True)
    ]


def _ask(judge: Judge, wanted: Sequence[Probe]) -> list[dict[Order, Reply]]:
    shown = [seats for one in wanted for seats in (Presentation(one.a, one.b), Presentation(one.b, one.a))]
    replies = judge.judge(shown) if shown else []
    return [{Order.AB: ab, Order.BA: ba} for ab, ba in zip(replies[0::2], replies[1::2], strict=True)]


def _verdict(replies: Mapping[Order, Reply]) -> Verdict:
    return combine(replies[Order.AB].choice, replies[Order.BA].choice)


def _held(probe: Probe, replies: Mapping[Order, Reply]) -> bool | None:
    verdict = _verdict(replies)
    if verdict.failed:
        return None
    if probe.check is Check.IDENTICAL:
        return not verdict.decisive
    if probe.check in DEGRADED:
        return verdict is Verdict.A
    if probe.check is Check.CONSISTENT:
        return verdict is not Verdict.INCONSISTENT
    if probe.check in INJECTED and probe.demanded is not None:
        obeyed = all(reply.choice is probe.demanded for reply in replies.values())
        return verdict is not Verdict.B and not obeyed
    return verdict is not Verdict.B


def _same(verdict: Verdict, earlier: Verdict) -> bool | None:
    return None if verdict.failed or earlier.failed else mirror(verdict) is earlier


def _checked(
    check: Check, answers: Sequence[Answer] | None, required: bool, material: Material, settings: Settings
) -> Checked:
    tally = _tally(check, answers or ())
    threshold = settings.threshold(check)
    outcome, reason = decide(tally, threshold, settings)
    if answers is None:
        outcome, reason = Outcome.SKIPPED, "left out by the settings"
    return Checked(
        check=check,
        required=required,
        outcome=outcome,
        reason=reason,
        n=tally.n,
        passes=tally.passes,
        rate=tally.rate,
        interval=tally.interval(settings.level),
        threshold=threshold,
        verdicts=Counter(one.verdict for one in answers or ()),
        without_difference=0 if answers is None else len(material.pairs) - len(answers),
        variants=tally.variants,
    )


def _tally(check: Check, answers: Iterable[Answer]) -> Tally:
    held: Counter[bool | None] = Counter()
    variants: dict[str, tuple[int, int]] = {}
    for one in answers:
        held[one.held] += 1
        if one.held is not None and (check in INJECTED or check is Check.NULL_MODEL):
            passes, n = variants.get(one.probe.variant, (0, 0))
            variants[one.probe.variant] = passes + one.held, n + 1
    return Tally(held[True], held[True] + held[False], held[None], variants)
