"""One report read and verified, as a folder and as a bundle: the median of many readings in ms, and the bundle's size.

python benchmarks/bundle.py REPORT, the folder of a report
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from accelbench.bundle.pack import pack
from accelbench.bundle.read import Bundle
from accelbench.bundle.verify import verify, verify_folder

TIMES = 51


def milliseconds(what: Callable[[], object]) -> float:
    """The median of TIMES calls."""
    took = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        what()
        took.append(time.perf_counter() - begun)
    return median(took) * 1e3


def main() -> None:
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch:
        path = pack(folder, Path(scratch))
        as_folder = milliseconds(lambda: verify_folder(folder))
        as_bundle = milliseconds(lambda: verify(Bundle.open(path)))
        size = path.stat().st_size
    print(f"{folder.name}: folder {as_folder:.1f} ms, bundle {as_bundle:.1f} ms (aim 20 ms), {size / 1e6:.2f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
