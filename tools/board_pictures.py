"""Makes the pictures of docs/boards.md and docs/boards.zh-CN.md anew, from the board of the examples. Needs Node,
Chromium, and the page of boards (`make page`).

python tools/board_pictures.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
COLOURS = 96
HEIGHTS = {"performance": 1300, "find": 1080, "report": 1560}
"""How much of each page is shown."""


def main() -> None:
    """Builds the board, takes the pictures, and writes them with few colours."""
    with tempfile.TemporaryDirectory() as scratch:
        board, taken = Path(scratch) / "board", Path(scratch) / "taken"
        taken.mkdir()
        accelbench = Path(sys.executable).with_name("accelbench")
        subprocess.run([accelbench, "board", "build", str(ROOT / "examples/reports"), "-o", str(board)], check=True)
        subprocess.run(["node", str(ROOT / "web/tools/docs.mjs"), str(board), str(taken)], check=True)
        IMAGES.mkdir(exist_ok=True)
        for file in sorted(taken.glob("*.png")):
            whole = Image.open(file).convert("RGB")
            top = whole.crop((0, 0, whole.width, min(whole.height, HEIGHTS[file.stem.partition("-")[0]])))
            few = top.quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(IMAGES / file.name, optimize=True)
            print(f"{file.name} {(IMAGES / file.name).stat().st_size / 1024:.0f} KiB")  # noqa: T201


if __name__ == "__main__":
    main()
