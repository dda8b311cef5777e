"""Numbers as people read them: three significant digits with a unit. What is absent is an en dash, never zero."""

from __future__ import annotations

import math

ABSENT = "–"
SPACE = "\u00a0"
"""Number and unit stay on one line."""

_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_SIZES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float | None, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits and thousands separators; NaN and infinity keep their names."""
    if value is None:
        return ABSENT
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    places = digits - 1 - int(f"{value:.{digits - 1}e}".split("e")[1])
    return f"{value:,.{max(0, places)}f}".replace("-", "−")


def seconds(value: float | None) -> str:
    """A duration in seconds as s, ms, µs or ns."""
    if value is None or not math.isfinite(value) or value == 0:
        return number(value) if value is None or not math.isfinite(value) else f"0{SPACE}s"
    factor, unit = next((pair for pair in _TIMES if abs(value) >= pair[0] * 0.9995), _TIMES[-1])
    return f"{number(value / factor)}{SPACE}{unit}"


def small(value: float | None) -> str:
    """A ratio that may be tiny, two significant digits: ``3.1e-3``; from 0.01 on as a plain number."""
    if value is None or not math.isfinite(value) or value == 0 or abs(value) >= 0.01:
        return number(value)
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e−{-int(exponent)}"


def decibels(value: float | None) -> str:
    """A ratio in dB, one decimal."""
    if value is None or not math.isfinite(value):
        return number(value)
    return f"{value:.1f}".replace("-", "−")


def fraction(value: float | None) -> str:
    """A score, four decimals, as the fields of machine learning print it."""
    return ABSENT if value is None else f"{value:.4f}"


def error(value: float | None) -> str:
    """A score's standard error, two significant digits, to stand behind it; nothing where it is absent."""
    return "" if value is None else f"±{number(value, 2)}"


def percent(value: float | None) -> str:
    """A share of one as a percentage."""
    return ABSENT if value is None else f"{number(value * 100)}{SPACE}%"


def rate(value: float | None) -> str:
    """Samples per second."""
    return ABSENT if value is None else f"{number(value, 4)}/s"


def half_width(value: float | None, interval: tuple[float, float] | None) -> str:
    """Half the width of an interval around ``value`` as a percentage of it, or nothing where either is absent."""
    if not value or interval is None:
        return ""
    return f"±{SPACE}{number((interval[1] - interval[0]) / 2 / value * 100, 2)}{SPACE}%"


def joules(value: float) -> str:
    """An energy as J, mJ, µJ or nJ."""
    return seconds(value).removesuffix("s") + "J"


def count(value: float | None, unit: str = "") -> str:
    """A large count with a decimal prefix: 25.6 M; exact below one thousand."""
    if value is None:
        return ABSENT
    for factor, prefix in _SIZES:
        if abs(value) >= factor:
            return f"{number(value / factor)}{SPACE}{prefix}{unit}"
    return f"{value:,.0f}{SPACE}{unit}".rstrip()


def tick_seconds(value: float) -> str:
    """A round duration on an axis."""
    if value == 0:
        return "0"
    factor, unit = next((pair for pair in _TIMES if abs(value) >= pair[0] * 0.9995), _TIMES[-1])
    return f"{tick(value / factor)}{SPACE}{unit}"


def tick(value: float) -> str:
    """A round number on an axis, as short as it can be."""
    if value and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}".replace("-", "−")
    return f"{value:g}".replace("-", "−")


def sqnr(value: float | None, relative_l2: float | None) -> str:
    """SQNR in dB; infinite, and so not stored, where there is no error at all."""
    return "∞" if value is None and relative_l2 == 0 else decibels(value)
