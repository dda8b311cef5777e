"""The whole account of the harness on this host, in one run: what it costs, how it keeps a schedule, what becomes of
faults — each beside LoadGen —, whether known latencies are measured as they are, and how soon a median is known.

Usage: table.py [--loadgen PYTHON] [--runs N]; PYTHON is an interpreter that has mlcommons-loadgen. The onnxruntime and
openvino backends must be installed for the last part.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loadgen", metavar="PYTHON")
    parser.add_argument("--runs", default="5")
    asked = parser.parse_args()
    loadgen = ["--loadgen", asked.loadgen] if asked.loadgen else []
    for script, words in (
        ("harness.py", ["--runs", asked.runs, *loadgen]),
        ("faults.py", loadgen),
        ("settle.py", ["resnet50", "-b", "openvino", "-b", "onnxruntime"]),
    ):
        subprocess.run([sys.executable, str(Path(__file__).with_name(script)), *words], check=True)


if __name__ == "__main__":
    main()
