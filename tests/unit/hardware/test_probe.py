"""What a machine's own files tell of its devices."""

from pathlib import Path

from accelbench.hardware.probe import Probed, probe


def test_the_cpu_and_the_gpus_that_the_driver_lists(tmp_path: Path) -> None:
    for bus, model in (("0000:01:00.0", "NVIDIA H200"), ("0000:02:00.0", "NVIDIA Mystery 1")):
        folder = tmp_path / "proc/driver/nvidia/gpus" / bus
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t\t {model}\nIRQ:   \t\t 7\n")
    (tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0/power").write_text("Model: x\n")
    assert probe("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", tmp_path) == [
        Probed("Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", "/proc/cpuinfo", "intel-xeon-platinum-8380"),
        Probed("NVIDIA H200", "/proc/driver/nvidia/gpus/0000:01:00.0/information", "nvidia-h200-sxm"),
        Probed("NVIDIA Mystery 1", "/proc/driver/nvidia/gpus/0000:02:00.0/information", None),
    ]


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert probe(None, tmp_path) == []
