"""Hardware specifications of ByteMLPerf (``vendor_zoo``): Chinese keys, of which every product has its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from accelbench.hardware.match import device_named, vendor_named
from accelbench.imports.ledger import Ledger, claim
from accelbench.imports.source import Origin, Path_, described
from accelbench.model import Claim, Named

PRODUCT = "SKU参数"

TEXTS = {
    "SKU参数/用途": "purpose",
    "SKU参数/照片": "pictures.product",
    "硬件参数/尺寸": "form_factor",
    "硬件参数/接口": "interface",
    "内存参数/内存层次架构图": "pictures.memory",
    "内存参数/内存/内存类型": "memory.main.technology",
    "内存参数/一级缓存/缓存类型": "memory.l1.technology",
    "内存参数/二级缓存/缓存类型": "memory.l2.technology",
    "算力参数/PE层次架构图": "pictures.elements",
    "算力参数/PE参数/算力架构": "elements.architecture",
    "算力参数/PE参数/并行方式": "elements.parallelism",
    "算力参数/标量参数/标量精度": "engines.scalar.dtypes",
    "算力参数/向量参数/向量精度": "engines.vector.dtypes",
    "算力参数/张量参数/张量精度": "engines.tensor.dtypes",
    "卡间通信参数/通信方式": "links.name",
    "卡间通信参数/RDMA协议": "links.rdma",
}
"""Fields that are texts, and their names here: paths in the record of a device."""

FIGURES = {
    "硬件参数/制程(NM)": ("process", "nm"),
    "硬件参数/功耗(W/TDP)": ("power.tdp", "W"),
    "内存参数/内存/内存容量(GB)": ("memory.main.capacity", "GB"),
    "内存参数/内存/内存带宽(GB/s)": ("memory.main.bandwidth", "GB/s"),
    "内存参数/一级缓存/缓存容量(MB)": ("memory.l1.capacity", "MB"),
    "内存参数/一级缓存/缓存带宽(TB/s)": ("memory.l1.bandwidth", "TB/s"),
    "内存参数/二级缓存/缓存容量(MB)": ("memory.l2.capacity", "MB"),
    "内存参数/二级缓存/缓存带宽(TB/s)": ("memory.l2.bandwidth", "TB/s"),
    "算力参数/PE参数/通信带宽(GB/s)": ("elements.bandwidth", "GB/s"),
    "卡间通信参数/端口数量": ("links.ports", "count"),
    "卡间通信参数/下行带宽(GB/s)": ("links.down", "GB/s"),
    "卡间通信参数/上行带宽(GB/s)": ("links.up", "GB/s"),
}
"""Fields that are numbers, or free text in some products; units are those of the keys."""

ENGINES = {"标量": "scalar", "向量": "vector", "量": "vector", "张量": "tensor"}
SOURCES = "数据源"

_PEAK = re.compile(r"([A-Za-z]+\d+)(标量|向量|张量|量)算力\((TOPS|TFLOPS)\)")


def is_hardware(document: Any) -> bool:
    """Whether a document looks like a hardware specification."""
    return isinstance(document, dict) and isinstance(document.get(PRODUCT), dict)


def hardware(document: Mapping[str, Any], data: bytes, name: str, origin: Origin) -> Claim:
    """The claim that a specification is, read from ``data`` of the file ``name``."""
    book = Ledger(document)
    keys = {"/".join(str(step) for step in path): path for path in book.paths()}
    vendor = _named(book.named(keys.get("SKU参数/厂商", ())), vendor_named)
    device = _named(book.named(keys.get("SKU参数/型号", ())), device_named)
    types = {
        engine: str(book.value(keys.get(f"算力参数/{word}参数/{word}精度", ())) or "")
        for word, engine in (("标量", "scalar"), ("向量", "vector"), ("张量", "tensor"))
    }
    for key, called in TEXTS.items():
        book.text(called, keys.get(key, ()))
    for key, (called, unit) in FIGURES.items():
        book.either(called, keys.get(key, ()), unit)
    for path in book.paths():
        peak = _PEAK.fullmatch(str(path[-1])) if path else None
        if peak is not None:
            _peak(book, path, peak, types)
        elif path and path[0] == SOURCES:
            book.text("source", path)
    book.rest()
    return claim(
        "specification", described("bytemlperf-hardware", name, data, origin), [book], vendor=vendor, device=device
    )


def _peak(book: Ledger, path: Path_, peak: re.Match[str], types: Mapping[str, str]) -> None:
    dtype, engine, unit = peak[1].lower(), ENGINES[peak[2]], peak[3]
    listed = {word.strip().lower() for word in types[engine].split(",") if word.strip()}
    caveats = []
    if listed and dtype not in listed:
        caveats.append(f"{dtype} is not among the types that the file lists for it ({types[engine].strip()})")
    if dtype.startswith("int") == (unit == "TFLOPS"):
        caveats.append(f"labelled {unit}, which is the unit of the other kind of numbers")
    book.figure(f"engines.{engine}.peak", path, unit, precision=dtype, caveat="; ".join(caveats) or None)


def _named(named: Named | None, find: Any) -> Named | None:
    found = find(named.text) if named is not None else None
    return replace(named, id=found, reason="by its name") if named is not None and found else named
