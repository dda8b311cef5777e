"""A scale of a figure: values to pixels, with ticks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """Maps ``low … high`` to the pixels ``start … end``, linearly or by logarithm (then ``low`` > 0)."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The pixel of ``value``, which is clamped to the axis."""
        held = min(max(value, self.low), self.high)
        if self.log:
            share = math.log(held / self.low) / math.log(self.high / self.low)
        else:
            share = (held - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, wanted: int = 4) -> list[float]:
        """Round values on the axis, about ``wanted`` of them: decades and their multiples on a logarithmic one."""
        if not self.log:
            return _linear(self.low, self.high, wanted)
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 6)):
            found = [step * 10.0**power for power in decades for step in steps]
            inside = [value for value in found if self.low <= value <= self.high]
            if len(inside) >= wanted - 1:
                return inside[:: math.ceil(len(inside) / (wanted + 2))]
        return inside if len(inside) > 1 else _linear(self.low, self.high, wanted)


def spanning(low: float, high: float, start: float, end: float) -> Axis:
    """An axis for ``low … high`` that turns logarithmic where the values span more than a factor of four, and that
    is widened by a hundredth where they are all the same."""
    if low > 0 and high / low > 4:
        return Axis(low, high, start, end, log=True)
    if low == high:
        margin = abs(low) / 100 or 1.0
        return Axis(low - margin, high + margin, start, end)
    return Axis(low, high, start, end)


def _linear(low: float, high: float, wanted: int) -> list[float]:
    raw = (high - low) / max(1, wanted)
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / raw)))
    first = math.ceil(low / step)
    return [index * step for index in range(first, math.floor(high / step) + 1)]
