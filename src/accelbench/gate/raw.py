"""Raw facts of a report read back for the rules that compute from them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from accelbench.errors import AccelbenchError
from accelbench.measure.arrivals import scheduled
from accelbench.measure.columns import Ints
from accelbench.model import Measurement
from accelbench.tensors import Array

MOST_BYTES = 2**30
"""Of all predictions of a report, unpacked: decisions are small."""

REFERENCE = "reference_"


def arrivals_of(folder: Path, measurement: Measurement) -> Ints:
    """The arrivals that a ``server`` pass was to follow, drawn again or from the trace that lies in the report. Raises
    AccelbenchError when they cannot be told."""
    return scheduled(measurement.plan, folder / measurement.trace if measurement.trace else None)


def predictions(folder: Path, name: str) -> tuple[dict[str, Array], dict[str, Array]]:
    """The decisions about the outputs and about the reference's, by their names. Raises AccelbenchError for a file that
    is none, or far too large."""
    path = folder / name
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise AccelbenchError(f"{name} would take more than {MOST_BYTES} bytes")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise AccelbenchError(f"{name} does not hold predictions ({error})") from None
    ours = {key: array for key, array in arrays.items() if not key.startswith(REFERENCE)}
    theirs = {key.removeprefix(REFERENCE): array for key, array in arrays.items() if key.startswith(REFERENCE)}
    return ours, theirs
