"""Lines of vendors' monitors, in the forms that their releases print."""

import pytest

from accelbench.envs import monitors
from accelbench.envs.sensors import Reading

OLD_TABLE = """\
TIMESTAMP  GPU  POWER  GPU_TEMP  MEM_TEMP  GFX_UTIL  GFX_CLOCK
1740686195    0    8 W     28 °C     32 °C       0 %      0 MHz
1740686195    1  211 W     59 °C       N/A     100 %   2100 MHz
"""
NEW_TABLE = """\
GPU  XCP  POWER  PWR_CAP   GPU_T   MEM_T   GFX_CLK   GFX%
  3    0  183 W   303 W    82 °C   84 °C  3036 MHz  100 %
"""


def test_nvidia_smi() -> None:
    assert monitors.nvidia_smi("1, 351.47, 61, 1980, 97, 70712") == [
        Reading("gpu1.power", "W", 351.47),
        Reading("gpu1.temperature", "°C", 61.0),
        Reading("gpu1.frequency", "Hz", 1.98e9),
        Reading("gpu1.utilisation", "%", 97.0),
        Reading("gpu1.memory", "B", 70712.0 * 2**20),
    ]


def test_what_a_card_does_not_tell_is_absent() -> None:
    found = monitors.nvidia_smi("0, [N/A], 44, [Not Supported], [N/A], 512")
    assert [reading.name for reading in found] == ["gpu0.temperature", "gpu0.memory"]


@pytest.mark.parametrize(
    "line",
    ["", "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", "0, 1, 2", "No devices"],
)
def test_what_is_no_reading_of_nvidia_smi_is_none(line: str) -> None:
    assert monitors.nvidia_smi(line) == []


def test_amd_smi_by_the_names_of_older_releases() -> None:
    parse = monitors.amd_smi()
    found = [reading for line in OLD_TABLE.splitlines() for reading in parse(line)]
    assert found == [
        Reading("gpu0.power", "W", 8.0),
        Reading("gpu0.temperature", "°C", 28.0),
        Reading("gpu0.utilisation", "%", 0.0),
        Reading("gpu0.frequency", "Hz", 0.0),
        Reading("gpu1.power", "W", 211.0),
        Reading("gpu1.temperature", "°C", 59.0),
        Reading("gpu1.utilisation", "%", 100.0),
        Reading("gpu1.frequency", "Hz", 2.1e9),
    ]


def test_amd_smi_by_the_names_of_newer_releases() -> None:
    parse = monitors.amd_smi()
    found = {reading.name: reading.value for line in NEW_TABLE.splitlines() for reading in parse(line)}
    assert found == {
        "gpu3.power": 183.0,
        "gpu3.temperature": 82.0,
        "gpu3.frequency": 3.036e9,
        "gpu3.utilisation": 100.0,
    }


def test_a_row_without_its_header_or_of_another_form_is_none() -> None:
    parse = monitors.amd_smi()
    assert parse("  0    8 W     28 °C") == []
    assert parse("GPU  POWER  GPU_T") == []
    assert parse("  0    8 W     28 °C   31 °C") == []
    assert len(parse("  0    8 W     28 °C")) == 2


def test_a_backends_own_line() -> None:
    found = monitors.json_lines('{"name": "npu0.power", "unit": "W", "value": 12}')
    assert found == [Reading("npu0.power", "W", 12.0)]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "12.5",
        "[1]",
        '{"name": "npu0.power", "unit": "W"}',
        '{"name": "npu0.power", "unit": "W", "value": "12"}',
        '{"name": "npu0.power", "unit": "W", "value": NaN}',
        '{"name": "npu0.power", "unit": "W", "value": true}',
        '{"name": 1, "unit": "W", "value": 2}',
    ],
)
def test_what_is_no_reading_of_a_backend_is_none(line: str) -> None:
    assert monitors.json_lines(line) == []


def test_only_what_is_on_path_is_started() -> None:
    assert monitors.monitors(lambda _: None) == []
    found = monitors.monitors(lambda name: f"/opt/{name}")
    assert [(monitor.source, monitor.argv[0]) for monitor in found] == [
        ("nvidia-smi", "/opt/nvidia-smi"),
        ("amd-smi", "/opt/amd-smi"),
    ]
