"""Seeded weights for any ONNX file: what acts as a weight is found by its use, and drawn so that activations keep a
mean square near one at any depth.

The mean square of every value is estimated on the way through the graph, from simple rules per operator for zero-mean
inputs (He et al. 2015, arXiv:1502.01852, section 2.2, is the rule for rectified layers). A matrix or kernel is drawn
with the standard deviation that makes its output's mean square one, a batch norm's variance is its input's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

from accelbench.zoo import seeded
from accelbench.zoo.seeded import Moments

MIN_ELEMENTS = 2
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
SCALE = Moments("uniform", low=0.8, high=1.2)
BIAS = Moments("normal", std=0.05)
EMBEDDING = Moments("normal", std=1.0)
RECURRENT = Moments("normal", std=0.05)
VIEWS = ("Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Transpose")
GAINS = {
    "Relu": 0.5, "Clip": 0.5, "LeakyRelu": 0.5, "PRelu": 0.5, "Gelu": 0.43, "Elu": 0.6, "HardSwish": 0.4, "Tanh": 0.4,
    "Sigmoid": 0.3, "MaxPool": 2.0, "AveragePool": 0.6, "GlobalAveragePool": 0.4, "ReduceMean": 0.4,
}  # fmt: skip
"""Mean square of an operator's output ÷ its input's, for activations of networks with rectifiers."""


@dataclass
class _Constant:
    """A float tensor known before the model runs; ``uniform`` when all of its elements are equal or unknown."""

    name: str
    dims: tuple[int, ...]
    data_type: int
    uniform: bool


@dataclass
class _Walk:
    """The state of one pass over the graph: ``views`` are constants as they look to later nodes, ``square`` the
    estimated mean squares, ``drawn`` the moments that were decided."""

    constants: dict[str, _Constant]
    views: dict[str, _Constant]
    square: dict[str, float] = field(default_factory=dict)
    drawn: dict[str, Moments] = field(default_factory=dict)

    def weigh(self, name: str, moments: Moments) -> bool:
        """Decide how the constant behind ``name`` is drawn; the first use decides. False when it is no constant."""
        constant = self.views.get(name)
        if constant is None:
            return False
        if math.prod(constant.dims) >= MIN_ELEMENTS:
            self.drawn.setdefault(constant.name, moments)
        return True

    def mean_square(self, name: str) -> float:
        return self.square.get(name, 1.0)


def seed_initializers(graph: onnx.ModelProto, seed: int) -> onnx.ModelProto:
    """A copy of the model whose weights are drawn from ``seed``, each keyed by its tensor's name.

    Weights are float constants — initializers, ``Constant`` and ``ConstantOfShape`` nodes — that feed convolutions,
    matrix products, norms, embeddings or recurrent layers, and constant-valued scales and biases of ``Mul`` and
    ``Add``. Everything else stays: scalars, integers, tables, and what lies in the bodies of control flow. The copy
    carries its weights inline; the data of replaced external tensors is never read.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    constants = _constants(model.graph)
    walk = _Walk(constants, dict(constants))
    for node in model.graph.node:
        _visit(node, walk)
    _replace(model, walk, seed)
    return model


def _constants(graph: onnx.GraphProto) -> dict[str, _Constant]:
    shapes = {t.name: t for t in graph.initializer if t.data_type == TensorProto.INT64}
    found = {t.name: _constant(t.name, t) for t in graph.initializer if t.data_type in FLOATS}
    for node in graph.node:
        value = next((a.t for a in node.attribute if a.name == "value"), None)
        if node.op_type == "Constant" and value is not None:
            if value.data_type in FLOATS:
                found[node.output[0]] = _constant(node.output[0], value)
            elif value.data_type == TensorProto.INT64:
                shapes[node.output[0]] = value
        elif node.op_type == "ConstantOfShape" and node.input[0] in shapes:
            dims = tuple(int(d) for d in numpy_helper.to_array(shapes[node.input[0]]))
            data_type = value.data_type if value is not None else TensorProto.FLOAT
            if data_type in FLOATS:
                found[node.output[0]] = _Constant(node.output[0], dims, data_type, True)
    return found


def _constant(name: str, tensor: TensorProto) -> _Constant:
    if tensor.data_location == TensorProto.EXTERNAL:
        return _Constant(name, tuple(tensor.dims), tensor.data_type, True)
    values = numpy_helper.to_array(tensor)
    return _Constant(
        name, tuple(tensor.dims), tensor.data_type, values.size > 0 and bool((values == values.flat[0]).all())
    )


def _visit(node: NodeProto, walk: _Walk) -> None:
    rule = RULES.get(node.op_type)
    if node.op_type in VIEWS and node.input[0] in walk.views:
        walk.views[node.output[0]] = _viewed(node, walk.views[node.input[0]])
        return
    inputs = [name for name in node.input if name and name not in walk.views]
    if rule is not None:
        result = rule(node, walk)
    elif inputs:
        result = walk.mean_square(inputs[0]) * GAINS.get(node.op_type, 1.0)
    else:
        return
    for name in node.output:
        walk.square[name] = result


def _viewed(node: NodeProto, constant: _Constant) -> _Constant:
    if node.op_type != "Transpose":
        return constant
    perm = _attribute(node, "perm", list(range(len(constant.dims)))[::-1])
    return replace(constant, dims=tuple(constant.dims[axis] for axis in perm))


