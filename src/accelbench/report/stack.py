"""Which version of a vendor's stack a report is of."""

from __future__ import annotations

from accelbench.model import Report


def stack_version(report: Report) -> str | None:
    """The version of the package that is called as the backend, else of the one with the shortest name that has it in
    it; None where no package does."""
    if report.environment is None:
        return None
    wanted = _bare(report.target.backend)
    packages = {_bare(name): version for name, version in sorted(report.environment.packages.items())}
    named = sorted((name for name in packages if wanted in name), key=lambda name: (len(name), name))
    return packages[named[0]] if named else None


def _bare(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")
