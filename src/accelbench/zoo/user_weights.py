"""Seeded weights for any ONNX file: what acts as a weight is found by its use, and drawn so that activations stay in
range at any depth and still tell one feed from another.

Mean and variance of every value are estimated on the way through the graph by a simple rule per operator (He et al.
2015, arXiv:1502.01852, section 2.2, does it for rectified layers). A matrix or kernel gets the standard deviation that
makes its output's variance one; a batch norm gets its input's mean and variance. Rectifiers give all channels a common
mean, which would grow with depth until the outputs hardly depend on the input. So input channels 4i and 4i+1 carry
opposite weights, and half of its power cancels; were it all, rounding errors would double every few layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from accelbench.zoo import seeded
from accelbench.zoo.seeded import Moments

MIN_ELEMENTS = 2
MIN_PAIRED = 8
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)
SCALE = Moments("uniform", low=0.8, high=1.2)
BIAS = Moments("normal", std=0.05)
EMBEDDING = Moments("normal", std=1.0)
RECURRENT = Moments("normal", std=0.05)
VIEWS = ("Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Transpose")
UNIT = (0.0, 1.0)
FIXED = {"Sigmoid": (0.5, 0.04), "Tanh": (0.0, 0.4), "Softmax": (0.0, 0.01), "HardSigmoid": (0.5, 0.04)}
"""Mean and variance of an operator's output whatever its input."""
RECTIFIERS = ("Relu", "Clip", "LeakyRelu", "PRelu", "Gelu", "Elu", "HardSwish")
POOLED = {"AveragePool": 0.5, "GlobalAveragePool": 0.3, "ReduceMean": 0.3}
"""Variance of an average over neighbours ÷ variance of one, for feature maps whose neighbours are alike."""

Spread = tuple[float, float]
"""Estimated mean and variance of a value."""


@dataclass
class _Constant:
    """A float tensor known before the model runs; ``uniform`` when all of its elements are equal or unknown."""

    name: str
    dims: tuple[int, ...]
    data_type: int
    uniform: bool


@dataclass
class _Walk:
    """The state of one pass over the graph: ``views`` are constants as they look to later nodes, ``spreads`` the
    estimates, ``drawn`` the moments that were decided, ``paired`` the tensors that are antisymmetric along an axis."""

    constants: dict[str, _Constant]
    views: dict[str, _Constant]
    spreads: dict[str, Spread] = field(default_factory=dict)
    drawn: dict[str, Moments] = field(default_factory=dict)
    paired: dict[str, int] = field(default_factory=dict)

    def weigh(self, name: str, moments: Moments) -> bool:
        """Decide how the constant behind ``name`` is drawn; the first use decides. False when it is no constant."""
        constant = self.views.get(name)
        if constant is None:
            return False
        if math.prod(constant.dims) >= MIN_ELEMENTS:
            self.drawn.setdefault(constant.name, moments)
        return True

    def spread(self, name: str) -> Spread:
        return self.spreads.get(name, UNIT)


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
    if node.op_type in VIEWS and node.input[0] in walk.views:
        walk.views[node.output[0]] = _viewed(node, walk.views[node.input[0]])
        return
    rule = RULES.get(node.op_type)
    data = [name for name in node.input if name and name not in walk.views]
    if rule is None and not data:
        return
    result = rule(node, walk) if rule is not None else _elementwise(node.op_type, walk.spread(data[0]))
    for name in node.output:
        walk.spreads[name] = result


def _elementwise(op: str, spread: Spread) -> Spread:
    mean, variance = spread
    if op in FIXED:
        return FIXED[op]
    if op in RECTIFIERS:
        return _rectified(mean, variance)
    if op in POOLED:
        return mean, variance * POOLED[op]
    if op == "MaxPool":  # of three independent normal values
        return mean + 0.85 * math.sqrt(variance), 0.56 * variance
    return spread


def _rectified(mean: float, variance: float) -> Spread:
    """Mean and variance of max(x, 0) for a normal x."""
    std = math.sqrt(max(variance, 1e-12))
    ratio = mean / std
    density = math.exp(-ratio * ratio / 2) / math.sqrt(2 * math.pi)
    below = 0.5 * (1 + math.erf(ratio / math.sqrt(2)))
    first = mean * below + std * density
    second = (mean * mean + variance) * below + mean * std * density
    return first, max(second - first * first, 1e-12)


def _viewed(node: NodeProto, constant: _Constant) -> _Constant:
    if node.op_type != "Transpose":
        return constant
    perm = _attribute(node, "perm", list(range(len(constant.dims)))[::-1])
    return replace(constant, dims=tuple(constant.dims[axis] for axis in perm))


