"""What a tool wrote, as every importer takes it: nodes in order, and no domain that no node is of.

Runs in the environment of the onnxruntime backend, for ``tool.py``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

import onnx


def tidy(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model``, changed in place: each graph's nodes behind those that they read from, otherwise in their order, and
    the operator sets that some node is of. Raises ValueError where nodes wait for one another."""
    _sort(model.graph)
    domains = {_domain(node.domain) for body in (model.graph, *model.functions) for node in _nodes(body.node)}
    for place in reversed(range(len(model.opset_import))):
        if _domain(model.opset_import[place].domain) not in domains | {""}:
            del model.opset_import[place]
    return model


def _domain(name: str) -> str:
    """ONNX's own has two names."""
    return "" if name == "ai.onnx" else name


def _sort(graph: onnx.GraphProto) -> None:
    for node in graph.node:
        for inner in _graphs(node):
            _sort(inner)
    order = _order(graph.node)
    if order != list(range(len(graph.node))):
        nodes = [onnx.NodeProto.FromString(graph.node[place].SerializeToString()) for place in order]
        del graph.node[:]
        graph.node.extend(nodes)


def _order(nodes: Sequence[onnx.NodeProto]) -> list[int]:
    """The places of the nodes by Kahn's algorithm, of those that are ready the first."""
    makers = {name: place for place, node in enumerate(nodes) for name in node.output if name}
    waits = [{makers[name] for name in _read(node) if name in makers} for node in nodes]
    readers: list[list[int]] = [[] for _ in nodes]
    for place, before in enumerate(waits):
        for maker in before:
            readers[maker].append(place)
    left = [len(before) for before in waits]
    ready = [place for place, count in enumerate(left) if not count]
    order = []
    while ready:
        place = heapq.heappop(ready)
        order.append(place)
        for reader in readers[place]:
            left[reader] -= 1
            if not left[reader]:
                heapq.heappush(ready, reader)
    if len(order) != len(nodes):
        raise ValueError(f"{len(nodes) - len(order)} nodes of the graph wait for one another")
    return order


def _read(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that ``node`` reads, in its graphs too."""
    for each in _nodes([node]):
        yield from each.input
        for inner in _graphs(each):
            yield from (value.name for value in inner.output)


def _nodes(nodes: Sequence[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """The nodes, and those of their graphs."""
    for node in nodes:
        yield node
        for inner in _graphs(node):
            yield from _nodes(inner.node)


def _graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs
