"""Log-mel features with the statistics of speech, drawn instead of shipped.

An utterance is a row of phrases with pauses between them, a phrase a row of syllables, four to five in a second. A
syllable is a consonant, noise in the upper bands or silence, and a vowel: harmonics of a pitch that falls along the
phrase, under three formants that glide from vowel to vowel, with values of Peterson and Barney 1952 ("Control methods
used in a study of the vowels", JASA 24). Behind all is a room's noise, and every value flickers as a short spectrum's
power does. Utterances have speakers of their own: pitch, rate, loudness, length of the vocal tract, noise.

Frames are 10 ms apart, bands are the 80 of a Mel scale that is linear below 1 kHz (Slaney 1998) up to 8 kHz. Sums of
powers are taken as their maximum, and curves are made of the four operations, which IEEE 754 rounds correctly; so
features are the same on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from accelbench.errors import UsageError
from accelbench.model import Dataset
from accelbench.tensors import Record
from accelbench.zoo.samples.draws import Draws
from accelbench.zoo.samples.source import Source, choice, number

BANDS = 80
STEPS = 1024
"""Levels are whole multiples of 1/1024 decade of power."""

SHORTEST = 200
VOWELS = ((270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
          (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690))  # fmt: skip
"""Formants in Hz, means of men; a shorter vocal tract scales them up."""

WIDTHS = (90, 120, 180)
HEIGHTS = (2.2, 1.9, 1.6)

Floats = NDArray[np.float64]
NORMALISATIONS = ("per-feature", "whisper")


def source(dataset: Dataset, _folder: Path) -> Source:
    """Utterances of at most option ``frames``. Option ``normalisation`` is ``per-feature`` (if not given): records have
    ``audio_signal`` float32 [80, frames], each band with mean 0 and deviation 1 over the frames that are used and 0
    behind them, and ``length`` int64, the used frames; or ``whisper``: ``input_features`` float32 [80, frames], silence
    behind the end, all as Whisper's front end scales it (Radford et al. 2022, arXiv:2212.04356)."""
    frames = number(dataset, "frames")
    if frames < SHORTEST:
        raise UsageError(f"a data set of kind speech needs dataset.options.frames of at least {SHORTEST}, not {frames}")
    make = _MAKERS[choice(dataset, "normalisation", NORMALISATIONS, NORMALISATIONS[0])]
    return (make(utterance(frames, dataset.seed, index), frames) for index in range(dataset.count)), None


def utterance(frames: int, seed: int, index: int) -> NDArray[np.int64]:
    """Levels of sample ``index``, int64 [80, used frames] in ``STEPS`` per decade. One in four fills all ``frames``, of
    which there must be at least SHORTEST; the others end somewhere in between."""
    draws = Draws(seed, f"speech/{frames}/{index}")
    full = int(draws.below(4, 1)[0]) == 0
    used = frames if full else int(draws.between(SHORTEST, frames, 1)[0])
    track = _track(draws, used)
    bands, floor = _centres(), float(draws.between(-48, -36, 1)[0]) / 10
    level = np.maximum(_voiced(track, bands), _noise(track, bands))
    room = floor - 0.012 * np.arange(BANDS) + 0.15 * draws.normal(BANDS)
    level = np.maximum(level + float(draws.between(-5, 5, 1)[0]) / 10, room)
    flicker = draws.normal(used * BANDS).reshape(used, BANDS)
    # A power spectrum's logarithm falls further below its mean than it rises above.
    level = level + 0.22 * (flicker - 0.3 * (flicker * flicker - 1))
    levels: NDArray[np.int64] = np.rint(level.T * STEPS).astype(np.int64)
    return levels


@dataclass(frozen=True, eq=False)
class _Track:
    """What the voice does in each frame: levels of voice and of noise in decades (far down: silent), pitch and three
    formants in Hz, the band above which there is noise."""

    voice: Floats
    noise: Floats
    pitch: Floats
    formants: Floats
    edge: Floats


