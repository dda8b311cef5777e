"""Where a backend's answers differ from ONNX's and its maker says so: ``deviations.toml`` in its folder.

A table from patterns of case names to reasons, both texts:

    "test_dft*" = "values that should be 0 are up to 1.2e-4"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from accelbench.acceptance.result import CaseResult
from accelbench.errors import UsageError

FILE = "deviations.toml"


def read(folder: Path) -> Mapping[str, str]:
    """What a backend's folder declares; nothing without the file. Raises UsageError for a file of another form."""
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as TOML ({error})") from error
    for pattern, reason in told.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UsageError(f'{path}: {pattern}: it needs a reason, like "test_dft*" = "zeros are up to 1e-4"')
    return told


def declared(cases: Sequence[CaseResult], told: Mapping[str, str]) -> tuple[CaseResult, ...]:
    """The cases, with the reason that is declared for each wrong answer. Only these can be declared: no reason makes a
    crash a good answer."""

    def reason(case: CaseResult) -> str | None:
        matching = (text for pattern, text in told.items() if fnmatchcase(case.case, pattern))
        return next(matching, None) if case.outcome == "wrong" else None

    return tuple(replace(case, declared=reason(case)) for case in cases)


def stale(cases: Sequence[CaseResult], told: Mapping[str, str]) -> list[str]:
    """The patterns that name cases of which none was answered wrongly."""
    wrong = [case.case for case in cases if case.outcome == "wrong"]
    return [
        pattern
        for pattern in told
        if any(fnmatchcase(case.case, pattern) for case in cases)
        and not any(fnmatchcase(name, pattern) for name in wrong)
    ]
