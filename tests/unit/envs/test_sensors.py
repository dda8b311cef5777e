"""Readers of /proc and /sys, on small trees as hosts of several kinds show them."""

from pathlib import Path

from accelbench.envs import sensors
from accelbench.envs.sensors import Reading

SERVER = {
    "sys/devices/system/cpu/cpufreq/policy0/scaling_cur_freq": "2400000\n",
    "sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq": "3600000\n",
    "sys/class/hwmon/hwmon0/name": "nvme\n",
    "sys/class/hwmon/hwmon0/temp1_input": "71850\n",
    "sys/class/hwmon/hwmon1/name": "coretemp\n",
    "sys/class/hwmon/hwmon1/temp1_input": "46000\n",
    "sys/class/hwmon/hwmon1/temp2_input": "52500\n",
    "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
    "sys/class/thermal/thermal_zone0/temp": "99000\n",
    "sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl:0/energy_uj": "31415926535\n",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
    "sys/class/powercap/intel-rapl:0:0/name": "core\n",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": "1000000\n",
    "sys/class/powercap/intel-rapl:0:1/name": "dram\n",
    "sys/class/powercap/intel-rapl:0:1/energy_uj": "2500000\n",
    "sys/class/powercap/intel-rapl:0:1/max_energy_range_uj": "65712999613\n",
    "sys/class/powercap/intel-rapl:1/name": "psys\n",
    "sys/class/powercap/intel-rapl:1/energy_uj": "5000000\n",
    "sys/class/powercap/intel-rapl-mmio:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl-mmio:0/energy_uj": "31415926536\n",
}
BOARD = {
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
    "sys/class/thermal/thermal_zone1/type": "battery\n",
    "sys/class/thermal/thermal_zone1/temp": "60000\n",
}


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def readings(root: Path) -> list[Reading | None]:
    return [sensor.read() for sensor in sensors.sensors(root)]


def test_a_server_tells_frequency_temperature_and_the_energy_of_packages_and_memory(tmp_path: Path) -> None:
    assert readings(tree(tmp_path, SERVER)) == [
        Reading("cpu.frequency", "Hz", 3.0e9),
        Reading("cpu.temperature", "°C", 52.5),
        Reading("package-0.energy", "J", 31415926535 * 1e-6, 262143328850 * 1e-6),
        Reading("dram-0.energy", "J", 2.5, 65712999613 * 1e-6),
    ]


def test_a_board_tells_the_temperature_of_its_thermal_zone(tmp_path: Path) -> None:
    assert readings(tree(tmp_path, BOARD)) == [Reading("cpu.temperature", "°C", 48312 * 1e-3)]


def test_what_is_not_there_has_no_sensor(tmp_path: Path) -> None:
    assert readings(tmp_path) == []


def test_a_counter_that_may_not_be_read_or_holds_no_number_has_no_sensor(tmp_path: Path) -> None:
    tree(tmp_path, SERVER)
    for file in tmp_path.glob("sys/class/powercap/*/energy_uj"):
        file.unlink()
        file.mkdir()  # read by root, a file without permissions would still tell
    (tmp_path / "sys/class/hwmon/hwmon1/temp1_input").write_text("")
    names = {reading.name: reading.value for reading in readings(tmp_path) if reading}
    assert names == {"cpu.frequency": 3.0e9, "cpu.temperature": 52.5}


def test_a_sensor_that_falls_silent_has_no_reading(tmp_path: Path) -> None:
    (sensor,) = sensors.sensors(tree(tmp_path, BOARD))
    (tmp_path / "sys/class/thermal/thermal_zone0/temp").unlink()
    assert sensor.read() is None


def test_the_frequencies_of_few_cores_stand_for_many(tmp_path: Path) -> None:
    tree(tmp_path, {f"sys/devices/system/cpu/cpufreq/policy{i}/scaling_cur_freq": "1000000" for i in range(200)})
    (sensor,) = sensors.sensors(tmp_path)
    assert 8 <= len(sensor.files) <= sensors.MOST_FREQUENCIES


def process(pid: int, name: str, ticks: tuple[int, int, int, int], pages: int, children: str = "") -> dict[str, str]:
    times = " ".join(map(str, ticks))
    return {
        f"proc/{pid}/stat": f"{pid} ({name}) S 1 {pid} {pid} 0 -1 4194560 523 0 0 0 {times} 20 0 1 0 4242 0 0\n",
        f"proc/{pid}/statm": f"9000 {pages} 300 1 0 500 0\n",
        f"proc/{pid}/task/{pid}/children": children,
    }


def test_a_process_tree_is_summed_whatever_its_commands_are_called(tmp_path: Path) -> None:
    tree(tmp_path, process(10, "keeper", (1, 2, 3, 4), 100, "11 12 "))
    tree(tmp_path, process(11, "worker) S 1 (", (100, 20, 0, 0), 5000, "13"))
    tree(tmp_path, process(13, "helper", (30, 0, 0, 0), 7))
    used = sensors.process_tree(10, tmp_path)  # 12 has ended meanwhile
    assert used == (160 / sensors.TICKS, 5107 * sensors.PAGE_BYTES)
    assert sensors.process_tree(99, tmp_path) is None
