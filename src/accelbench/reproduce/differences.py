"""What differs between the machine and software of a report and those of the runs again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from accelbench.model import Host, Report

ELSEWHERE = frozenset({"machine", "cpu", "cpu_flags", "logical_cpus", "cpu_limit"})
"""The facts of a host that decide on its speed: where one differs, times are those of another machine."""


def elsewhere(first: Report, again: Report) -> tuple[str, ...]:
    """The differences that make times not comparable: processor, how much of it may be used, device, and the precision
    that was executed."""
    found = [line for name, line in _host(first.host, again.host) if name in ELSEWHERE]
    for what, one, other in (
        ("device", first.device and first.device.name, again.device and again.device.name),
        ("executed precision", _executed(first), _executed(again)),
    ):
        if one != other:
            found.append(_line(what, one, other))
    return tuple(found)


def differences(first: Report, again: Report) -> tuple[str, ...]:
    """All other differences that a reader may want to know: system, versions, packages, probes, the harness."""
    found = [line for name, line in _host(first.host, again.host) if name not in ELSEWHERE]
    if first.accelbench != again.accelbench:
        found.append(_line("accelbench", first.accelbench, again.accelbench))
    one, other = first.environment, again.environment
    if one is not None and other is not None:
        found += [
            _line(what, before, now)
            for what, before, now in (
                ("environment's Python", one.python, other.python),
                ("lock", one.lock_sha256, other.lock_sha256),
                ("adapter", one.adapter_sha256, other.adapter_sha256),
            )
            if before != now
        ]
        for what, before, now in (("package", one.packages, other.packages), ("probe", one.probes, other.probes)):
            for name in sorted({*before, *now}):
                if before.get(name) != now.get(name):
                    found.append(_line(f"{what} {name}", before.get(name), now.get(name)))
    return tuple(found)


def _host(first: Host, again: Host) -> Iterator[tuple[str, str]]:
    for each in fields(Host):
        one, other = getattr(first, each.name), getattr(again, each.name)
        if each.name == "cpu_flags":
            one, other = " ".join(sorted(set(one) - set(other))), " ".join(sorted(set(other) - set(one)))
        if one != other:
            yield each.name, _line(each.name.replace("_", " "), one, other)


def _executed(report: Report) -> str | None:
    return report.builds[0].compiled.executed_precision if report.builds else None


def _line(what: str, first: object, again: object) -> str:
    return f"{what}: {_told(first)}, here {_told(again)}"


def _told(value: object) -> str:
    return "none" if value in (None, "") else str(value)
