"""Which products of the catalogue this machine has, as far as its system tells without a vendor's software."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from accelbench.hardware.match import device_named

_MODEL = re.compile(r"^Model:\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Probed:
    """A device as the system calls it, where that was read, and the product that it is; None where none is known."""

    name: str
    told_by: str
    id: str | None


def probe(cpu: str | None, root: Path = Path("/")) -> list[Probed]:
    """The CPU by the name that the system gives it, and the GPUs that NVIDIA's driver lists under ``root``."""
    found = [(cpu, "/proc/cpuinfo")] if cpu else []
    for file in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        model = _MODEL.search(file.read_text(encoding="utf-8", errors="replace"))
        if model is not None:
            found.append((model[1], "/" + file.relative_to(root).as_posix()))
    return [Probed(name, told_by, device_named(name)) for name, told_by in found]
