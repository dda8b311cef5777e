"""Which flags the compiler gets, by the options of the target."""

from __future__ import annotations

from collections.abc import Mapping

FLAGS = (
    "--iree-input-type=onnx",
    "--iree-input-demote-f64-to-f32=false",
    "--iree-hal-target-device=local",
    "--iree-hal-local-target-device-backends=llvm-cpu",
    "--iree-llvmcpu-target-cpu=host",
    "--iree-llvmcpu-stack-allocation-limit=131072",
    "--iree-stream-resource-memory-model=discrete",
)
"""As for a device with memory of its own, weights are gathered into one buffer when they are loaded: mapped one by one,
each is a binding of the kernels that read it, and the runtime allows 32."""

LEVEL = "--iree-opt-level="
TILED = "--iree-opt-data-tiling"
IM2COL = "--iree-global-opt-use-im2col-for-convs"
WHOLE_SOFTMAX = "--iree-llvmcpu-use-decompose-softmax-fuse=false"
ATTEMPTS = ((TILED, IM2COL), (TILED, IM2COL, WHOLE_SOFTMAX), (TILED, WHOLE_SOFTMAX), (WHOLE_SOFTMAX,))
"""What is added to FLAGS, best first: the compiler fails on some models with the one and not with the next."""

VALUED = {
    "ukernels": "--iree-llvmcpu-enable-ukernels=",
    "vector_width": "--iree-llvmcpu-target-vector-width-in-bytes=",
}
SWITCHED = {"data_tiling": TILED, "im2col": IM2COL}

TRIED = {
    "im2col": ("false",),
    "data_tiling": ("false",),
    "vector_width": ("32", "64"),
    "ukernels": ("all", "none"),
    "opt_level": ("O2",),
}
"""What the tuner tries of the options, in this order."""


def attempts(options: Mapping[str, str]) -> list[tuple[str, ...]]:
    """The flags that the compiler is given, best first; those that are asked for are in each."""
    always = [*FLAGS, LEVEL + options.get("opt_level", "O3")]
    always += [flag + options[name] for name, flag in VALUED.items() if name in options]
    asked = {flag: options[name] for name, flag in SWITCHED.items() if name in options}
    found: list[tuple[str, ...]] = []
    for attempt in ATTEMPTS:
        if all(flag in attempt for flag, value in asked.items() if value == "true"):
            flags = (*always, *(flag for flag in attempt if asked.get(flag) != "false"))
            if flags not in found:
                found.append(flags)
    return found
