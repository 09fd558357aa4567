"""How numbers are written on a page, for readers rather than programs."""

from __future__ import annotations

from math import floor, log, log10

from sage_eval.tables import show_p

MINUS = "\N{MINUS SIGN}"
TIMES = "\N{MULTIPLICATION SIGN}"
DASH = "\N{EN DASH}"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(value: int | None) -> str:
    """Thousands apart: 12,345."""
    return DASH if value is None else f"{value:,}"


def share(value: float | None, digits: int = 0) -> str:
    """A proportion as a percentage: 31%."""
    return DASH if value is None else f"{value:.{digits}%}"


def signed(value: float | None, form: str = "+.3f") -> str:
    """A number with its sign, and a real minus: \N{MINUS SIGN}0.012."""
    if value is None:
        return DASH
    written = f"{value:{form}}"
    return written[1:] if not written.strip("+-0.%") else written.replace("-", MINUS)


def decimal(value: float | None, digits: int = 3) -> str:
    """A plain number: 0.500."""
    return DASH if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def between(low: float | None, high: float | None, form: str = ".1%") -> str:
    """An interval: 12.0 to 15.5%; the unit is said once."""
    if low is None or high is None:
        return ""
    ends = [signed(value, form) if "+" in form else f"{value:{form}}".replace("-", MINUS) for value in (low, high)]
    return f"{ends[0].removesuffix('%')} to {ends[1]}"


def usd(value: float | None) -> str:
    """US dollars, to the cent or, below a dollar, to the hundredth of a cent."""
    if value is None:
        return DASH
    return f"{value:,.2f}" if value >= 1 else f"{value:.4f}" if value else "0"


def p_value(p: float | None, log_p: float | None = None) -> str:
    """A p-value: .034, or a power of ten where it is small, even where p itself underflows to 0."""
    if p is None:
        return DASH
    if p >= 0.001:
        return show_p(p)
    exponent = log10(p) if p > 0.0 else (None if log_p is None else log_p / log(10.0))
    if exponent is None:
        return "0"
    power = floor(exponent)
    mantissa = round(10.0 ** (exponent - power), 1)
    if mantissa == 10.0:
        mantissa, power = 1.0, power + 1
    return f"{mantissa:.1f} {TIMES} 10{str(power).translate(_SUPERSCRIPT)}"
