# ruff: noqa: E501 — records are read best in one line each
"""Writes the data files of an invented board, to build and to test the page: seeded, with all that can be missing.

PYTHONPATH=src python tools/board_fixture.py REPORTS FOLDER
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from accelbench.hardware import catalogue
from accelbench.hardware.lint import lint
from accelbench.knowledge.catalogue import recipes
from accelbench.knowledge.words import plain as told

TASKS = [
    ("digits-resnet", "regular", "vision", 2.1e7, 2.7e5, "top1"),
    ("digits-cnn", "smoke", "vision", 1.1e6, 2.4e4, "top1"),
    ("resnet50", "popular", "vision", 8.2e9, 2.56e7, "top1"),
    ("bert-base", "popular", "language", 2.2e10, 1.1e8, "span"),
    ("gpt2-medium", "frontier", "generative", 7.1e11, 3.5e8, "none"),
    ("dlrm-small", "regular", "recommendation", 3.4e7, 5.4e6, "auc"),
    ("whisper-tiny", "frontier", "speech", 9.4e9, 3.8e7, "none"),
]
OPERATORS = {
    "vision": {"Conv": 0.4, "Relu": 0.35, "Add": 0.15, "Gemm": 0.1},
    "language": {"MatMul": 0.5, "Add": 0.3, "Softmax": 0.1, "LayerNormalization": 0.1},
    "generative": {"MatMul": 0.55, "Add": 0.25, "Softmax": 0.1, "LayerNormalization": 0.1},
    "recommendation": {"Gather": 0.5, "Gemm": 0.3, "Concat": 0.2},
    "speech": {"Conv": 0.1, "MatMul": 0.5, "Add": 0.2, "Softmax": 0.2},
}
STACKS = [("openvino", "2026.2.0"), ("onnxruntime", "1.27.1"), ("tvm", "0.21.0"), ("torch", "2.13.0"), ("mnn", "3.2.4")]
DEVICES = [
    ("nvidia-a30", "NVIDIA A30", 1.0, 0.165),
    ("nvidia-a10", "NVIDIA A10", 0.8, 0.15),
    ("intel-xeon-6454s", "Intel Xeon 6454S", 0.2, 0.27),
    (None, "Research NPU", 0.5, None),
    ("nvidia-h100-sxm", "NVIDIA H100 SXM", 4.0, 0.7),
    ("amd-mi300x", "AMD Instinct MI300X", 4.4, 0.75),
]
REPORT_COLUMNS = [
    "id",
    "task",
    "version",
    "tier",
    "domain",
    "weights",
    "backend",
    "stack",
    "device",
    "deviceName",
    "host",
    "precision",
    "executed",
    "passes",
    "effort",
    "status",
    "verdict",
    "reasons",
    "created",
    "trust",
    "reproducedBy",
    "signedBy",
    "untested",
    "division",
    "metric",
    "accuracy",
    "accuracyError",
    "accuracyRatio",
    "agreement",
    "relativeL2",
    "sqnrDb",
    "nonFinite",
    "compileS",
    "sizeBytes",
    "sparsity",
    "sparsityTrust",
    "coverage",
    "fallbacks",
]
TEXTS = {
    "task",
    "tier",
    "domain",
    "weights",
    "backend",
    "stack",
    "device",
    "deviceName",
    "host",
    "precision",
    "executed",
    "passes",
    "effort",
    "status",
    "verdict",
    "reasons",
    "trust",
    "division",
    "metric",
    "sparsityTrust",
    "scenario",
    "boundOf",
    "against",
    "wattsKind",
}
PASS_COLUMNS = [
    "report",
    "measurement",
    "scenario",
    "batch",
    "concurrency",
    "instances",
    "rate",
    "boundS",
    "boundOf",
    "queries",
    "against",
    "p50",
    "p50Low",
    "p50High",
    "p90",
    "p90Low",
    "p90High",
    "p99",
    "p99Low",
    "p99High",
    "throughput",
    "throughputLow",
    "throughputHigh",
    "watts",
    "wattsKind",
]


def columns(rows: list[dict[str, Any]], names: list[str]) -> dict[str, Any]:
    """Rows as columns; texts by their position among the different ones."""
    made: dict[str, Any] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if name in TEXTS:
            of = list(dict.fromkeys(value for value in values if value is not None))
            at = {value: position for position, value in enumerate(of)}
            made[name] = {"of": of, "at": [None if value is None else at[value] for value in values]}
        else:
            made[name] = [float(f"{value:.6g}") if isinstance(value, float) else value for value in values]
    return made


def plain(value: Any) -> Any:
    """A record as JSON, what is None or empty left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {name: item for name, item in told.items() if item is not None and item not in ({}, [])}
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple | list) else value


