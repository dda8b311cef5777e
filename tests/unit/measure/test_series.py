"""Stored telemetry and the energy that follows from it."""

from pathlib import Path

import numpy as np
import pytest

from accelbench.errors import AccelbenchError
from accelbench.measure import series as telemetry
from accelbench.measure.columns import Columns
from accelbench.measure.series import Series

S = 1_000_000_000
SECONDS = tuple(S * i for i in range(-1, 12))


def power(*values: float, times: tuple[int, ...] = SECONDS, name: str = "gpu0.power") -> Series:
    return Series(name, "W", "test", times[: len(values)], values)


def counter(*values: float, wraps_at: float | None = None, name: str = "package-0.energy") -> Series:
    return Series(name, "J", "test", SECONDS[: len(values)], values, wraps_at)


def columns(seconds: int = 8, ok: bool = True) -> Columns:
    """A query of four samples each second."""
    issued = np.arange(seconds, dtype=np.int64) * S
    return Columns(
        scheduled=issued,
        issued=issued,
        done=issued + S,
        units=np.full(seconds, 4, np.int32),
        ok=np.full(seconds, ok),
        feed=np.zeros(seconds, np.int32),
        pauses=np.empty((0, 2), np.int64),
    )


def test_what_was_stored_is_read(tmp_path: Path) -> None:
    series = (power(1.0, 2.5), counter(0.1, 7.0, wraps_at=99.5), power(3.0, 4.0, 5.0, name="gpu1.power"))
    telemetry.write(tmp_path / "new" / "0.json", series)
    assert telemetry.read(tmp_path / "new" / "0.json") == series
    assert (tmp_path / "new" / "0.json").read_text().count("1000000000") == 3  # two clocks, not three


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "times_ns": [], "series": [{}]}'])
def test_a_file_of_another_form_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "0.json").write_text(text)
    with pytest.raises(AccelbenchError, match="holds no telemetry"):
        telemetry.read(tmp_path / "0.json")


def test_the_integral_of_a_power_is_exact_for_straight_lines() -> None:
    rising = power(*(10.0 * i for i in range(13)))
    assert telemetry.energy_j(rising, 0, 8 * S) == pytest.approx(8 * 50)
    assert telemetry.energy_j(rising, S // 2, 3 * S // 2) == pytest.approx(20)


def test_a_counter_is_interpolated_and_unwound() -> None:
    wrapped = counter(90.0, 95.0, 0.0, 5.0, 10.0, wraps_at=100.0)
    assert telemetry.energy_j(wrapped, 0, 3 * S) == pytest.approx(15)
    assert telemetry.energy_j(wrapped, -S // 2, S // 2) == pytest.approx(5)


def test_a_counter_that_does_not_enclose_the_time_tells_no_energy() -> None:
    series = counter(1.0, 2.0, 3.0)
    assert telemetry.energy_j(series, -S, S) == 2.0
    assert telemetry.energy_j(series, -S - 1, S) is None
    assert telemetry.energy_j(series, -S, S + 1) is None


def test_a_power_holds_for_a_second_and_no_longer() -> None:
    series = power(*[5.0] * 4)  # from -1 s to 2 s
    assert telemetry.energy_j(series, 0, 3 * S) == pytest.approx(15)
    assert telemetry.energy_j(series, 0, 3 * S + 1) is None
    assert telemetry.energy_j(series, -2 * S, 2 * S) == pytest.approx(20)
    assert telemetry.energy_j(series, -2 * S - 1, 2 * S) is None


def test_few_readings_and_other_quantities_tell_no_energy() -> None:
    assert telemetry.energy_j(power(5.0, 5.0), -S, 0) is None
    assert telemetry.energy_j(counter(5.0), -S, -S) is None
    assert telemetry.energy_j(Series("cpu.temperature", "°C", "test", SECONDS, (5.0,) * 13), 0, S) is None
    assert telemetry.energy_j(Series("gpu0.power", "mW", "test", SECONDS, (5.0,) * 13), 0, S) is None


def test_energy_per_sample_is_told_thing_by_thing() -> None:
    found = telemetry.energy_per_sample_j(
        [
            power(*[64.0] * 13),
            counter(*(320.0 * i for i in range(13))),
            power(*[1.0] * 13, name="package-0.power"),
            Series("worker.memory", "B", "proc", SECONDS, (1e9,) * 13),
        ],
        columns(),
    )
    assert found == {"gpu0": 16.0, "package-0": 80.0}


def test_without_readings_or_samples_there_is_no_energy() -> None:
    assert telemetry.energy_per_sample_j([], columns()) is None
    assert telemetry.energy_per_sample_j([power(*[5.0] * 13)], columns(seconds=30)) is None
    assert telemetry.energy_per_sample_j([power(*[5.0] * 13)], columns(ok=False)) is None
