"""OpenVINO's own benchmark_app: openvino.py MODEL.onnx SECONDS prints, for each line of its input, its median latency
in µs, which it takes inside of ``infer``, and its duration per iteration.

One query in flight under the latency hint, in float32, for whole seconds.
"""

import re
import subprocess
import sys
from pathlib import Path


def main(path: str, seconds: float) -> tuple[float, float]:
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
    median = re.search(r"Median:\s+([\d.]+) (us|ms)", told)
    count, duration = re.search(r"Count:\s+(\d+) iterations", told), re.search(r"Duration:\s+([\d.]+) ms", told)
    if median is None or count is None or duration is None:
        raise SystemExit("benchmark_app told no median, count or duration")
    return float(median[1]) * (1.0 if median[2] == "us" else 1e3), float(duration[1]) * 1e3 / int(count[1])


if __name__ == "__main__":
    for _ in sys.stdin:
        sys.stdout.write("{:.1f} {:.1f}\n".format(*main(sys.argv[1], float(sys.argv[2]))))