def _product(node: NodeProto, walk: _Walk) -> float:
    """Conv, ConvTranspose, Gemm, MatMul: draw the constant side so that the output's mean square is one."""
    first, second = node.input[0], node.input[1]
    weight, data = (second, first) if second in walk.views else (first, second)
    if weight not in walk.views:
        return walk.mean_square(second)
    std = 1 / math.sqrt(_fan_in(node, walk.views[weight].dims, weight == second) * max(walk.mean_square(data), 1e-6))
    walk.weigh(weight, Moments("normal", std=std))
    if len(node.input) > 2:
        walk.weigh(node.input[2], BIAS)
    return 1.0


def _fan_in(node: NodeProto, dims: Sequence[int], is_second: bool) -> int:
    """How many products are added for one output element."""
    if node.op_type == "Conv":
        return max(math.prod(dims[1:]), 1)
    if node.op_type == "ConvTranspose":
        strides = _attribute(node, "strides", [1])
        groups = int(_attribute(node, "group", [1])[0])
        return max(dims[0] // groups * math.prod(dims[2:]) // math.prod(strides), 1)
    if len(dims) < 2:
        return max(math.prod(dims), 1)
    turned = bool(_attribute(node, "transB" if is_second else "transA", [0])[0])
    return max(dims[-2] if is_second != turned else dims[-1], 1)


def _batch_norm(node: NodeProto, walk: _Walk) -> float:
    square = walk.mean_square(node.input[0])
    walk.weigh(node.input[1], SCALE)
    walk.weigh(node.input[2], BIAS)
    walk.weigh(node.input[3], Moments("constant"))
    walk.weigh(node.input[4], Moments("uniform", low=0.8 * square, high=1.2 * square))
    return 1.0


def _norm(node: NodeProto, walk: _Walk) -> float:
    walk.weigh(node.input[1], SCALE)
    if len(node.input) > 2:
        walk.weigh(node.input[2], BIAS)
    return 1.0


def _scale_or_bias(node: NodeProto, walk: _Walk) -> float:
    """Mul and Add: a constant side is drawn only when its elements are all equal, for others may be tables."""
    moments = SCALE if node.op_type == "Mul" else BIAS
    data = [name for name in node.input if name not in walk.views]
    for name in node.input:
        if name in walk.views and walk.views[name].uniform and len(data) == 1:
            walk.weigh(name, moments)
    squares = [walk.mean_square(name) for name in data]
    return math.prod(squares) if node.op_type == "Mul" else sum(squares)


def _mean(node: NodeProto, walk: _Walk) -> float:
    squares = [walk.mean_square(name) for name in node.input if name not in walk.views]
    return sum(squares) / max(len(squares), 1)


def _gather(node: NodeProto, walk: _Walk) -> float:
    constant = walk.views.get(node.input[0])
    if constant is None or len(constant.dims) < 2:
        return walk.mean_square(node.input[0])
    walk.weigh(node.input[0], EMBEDDING)
    return 1.0


def _recurrent(node: NodeProto, walk: _Walk) -> float:
    for name in node.input[1:4]:
        walk.weigh(name, RECURRENT)
    return GAINS["Tanh"]


RULES: dict[str, Callable[[NodeProto, _Walk], float]] = {
    "Conv": _product, "ConvTranspose": _product, "Gemm": _product, "MatMul": _product,
    "BatchNormalization": _batch_norm, "InstanceNormalization": _norm, "LayerNormalization": _norm,
    "GroupNormalization": _norm, "Mul": _scale_or_bias, "Add": _scale_or_bias, "Sum": _scale_or_bias,
    "Concat": _mean, "Gather": _gather, "LSTM": _recurrent, "GRU": _recurrent, "RNN": _recurrent,
}  # fmt: skip


def _attribute(node: NodeProto, name: str, default: list[int]) -> list[int]:
    for attribute in node.attribute:
        if attribute.name == name:
            return list(attribute.ints) or [attribute.i]
    return default


def _replace(model: onnx.ModelProto, walk: _Walk, seed: int) -> None:
    """Put the drawn tensors in as initializers, and take out what they replace and what nothing reads any more."""
    graph = model.graph
    nodes = [n for n in graph.node if not (n.op_type in ("Constant", "ConstantOfShape") and n.output[0] in walk.drawn)]
    read = {name for node in nodes for name in node.input} | {value.name for value in graph.output}
    kept = [t for t in graph.initializer if t.name not in walk.drawn and (t.name in read or _has_bodies(nodes))]
    names = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in names]
    for field_, items in ((graph.node, nodes), (graph.input, inputs), (graph.initializer, kept)):
        copies = [type(item).FromString(item.SerializeToString()) for item in items]
        del field_[:]
        field_.extend(copies)
    for name, moments in walk.drawn.items():
        constant = walk.constants[name]
        values = seeded.draw(name, math.prod(constant.dims), moments, seed).reshape(constant.dims)
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(constant.data_type))
        graph.initializer.append(numpy_helper.from_array(values.astype(dtype, copy=False), name))
    model.ir_version = max(model.ir_version, 4)  # before, every initializer had to be an input too


def _has_bodies(nodes: list[NodeProto]) -> bool:
    return any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for n in nodes for a in n.attribute)
