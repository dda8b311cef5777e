"""What TVM compiles for on this host: TVM alone, so that a loop without accelbench can use it."""

from __future__ import annotations

import os
from typing import Any

import tvm
from tvm import relax

LAYOUT = {"relax.nn.conv2d": ["NHWC", "OHWI"]}
"""Activations and weights of a convolution with the channels that it sums over side by side."""

FAST_MATH = {"fast-math-contract": True, "fast-math-reassoc": True}
"""LLVM may fuse multiply and add, and sum in another order: without that it makes no vectors of a sum. NaN, infinities
and signed zeros are kept."""


def host_cpu() -> str:
    return str(tvm.get_global_func("target.llvm_get_system_cpu")())


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def target() -> tvm.target.Target:
    return tvm.target.Target({"kind": "llvm", "mcpu": host_cpu(), "num-cores": cores(), **FAST_MATH})


def laid_out(module: tvm.IRModule) -> tuple[tvm.IRModule, str]:
    """The module with its convolutions in LAYOUT where the pass can do it, and the name of the layout."""
    try:
        return relax.transform.ConvertLayout(LAYOUT)(module), "NHWC, OHWI"
    except (RuntimeError, ValueError, TypeError):
        return module, "as in the model"


def products(module: tvm.IRModule) -> list[str]:
    """The types of the results of all products in the function ``main``."""
    found: list[str] = []

    def look(node: Any) -> None:
        name = str(getattr(node.op, "name", "")) if isinstance(node, relax.Call) else ""
        if name.startswith(("relax.matmul", "relax.nn.conv", "relax.nn.attention")):
            found.append(str(node.ty.dtype))

    relax.analysis.post_order_visit(module["main"], look)
    return found
