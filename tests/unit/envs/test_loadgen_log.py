"""LoadGen 6.0.17's own files, recorded over a session that does nothing (without its lists of hashes and commits)."""

import shutil
from pathlib import Path

from accelbench.envs.loadgen_log import DETAIL, SUMMARY, read

RECORDED = Path(__file__).parent / "loadgen"


def test_a_valid_run() -> None:
    found = read(RECORDED / "single_stream")
    assert (found.version, found.valid) == ("6.0.17", True)
    assert found.figures["50.00 percentile latency (ns)"] == 2008
    assert found.figures["99.90 percentile latency (ns)"] == 39599
    assert found.figures["QPS w/ loadgen overhead"] == 169365.19
    assert found.figures["Early stopping 90.0th percentile estimate"] == 2481
    assert found.settings["scenario"] == "SingleStream"
    assert found.settings["min_duration_ms"] == "300"
    assert found.settings["target_latency_percentile"] == "0.9"
    assert [text.partition(":")[0] for text in found.complaints] == ["Logging allocation detected"]


def test_parameters_are_no_figures() -> None:
    assert not [name for name in read(RECORDED / "single_stream").figures if "seed" in name or "duration" in name]


def test_the_rates_of_server() -> None:
    found = read(RECORDED / "server")
    assert found.figures["Completed samples per second"] == 953.25
    assert found.figures["Scheduled samples per second"] == 953.55


def test_a_run_that_loadgen_calls_invalid_says_why() -> None:
    found = read(RECORDED / "ran_out")
    assert found.valid is False
    assert found.complaints[0] == "Decrease the expected latency so the loadgen pre-generates more queries."
    assert found.complaints[1].startswith("Ending early: Ran out of generated queries")


def test_numbers_with_an_exponent(tmp_path: Path) -> None:
    (tmp_path / SUMMARY).write_text("Samples per second: 1.25e+06\nMax latency (ns) : 3\nName : x1\n")
    assert read(tmp_path).figures == {"Samples per second": 1.25e6, "Max latency (ns)": 3.0}


def test_what_a_dying_process_left_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = (RECORDED / "single_stream" / DETAIL).read_text()
    (tmp_path / DETAIL).write_text(whole[: whole.index('"effective_min_query_count"')])
    found = read(tmp_path)
    assert (found.version, found.valid, found.figures) == ("6.0.17", None, {})
    assert found.settings["max_duration_ms"] == "300"
    assert "min_query_count" not in found.settings


def test_nothing_written(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.version, found.valid) == (None, None)
    assert not found.figures
    assert not found.settings
    assert not found.complaints


def test_a_line_that_is_no_event_is_passed_over(tmp_path: Path) -> None:
    shutil.copytree(RECORDED / "server", tmp_path / "run")
    with (tmp_path / "run" / DETAIL).open("a") as log:
        log.write('noise\n:::MLLOG [1]\n:::MLLOG {"key": "effective_scenario"}\n')
    assert read(tmp_path / "run") == read(RECORDED / "server")
