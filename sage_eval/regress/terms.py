"""Were both models asked the same, in the same way? Refuses what makes scores incomparable, names what may.

warnings = check_terms(base, new)
"""

from __future__ import annotations

from collections.abc import Mapping

from sage_data.errors import InputError
from sage_eval.regress.sides import Side, Terms

REFUSED = ("limit",)
"""Settings that must agree."""
MOST = 5


def check_terms(base: Side, new: Side) -> list[str]:
    """Compare versions of tasks, numbers of examples and settings of the two runs.

    Returns:
        What differs and may matter, in words; nothing where a side does not say.

    Raises:
        InputError: a task's version or number of examples differs, or the limit on documents.
    """
    _refuse("version", {task: (one.version, new.terms[task].version) for task, one in _common(base, new)}, base, new)
    shots = {task: (one.num_fewshot, new.terms[task].num_fewshot) for task, one in _common(base, new)}
    _refuse("number of examples in the prompt", shots, base, new)
    if not base.settings or not new.settings:
        return []
    keys = sorted(base.settings.keys() | new.settings.keys())
    pairs = {key: (base.settings.get(key, "unset"), new.settings.get(key, "unset")) for key in keys}
    _refuse("setting", {key: pairs[key] for key in REFUSED if key in pairs}, base, new)
    differing = [f"{key} ({one} / {other})" for key, (one, other) in pairs.items() if one != other]
    return (
        [f"the two runs differ in {', '.join(differing)}: part of a difference may be due to that"] if differing else []
    )


def _common(base: Side, new: Side) -> list[tuple[str, Terms]]:
    return [(task, one) for task, one in sorted(base.terms.items()) if task in base.tasks and task in new.terms]


def _refuse(what: str, pairs: Mapping[str, tuple[object, object]], base: Side, new: Side) -> None:
    differing = [
        f"{name} ({one} / {other})" for name, (one, other) in pairs.items() if None not in (one, other) and one != other
    ]
    if differing:
        more = f" and {len(differing) - MOST} more" if len(differing) > MOST else ""
        raise InputError(
            f"{base.label} and {new.label} differ in the {what}: {', '.join(differing[:MOST])}{more}",
            next_step="run both models under the same terms",
        )
