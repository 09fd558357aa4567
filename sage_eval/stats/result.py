"""What every statistic gives back: a frozen class that carries its settings, prints as a table and as JSON.

print(sign_test(542, 1103))
sign_test(542, 1103).to_json()
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from sage_eval.tables import text_table


class Result:
    """Base of the frozen dataclasses that hold a result; public properties named in `derived` are shown as well."""

    __slots__ = ()
    derived: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Fields and derived values as plain JSON values; numbers that are not finite become None."""
        shown = {one.name: getattr(self, one.name) for one in fields(self)}  # type: ignore[arg-type]
        shown |= {name: getattr(self, name) for name in type(self).derived}
        return {name: plain(value) for name, value in shown.items()}

    def to_json(self) -> str:
        """The same as JSON text, keys in the order of the class."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2, allow_nan=False)

    def rows(self) -> list[tuple[str, str]]:
        """(name, value) as the table shows them."""
        return [(name, _cell(value)) for name, value in self.as_dict().items()]

    def __str__(self) -> str:
        return text_table((type(self).__name__, ""), self.rows())


def plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, Result):
        return value.as_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Enum):
        return value.value
    # NumPy's scalars become Python's.
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "-" if value is None else json.dumps(value) if isinstance(value, list | dict) else str(value)
