"""Times of kernels, as a stack tells them, summed by operator and set beside the work in the source graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from accelbench.model import OpTime

TOLD = 0.99
"""The share of the graph's FLOPs whose nodes must be told: else nobody knows which kernel carries out the rest."""


@dataclass(frozen=True)
class OperatorTime:
    """Kernels of one operator, device and precision, or one kernel with its ``name``. ``calls`` and ``ns`` are of one
    run of the model; ``share`` is that of the time of all kernels, None where that is zero. ``flops`` is the work of
    the source graph's nodes that they carry out, ``flops_share`` its part of the whole graph's: None where the stack
    does not tell the nodes, or the nodes' work cannot be counted."""

    op: str
    name: str | None
    device: str
    precision: str
    kernels: int
    calls: float
    ns: float
    share: float | None
    flops: float | None
    flops_share: float | None

    @property
    def gflops(self) -> float | None:
        """10⁹ floating-point operations per second."""
        return self.flops / self.ns if self.flops is not None and self.ns else None


def operators(
    times: Sequence[OpTime], by_node: Mapping[str, int], unknown: Collection[str], batch: int, *, single: bool = False
) -> tuple[OperatorTime, ...]:
    """The ``times`` by operator, device and precision (``single``: kernel by kernel), the longest first.

    ``by_node`` holds the FLOPs of the source graph's nodes for one sample of the ``batch``, ``unknown`` the nodes whose
    work cannot be counted. The work of a node that several kernels name is that of the slowest of them.
    """
    total_ns, total_flops = sum(each.ns for each in times), sum(by_node.values()) * batch
    slowest: dict[str, int] = {}
    for place, each in enumerate(times):
        for node in each.nodes:
            if node not in slowest or each.ns > times[slowest[node]].ns:
                slowest[node] = place
    complete = sum(by_node.get(node, 0) for node in slowest) * batch >= TOLD * total_flops
    groups: dict[tuple[str, str | None, str, str], list[int]] = {}
    for place, each in enumerate(times):
        groups.setdefault((each.op, each.name if single else None, each.device, each.precision), []).append(place)
    found = []
    for (op, name, device, precision), places in groups.items():
        ns = sum(times[place].ns for place in places)
        told = {node for place in places for node in times[place].nodes if node in by_node}
        work = [by_node[node] for node in told if slowest[node] in places]
        flops = float(sum(work) * batch) if told and complete and not told.intersection(unknown) else None
        found.append(
            OperatorTime(
                op=op,
                name=name,
                device=device,
                precision=precision,
                kernels=len(places),
                calls=sum(times[place].calls for place in places),
                ns=ns,
                share=ns / total_ns if total_ns else None,
                flops=flops,
                flops_share=flops / total_flops if flops is not None and total_flops else None,
            )
        )
    return tuple(sorted(found, key=lambda each: -each.ns))
