"""The few functions of mathematical statistics that the standard library lacks."""

from __future__ import annotations

import math
from typing import Callable

Z95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution: both sides of a 95 % interval."""

MOST_TERMS = 100_000.0
"""Of the continued fraction."""


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    a, b = float(a), float(b)  # Python is quicker where every number is a float
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x) - math.log(a)
    )
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    both, m = a + b, 0.0
    while m < MOST_TERMS:
        m += 1.0
        even = a + 2.0 * m
        step = m * (b - m) * x / ((even - 1.0) * even)
        d = 1.0 + step * d
        d = 1.0 / (d if d > tiny or d < -tiny else tiny)
        c = 1.0 + step / c
        c = c if c > tiny or c < -tiny else tiny
        value *= c * d
        step = -(a + m) * (both + m) * x / (even * (even + 1.0))
        d = 1.0 + step * d
        d = 1.0 / (d if d > tiny or d < -tiny else tiny)
        c = 1.0 + step / c
        c = c if c > tiny or c < -tiny else tiny
        ratio = c * d
        value *= ratio
        if -1e-12 < ratio - 1.0 < 1e-12:
            break
    return front * value


def student_t(freedom: float, level: float) -> float:
    """The quantile of Student's t at a ``level`` above one half, by bisection of its distribution function, which is
    1 − I_x(ν/2, 1/2)/2 with x = ν/(ν + t²) (DLMF 8.17)."""
    low, high = 0.0, 1.0

    def above(t: float) -> float:
        return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2

    while above(high) > 1 - level:
        low, high = high, 2 * high
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) > 1 - level else (low, middle)
    return high


def student_t95(freedom: float) -> float:
    """The 97.5th percentile of Student's t, by the expansion in 1/ν (Abramowitz and Stegun 26.7.5); within 0.2 % for
    ν ≥ 3, wider than the truth never by more than 0.01 %."""
    z, v = Z95, freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def solve(function: Callable[[float], float], low: float, high: float, start: float, tolerance: float) -> float:
    """The zero of a falling ``function`` between ``low`` and ``high``: secant steps from ``start``, kept inside the
    bracket that they narrow."""
    x, step = min(max(start, low), high), max(tolerance, 0.01 * (high - low))
    y = function(x)
    previous_x, previous_y = x, y
    for _ in range(200):
        if y > 0:
            low = x
        else:
            high = x
        slope = (y - previous_y) / (x - previous_x) if x != previous_x else 0.0
        ahead = x - y / slope if slope < 0 else (x + step if y > 0 else x - step)
        if not low < ahead < high:
            ahead = 0.5 * (low + high)
        if abs(ahead - x) < tolerance or high - low < tolerance:
            return ahead
        previous_x, previous_y = x, y
        x, y = ahead, function(ahead)
    return x
