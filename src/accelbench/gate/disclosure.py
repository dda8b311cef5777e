"""What a report says of precision and sparsity, and on whose word."""

from __future__ import annotations

from accelbench.figures.figures import sparsity_of
from accelbench.gate.manifest import Disclosure
from accelbench.model import Contents, Report

FORMATS = {
    "fp32": "float",
    "fp16": "float16",
    "bf16": "bfloat16",
    "int8": "int8",
}
"""The type in which the weights of a file are stored when the arithmetic is of this format."""


def disclosed(report: Report, bundle: str) -> Disclosure:
    """The disclosure that the report's own facts support.

    Sparsity is ``counted`` where a file that the stack runs could be read; where all are opaque, the count in the last
    file before them, if any, is what is ``claimed``. Precision is ``counted`` where most of the weights that the stack
    runs are stored in its format, else ``claimed``: what a runtime computes in is its word.
    """
    precision = report.builds[0].compiled.executed_precision if report.builds else report.target.precision
    ran = _ran(report)
    return Disclosure(
        bundle=bundle,
        precision=precision,
        precision_trust="counted" if ran and _stored(ran) == FORMATS.get(precision.split("-")[0]) else "claimed",
        sparsity=sparsity_of(report),
        sparsity_trust="counted" if ran else "claimed",
    )


def _ran(report: Report) -> Contents | None:
    """What was counted in the files that the stack runs: the compiled ones, else the end of the chain."""
    made = report.builds[0].artifacts if report.builds else ()
    told = [each.contents for each in (made or report.chain[-1:]) if each.contents is not None]
    return told[-1] if told else None


def _stored(contents: Contents) -> str:
    return max(contents.values, key=lambda name: contents.values[name])