def _track(draws: Draws, used: int) -> _Track:
    """Syllables, one after another, until the frames are full."""
    base, tract = int(draws.between(90, 230, 1)[0]), float(draws.between(95, 120, 1)[0]) / 100
    rate = int(draws.between(-4, 4, 1)[0])
    voice, noise = np.full(used, -9.0), np.full(used, -9.0)
    pitch, edge, formants = np.full(used, float(base)), np.full(used, 40.0), np.zeros((used, 3))
    start, left, last = int(draws.between(5, 40, 1)[0]), 0, np.array(VOWELS[-1]) * tract
    formants[:] = last
    while start < used:
        if left == 0:
            left, spoken = int(draws.between(4, 12, 1)[0]), 0
            start += int(draws.between(15, 60, 1)[0])
        onset, length = int(draws.between(3, 10, 1)[0]), max(8, int(draws.between(10, 22, 1)[0]) + rate)
        middle, end = min(start + onset, used), min(start + onset + length, used)
        if int(draws.below(3, 1)[0]):
            noise[start:middle] = -1.2 + 0.2 * float(draws.normal(1)[0])
            edge[start:middle] = float(draws.between(35, 62, 1)[0])
        along = (np.arange(end - middle) + 0.5) / length
        loud = 0.3 * float(draws.normal(1)[0]) - 0.03 * spoken
        voice[middle:end] = loud - 6.0 * (along - 0.4) * (along - 0.4)
        accent = 1.0 + 0.12 * float(draws.normal(1)[0])
        pitch[middle:end] = base * (1.15 - 0.025 * spoken) * (1.0 + (accent - 1.0) * 4.0 * along * (1.0 - along))
        vowel = np.array(VOWELS[int(draws.below(len(VOWELS), 1)[0])]) * tract
        glide = np.minimum(along * 2.0, 1.0)[:, None]
        formants[middle:end] = last + (vowel - last) * glide
        start, left, spoken, last = end, left - 1, spoken + 1, vowel
    return _Track(voice, noise, pitch, formants, edge)


def _voiced(track: _Track, bands: Floats) -> Floats:
    """Levels [frames, 80] of harmonics under formants. Bands narrower than the pitch show the harmonics one by one."""
    tilt = np.rint(-0.55 * np.log2(np.maximum(bands, 200.0) / 200.0) * STEPS) / STEPS
    level = track.voice[:, None] + tilt
    for each, width, height in zip(track.formants.T, WIDTHS, HEIGHTS, strict=True):
        off = (bands - each[:, None]) / (width + 0.06 * bands)
        level = level + height / (1.0 + off * off)
    pitch = track.pitch[:, None]
    phase = bands / pitch
    ripple = 1.0 - 4.0 * np.abs(phase - np.rint(phase))
    spacing = np.diff(bands, append=8000.0)
    resolved = np.clip((pitch - spacing) / pitch, 0.0, 1.0)
    return level - 1.0 + 0.6 * ripple * resolved


def _noise(track: _Track, bands: Floats) -> Floats:
    """Levels [frames, 80] of a consonant's noise: full above the edge, a decade less in every 12 bands below."""
    below = np.maximum(track.edge[:, None] - np.arange(len(bands)), 0.0)
    return track.noise[:, None] - below / 12.0


def _centres() -> Floats:
    """The bands' middles in whole Hz: 15 steps of the Mel scale up to 1 kHz, then 27 for every factor of 6.4."""
    mels = (15 + 27 * math.log(8.0) / math.log(6.4)) * np.arange(1, BANDS + 1) / (BANDS + 1)
    return np.rint(np.where(mels < 15, mels * 200 / 3, 1000 * 6.4 ** ((np.maximum(mels, 15) - 15) / 27)))


def _per_feature(levels: NDArray[np.int64], frames: int) -> Record:
    used = levels.shape[1]
    total, squares = levels.sum(axis=1, keepdims=True), (levels * levels).sum(axis=1, keepdims=True)
    deviation = np.sqrt((used * squares - total * total) / (used * (used - 1)))
    features = np.zeros((BANDS, frames), np.float32)
    features[:, :used] = (levels - total / used) / deviation
    return {"audio_signal": features, "length": np.array(used, np.int64)}


def _whisper(levels: NDArray[np.int64], frames: int) -> Record:
    """Eight decades below the loudest value all is silence; then four decades are one."""
    padded = np.full((BANDS, frames), levels.max() - 8 * STEPS)
    padded[:, : levels.shape[1]] = np.maximum(levels, levels.max() - 8 * STEPS)
    return {"input_features": ((padded + 4 * STEPS) / (4 * STEPS)).astype(np.float32)}


_MAKERS = {"per-feature": _per_feature, "whisper": _whisper}