def spread(dice: random.Random, value: float, width: float = 0.02) -> tuple[float, float | None, float | None]:
    """A value with its interval, which is sometimes missing."""
    if dice.random() < 0.15:
        return value, None, None
    return value, value * (1 - width * dice.random()), value * (1 + width * dice.random())


def report(dice: random.Random, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A row of reports and its passes."""
    story = number < 4
    task, tier, domain, flops, _parameters, metric = TASKS[0] if story else dice.choice(TASKS)
    backend, stack = STACKS[number % 2] if story else dice.choice(STACKS)
    device, name, speed, kw = DEVICES[number // 2] if story else dice.choice(DEVICES)
    precision = ("int8" if number % 2 else "fp32") if story else dice.choice(["fp32", "fp32", "bf16", "fp16", "int8"])
    passes = ("prune50+int8" if precision == "int8" else None) if story else dice.choice([None, None, None, "int8"])
    status = "ok" if story or dice.random() < 0.9 else dice.choice(["failed", "unsupported"])
    low = precision == "int8" or passes is not None
    drift = (0.31 if story else 0.08 * dice.random()) if low else {"fp32": 2e-6, "bf16": 6e-3, "fp16": 9e-4}[precision]
    drift *= math.exp(dice.gauss(0, 0.4))
    scored = metric != "none" and (story or dice.random() < 0.85)
    ratio = (0.998 if low else 1.0) if story else min(1.002, 1 - drift * dice.random() * 0.4)
    trust = dice.choices(["measured", "verified", "reproduced"], [6, 2, 2])[0]
    row: dict[str, Any] = {
        "id": hashlib.sha256(f"{number}".encode()).hexdigest()[:12], "task": task, "version": 1, "tier": tier,
        "domain": domain, "weights": "shipped" if scored else "seeded", "backend": backend, "stack": stack,
        "device": device, "deviceName": name, "host": "Intel Xeon Platinum 8481C · 16 CPUs", "precision": precision,
        "executed": precision if status == "ok" else None, "passes": passes, "effort": dice.choice(["quick", "standard"]),
        "status": status, "verdict": "unknown" if status != "ok" else ("out" if drift > 0.2 else "within"),
        "reasons": None if status == "ok" else "worker crashed (signal 11) while compiling",
        "created": f"2026-{1 + number % 9:02d}-{1 + number % 27:02d}T09:{number % 60:02d}:00Z", "trust": trust,
        "reproducedBy": dice.randint(1, 4) if trust == "reproduced" else 0, "signedBy": int(trust != "measured"),
        "untested": int(dice.random() < 0.05), "division": "pruned" if passes and "prune" in passes else
        ("quantised" if low else "same"), "metric": metric,
    }  # fmt: skip
    if status != "ok":
        return row, []
    row |= {
        "accuracy": 0.97 * ratio if scored else None, "accuracyError": 0.002 if scored else None,
        "accuracyRatio": ratio if scored else None, "agreement": 1 - drift * 0.1, "relativeL2": drift,
        "sqnrDb": -20 * math.log10(drift), "nonFinite": int(dice.random() < 0.01), "compileS": 3 * dice.random(),
        "sizeBytes": int(4e6 * (1 + dice.random())), "sparsity": 0.5 if passes and "prune" in passes else 0.001,
        "sparsityTrust": "counted", "coverage": dice.choice([1.0, 1.0, 0.93, None]), "fallbacks": dice.choice([0, 0, 3, None]),
    }  # fmt: skip
    gain = {"fp32": 1.0, "bf16": 1.7, "fp16": 1.8, "int8": 2.6}[precision] * (0.8 + 0.4 * dice.random()) * speed
    timed = []
    for position, (scenario, batch) in enumerate([("single_stream", 1), ("offline", 32), ("server", 1)]):
        rate = gain * 4e12 / flops * {"single_stream": 0.25, "offline": 1.0, "server": 0.6}[scenario]
        p50 = batch / rate
        entry: dict[str, Any] = {
            "report": 0, "measurement": position, "scenario": scenario, "batch": batch,
            "concurrency": 8 if scenario == "offline" else 1, "instances": 1, "queries": 2000,
            "rate": rate if scenario == "server" else None, "boundS": 0.02 if scenario == "server" else None,
            "boundOf": "p99" if scenario == "server" else None,
            "against": "the passes drifted: medians 12 % apart" if dice.random() < 0.04 else None,
        }  # fmt: skip
        for at, factor in (("p50", 1.0), ("p90", 1.15), ("p99", 1.6)):
            if at != "p99" or dice.random() < 0.9:
                entry[at], entry[f"{at}Low"], entry[f"{at}High"] = spread(dice, p50 * factor)
        entry["throughput"], entry["throughputLow"], entry["throughputHigh"] = spread(dice, rate)
        if kw and dice.random() < 0.3:
            entry["watts"], entry["wattsKind"] = kw * 1000 * (0.5 + 0.3 * dice.random()), dice.choice(["wall", "board"])
        timed.append(entry)
    return row, timed


def bins(dice: random.Random) -> list[int]:
    return [int(4000 * math.exp(-(((at - 31.5) / 9) ** 2)) * (0.9 + 0.2 * dice.random())) for at in range(64)]


def detail(dice: random.Random, row: dict[str, Any], timed: list[dict[str, Any]]) -> dict[str, Any]:
    """What a report has beyond its row."""
    ok = row["status"] == "ok"
    width, reference = row.get("relativeL2") or 1.0, bins(dice)
    score = {"name": row["metric"], "value": row.get("accuracy"), "error": 0.002, "samples": 1000}
    return {
        "id": row["id"] + "0" * 52, "accelbench": "0.9.0",
        "command": ["accelbench", "run", row["task"], "-b", row["backend"], "--precision", row["precision"]],
        "reasons": [row["reasons"]] if row["reasons"] else [],
        "task": {"id": row["task"], "version": 1, "hash": "5f" * 32, "flops": 21000000},
        "weights": {"kind": row["weights"], "sha256": "ab" * 32, "parameters": 270000, "detail": "shipped with the task"},
        "tolerance": {"max_relative_l2": 0.2, "min_agreement": 0.95}, "options": {},
        "builds": [{"batch": 1, "purpose": None, "compileS": row["compileS"], "executed": row["executed"], "format": "onnx",
                    "coverageNodes": row["coverage"], "coverageFlops": row["coverage"],
                    "fallbacks": ["Softmax"] if row["fallbacks"] else [], "settings": {"threads": "16"}, "tuning": None}]
        if ok else [],
        "artifacts": [{"name": "model.onnx", "sha256": "cd" * 32, "format": "onnx", "sizeBytes": row.get("sizeBytes") or 10,
                       "maker": row["passes"] or "accelbench", "precision": row["precision"], "sparsity": row.get("sparsity")}],
        "quality": {"samples": 1000, "accuracy": score if row.get("accuracy") else None, "reference": None,
                    "agreement": {**score, "name": "agreement", "value": row["agreement"]}, "unready": 0, "constant": False,
                    "drift": [{"output": "logits", "count": 10000, "finite": 10000, "relativeL2": row["relativeL2"],
                               "sqnrDb": row["sqnrDb"], "cosine": 0.9999, "maxAbs": 0.4, "maxUlp": None, "nanReference": 0,
                               "nanOutput": 0, "infReference": 0, "infOutput": 0, "bitEqual": 120,
                               "error": {"low": -width, "high": width, "counts": bins(dice)},
                               "values": {"low": -6.0, "high": 6.0, "reference": reference,
                                          "output": [int(each * (0.97 + 0.06 * dice.random())) for each in reference]},
                               "mismatch": None}]} if ok else None,
        "measurements": [{
            "scenario": each["scenario"], "batch": each["batch"], "concurrency": each["concurrency"], "queries": 2000,
            "stopReason": "interval", "warmupQueries": 50, "against": [each["against"]] if each["against"] else [],
            "problem": None,
            "quantiles": [{"q": q, "s": each[name], "lowS": each[f"{name}Low"], "highS": each[f"{name}High"]}
                          for q, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")) if name in each],
            "histogram": {"lowS": 0.8 * each["p50"], "highS": 2 * each["p50"],
                          "counts": [int(300 * math.exp(-(((at - 8) / (3 if at < 8 else 9)) ** 2))) for at in range(40)]},
            "line": {"endS": 12.0,
                     "medianS": [each["p50"] * (0.97 + 0.06 * dice.random()) if at != 40 else None for at in range(60)],
                     "maxS": [each["p50"] * (1.1 + dice.random()) if at != 40 else None for at in range(60)]},
            "telemetry": [{"name": "cpu_frequency", "unit": "Hz", "endS": 12.0,
                           "values": [3e9 * (0.95 + 0.05 * dice.random()) for _ in range(60)]}],
        } for each in timed],
        "stages": [{"name": "preprocess", "items": 100, "p50S": 0.0004}],
        "host": [["CPU", "Intel Xeon Platinum 8481C"], ["Kernel", "6.1.0"], ["Memory", "64 GB"]],
        "environment": {"kind": "venv", "python": "3.11.9", "packages": {"numpy": "2.3.0", row["backend"]: row["stack"]},
                        "probes": {}, "lockSha256": None, "adapterSha256": "ef" * 32},
        "reproductions": [], "signatures": [], "recipes": [], "raw": {"href": None, "gzip": None},
    }  # fmt: skip


def numbers(value: Any) -> Any:
    """The same with floats of four digits."""
    if isinstance(value, float):
        return float(f"{value:.3g}")
    if isinstance(value, dict):
        return {name: numbers(item) for name, item in value.items()}
    return [numbers(item) for item in value] if isinstance(value, list) else value


def write(path: Path, name: str, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"accelbench.load({json.dumps(name)}, {text});\n", encoding="utf-8")


def main() -> None:
    """Writes index.js and the details of the first 200 reports."""
    count, folder = int(sys.argv[1]), Path(sys.argv[2])
    dice = random.Random(7)
    made = sorted((report(dice, number) for number in range(count)), key=lambda each: each[0]["created"], reverse=True)
    passes = [{**timed, "report": at} for at, (_, several) in enumerate(made) for timed in several]
    devices, vendors = catalogue.devices(), catalogue.vendors()
    claim = {
        "id": "c" * 64, "kind": "result", "source": "bytemlperf-report", "sourceName": "result.json", "url": None,
        "vendor": "NVIDIA", "device": "A30", "deviceId": "nvidia-a30", "task": "resnet50-torch-fp32",
        "taskId": "resnet50", "software": "TensorRT 8.6", "date": "2023", "caveats": ["the batch is not told"],
        "figures": [{"name": "throughput", "value": 5120.0, "unit": "samples/s", "batch": 32, "precision": "fp16"}],
    }  # fmt: skip
    index = {
        "meta": {"schema": 1, "accelbench": "0.9.0", "created": "2026-09-27T09:59:00Z", "title": None,
                 "stores": [{"name": "reports", "reports": count}], "problems": [],
                 "rates": [{"from": "USD", "to": "CNY", "rate": 7.1, "date": "2026-01-02", "source": "example"}],
                 "cost": None, "prices": [{"device": "nvidia-a10", "kind": "buy", "currency": "USD", "amount": 2600.0,
                                           "basis": "third_party", "date": "2026-05", "note": "an example"}],
                 "served": False},
        "reports": columns([row for row, _ in made], REPORT_COLUMNS), "passes": columns(passes, PASS_COLUMNS),
        "claims": [claim],
        "tasks": [{"id": task, "version": 1, "tier": tier, "domain": domain, "title": task, "flops": flops,
                   "parameters": parameters, "bytes": parameters * 4.2, "operators": OPERATORS[domain], "metric": metric}
                  for task, tier, domain, flops, parameters, metric in TASKS],
        "devices": [plain(each) for each in devices.values()], "vendors": [plain(each) for each in vendors.values()],
        "lints": [dataclasses.asdict(each) for each in lint(devices, vendors)], "recipes": [
            {**told(each), "evidence": [row["id"] for row, _ in made[:1]]} for each in recipes().values()],
        "rules": [{"id": "form.schema", "level": "error", "text": "the report keeps the schema"}],
        "downloads": [{"href": "data/reports.csv", "format": "csv", "what": "reports", "rows": count, "bytes": 1000}],
    }  # fmt: skip
    write(folder / "index.js", "index", index)
    for row, timed in made[:200]:
        write(folder / "reports" / f"{row['id']}.js", f"report/{row['id']}", numbers(detail(dice, row, timed)))


if __name__ == "__main__":
    main()
