"""Which part of a model really runs on the device that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accelbench.model import Coverage, Placement


def coverage(placements: Sequence[Placement], device: str, flops: Mapping[str, int]) -> Coverage:
    """The share of the source graph's nodes, and of its FLOPs, that no other device than ``device`` carries out.

    ``flops`` holds the FLOPs of each node of the source graph by name. Nodes that the runtime folded or fused away are
    not fallbacks. The shares are None where the runtime does not tell its placements, or where a kernel on another
    device does not say which nodes it carries out.
    """
    away = [placement for placement in placements if placement.device != device]
    fallbacks = tuple(f"{placement.op} ×{placement.count} on {placement.device}" for placement in away)
    names = {name for placement in away for name in placement.nodes} & flops.keys()
    if not placements or not flops or any(not placement.nodes for placement in away):
        return Coverage(nodes=None, flops=None, fallbacks=fallbacks)
    total = sum(flops.values())
    return Coverage(
        nodes=1 - len(names) / len(flops),
        flops=1 - sum(flops[name] for name in names) / total if total else None,
        fallbacks=fallbacks,
    )
