"""ONNX Runtime on NVIDIA GPUs; see ``nvidia.py``."""

from __future__ import annotations

from nvidia import compile, devices, load  # noqa: A004

__all__ = ["compile", "devices", "load"]
