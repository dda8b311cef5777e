"""OpenVINO's own benchmark_app: openvino.py MODEL.onnx SECONDS prints its median latency in µs for each line of its
input.

One query in flight under the latency hint, in float32, for whole seconds.
"""

import re
import subprocess
import sys
from pathlib import Path


def main(path: str, seconds: float) -> float:
    app = Path(sys.executable).with_name("benchmark_app")
    words = [
        "-m",
        path,
        "-d",
        "CPU",
        "-hint",
        "latency",
        "-api",
        "sync",
        "-infer_precision",
        "f32",
        "-t",
        str(max(1, round(seconds))),
    ]
    told = subprocess.run([app, *words], check=True, capture_output=True, text=True).stdout
    found = re.search(r"Median:\s+([\d.]+) (us|ms)", told)
    if found is None:
        raise SystemExit("benchmark_app told no median")
    return float(found[1]) * (1.0 if found[2] == "us" else 1e3)


if __name__ == "__main__":
    for _ in sys.stdin:
        sys.stdout.write(f"{main(sys.argv[1], float(sys.argv[2])):.1f}\n")
