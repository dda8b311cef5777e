"""The harness's figures for this host: kept by the self-test, and put into every report that is made here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from accelbench import paths
from accelbench.model import STRICT, Harness, Host

FILE = "selftest.json"


@dataclass(frozen=True)
class Kept:
    """What the self-test leaves: the host that it ran on, the harness's figures, and LoadGen's by the same names, None
    where it was not there."""

    __pydantic_config__ = STRICT

    host: Host
    harness: Harness
    loadgen: Mapping[str, tuple[float, ...]] | None


_ADAPTER = TypeAdapter(Kept)


def keep(kept: Kept) -> Path:
    """Write ``kept`` to accelbench's home, whole or not at all, over what was there. Returns the file."""
    target = paths.home() / FILE
    with paths.disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{FILE}.", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(_ADAPTER.dump_json(kept, indent=1))
            temporary.chmod(0o644)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return target


def harness_of(host: Host) -> Harness | None:
    """The figures that were kept for ``host``; None where there are none, or where they are another machine's. The
    Python that runs the command does not matter: the harness runs in the worker's."""
    try:
        kept = _ADAPTER.validate_json((paths.home() / FILE).read_bytes())
    except (OSError, ValidationError):
        return None
    same = asdict(replace(kept.host, python="")) == asdict(replace(host, python=""))
    return kept.harness if same else None
