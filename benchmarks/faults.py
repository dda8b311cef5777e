"""What becomes of a run when something is wrong, ours and LoadGen's, each in a process of its own.

Usage: faults.py [--loadgen PYTHON]. A busy thread beside ``server`` at 200 queries per second; a session that raises;
one that never completes; Ctrl-C. Prints what each process said, or how it ended.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import accelbench
from accelbench.envs.selftest import loadgen_source
from accelbench.envs.spec import find

FAULTS = ("busy thread", "raises", "never completes", "Ctrl-C")
LIMIT_S = 40.0
INTERRUPT_S = 3.0


def tried(python: Path, who: str, fault: str, path: str) -> str:
    """What became of the run with the fault; ``path`` is where its packages are."""
    argv = [str(python), str(Path(__file__).with_name("fault.py")), who, fault]
    child = subprocess.Popen(
        argv, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    if fault == "Ctrl-C":
        time.sleep(INTERRUPT_S)
        child.send_signal(signal.SIGINT)
    try:
        said, _ = child.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        return f"hangs: ended after {LIMIT_S:g} s"
    code = child.returncode
    return said.strip() or (signal.Signals(-code).name if code < 0 else f"exit code {code}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loadgen", metavar="PYTHON", type=Path)
    asked = parser.parse_args()
    package = str(Path(accelbench.__path__[0]).parent)
    source = loadgen_source(find("null"), asked.loadgen)
    for fault in FAULTS:
        sys.stdout.write(f"{fault}\n  accelbench: {tried(Path(sys.executable), 'ours', fault, package)}\n")
        if source is not None:
            path = os.pathsep.join(filter(None, (package, str(source.folder or ""))))
            sys.stdout.write(f"  LoadGen: {tried(source.python, 'theirs', fault, path)}\n")


if __name__ == "__main__":
    main()