def _product(node: NodeProto, walk: _Walk) -> Spread:
    """Conv, ConvTranspose, Gemm, MatMul: draw the constant side so that the output's variance is one."""
    first, second = node.input[0], node.input[1]
    weight, data = (second, first) if second in walk.views else (first, second)
    view = walk.views.get(weight)
    if view is None:
        return walk.spread(second)
    mean, variance = walk.spread(data)
    axis = _input_axis(node, view.dims, weight == second)
    paired = view.dims == walk.constants[view.name].dims and view.dims[axis] >= MIN_PAIRED
    power = variance + mean * mean * (0.5 if paired else 1.0)
    std = 1 / math.sqrt(_fan_in(node, view.dims, axis) * max(power, 1e-6))
    if walk.weigh(weight, Moments("normal", std=_rounded(std))) and paired:
        walk.paired.setdefault(view.name, axis)
    if len(node.input) > 2:
        walk.weigh(node.input[2], BIAS)
    return UNIT


def _input_axis(node: NodeProto, dims: Sequence[int], is_second: bool) -> int:
    """The axis of a weight that runs over the input's channels."""
    if node.op_type == "Conv":
        return 1
    if node.op_type == "ConvTranspose" or len(dims) < 2:
        return 0
    turned = bool(_attribute(node, "transB" if is_second else "transA", [0])[0])
    return len(dims) - (2 if is_second != turned else 1)


def _fan_in(node: NodeProto, dims: Sequence[int], axis: int) -> int:
    """How many products are added for one output element."""
    if node.op_type == "Conv":
        return max(math.prod(dims[1:]), 1)
    if node.op_type == "ConvTranspose":
        spread = math.prod(_attribute(node, "strides", [1])) * _attribute(node, "group", [1])[0]
        return max(dims[0] * math.prod(dims[2:]) // spread, 1)
    return max(dims[axis], 1)


def _rounded(value: float) -> float:
    """Three significant digits: the last bits of a platform's exp and erf must not show."""
    return float(f"{value:.3g}")


def _batch_norm(node: NodeProto, walk: _Walk) -> Spread:
    mean, variance = walk.spread(node.input[0])
    walk.weigh(node.input[1], SCALE)
    walk.weigh(node.input[2], BIAS)
    walk.weigh(node.input[3], Moments("constant", mean=_rounded(mean)))
    walk.weigh(node.input[4], Moments("uniform", low=_rounded(0.8 * variance), high=_rounded(1.2 * variance)))
    return UNIT


def _norm(node: NodeProto, walk: _Walk) -> Spread:
    walk.weigh(node.input[1], SCALE)
    if len(node.input) > 2:
        walk.weigh(node.input[2], BIAS)
    return UNIT


def _scale_or_bias(node: NodeProto, walk: _Walk) -> Spread:
    """Mul, Add, Sum: a constant side is drawn only when its elements are all equal, for others may be tables."""
    data = [walk.spread(name) for name in node.input if name not in walk.views]
    for name in node.input:
        if name in walk.views and walk.views[name].uniform and len(data) == 1:
            walk.weigh(name, SCALE if node.op_type == "Mul" else BIAS)
    if node.op_type == "Mul":
        mean = math.prod(m for m, _ in data)
        return mean, max(math.prod(m * m + v for m, v in data) - mean * mean, 1e-12)
    return sum(m for m, _ in data), sum(v for _, v in data)


def _concatenated(node: NodeProto, walk: _Walk) -> Spread:
    data = [walk.spread(name) for name in node.input if name not in walk.views] or [UNIT]
    mean = sum(m for m, _ in data) / len(data)
    return mean, sum(v + m * m for m, v in data) / len(data) - mean * mean


def _gather(node: NodeProto, walk: _Walk) -> Spread:
    constant = walk.views.get(node.input[0])
    if constant is None or len(constant.dims) < 2:
        return walk.spread(node.input[0])
    walk.weigh(node.input[0], EMBEDDING)
    return UNIT


def _recurrent(node: NodeProto, walk: _Walk) -> Spread:
    for name in node.input[1:4]:
        walk.weigh(name, RECURRENT)
    return FIXED["Tanh"]


RULES: dict[str, Callable[[NodeProto, _Walk], Spread]] = {
    "Conv": _product, "ConvTranspose": _product, "Gemm": _product, "MatMul": _product,
    "BatchNormalization": _batch_norm, "InstanceNormalization": _norm, "LayerNormalization": _norm,
    "GroupNormalization": _norm, "Mul": _scale_or_bias, "Add": _scale_or_bias, "Sum": _scale_or_bias,
    "Concat": _concatenated, "Gather": _gather, "LSTM": _recurrent, "GRU": _recurrent, "RNN": _recurrent,
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
        if name in walk.paired:
            _pair(values, walk.paired[name])
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(constant.data_type))
        graph.initializer.append(numpy_helper.from_array(values.astype(dtype, copy=False), name))
    model.ir_version = max(model.ir_version, 4)  # before, every initializer had to be an input too


def _pair(values: NDArray[np.float32], axis: int) -> None:
    """Give slice 4i + 1 along ``axis`` the negative of slice 4i."""
    along = np.moveaxis(values, axis, 0)
    second = along[1::4]
    second[...] = -along[0::4][: len(second)]


def _has_bodies(nodes: list[NodeProto]) -> bool:
    return any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for n in nodes for a in n.attribute)
