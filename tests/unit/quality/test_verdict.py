from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.quality.sets import columns
from tests.unit.report import sample

from accelbench.model import Audit, Integrity, Quality, Report, Score, Tolerance
from accelbench.quality.drift import accumulate
from accelbench.quality.verdict import Judgement, executed_precision, judge

VALUES = np.random.default_rng(2).standard_normal(1000)
OFF = VALUES * (1 + 0.01)
WITHIN = Judgement("within", ())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verdict")


def report(folder: Path, tolerance: Tolerance, r: Any = VALUES, y: Any = OFF, **facts: Any) -> Report:
    drift = accumulate(columns(folder, {"logits": [r]}), columns(folder, {"logits": [y]}))
    quality = Quality(1, None, None, Score("top1", 0.95, 0.01, 400), drift, unready=0, constant=False)
    return replace(sample.report(), tolerance=tolerance, quality=replace(quality, **facts))


def test_met_limits_are_within(folder: Path) -> None:
    tolerance = Tolerance(max_relative_l2=0.02, min_sqnr_db=30.0, min_agreement=0.95)
    assert judge(report(folder, tolerance)) == WITHIN


@pytest.mark.parametrize(
    ("tolerance", "reason"),
    [
        (Tolerance(max_relative_l2=0.005), "drift 0.01 exceeds 0.005 (relative L2, output logits)"),
        (Tolerance(min_sqnr_db=50), "SQNR 40 dB is below 50 dB (output logits)"),
        (Tolerance(min_agreement=0.96), "agreement 0.95 is below 0.96 (top1, 400 samples)"),
        (Tolerance(max_relative_l2=0.02, min_accuracy=0.9), "accuracy 0.8 is below 0.9 (top1, 50 samples)"),
    ],
)
def test_a_broken_limit_is_out(folder: Path, tolerance: Tolerance, reason: str) -> None:
    accuracy = Score("top1", 0.8, None, 50)
    assert judge(report(folder, tolerance, accuracy=accuracy)) == Judgement("out", (reason,))


def test_every_broken_limit_is_named(folder: Path) -> None:
    tolerance = Tolerance(max_relative_l2=0.005, min_sqnr_db=50, min_agreement=0.96)
    assert len(judge(report(folder, tolerance)).reasons) == 3


def test_no_error_is_within_every_drift_limit(folder: Path) -> None:
    exact = report(folder, Tolerance(max_relative_l2=0.0, min_sqnr_db=200.0), y=VALUES)
    assert judge(replace(exact, builds=())) == WITHIN


def test_an_error_on_a_reference_of_zeros_breaks_every_drift_limit(folder: Path) -> None:
    found = judge(report(folder, Tolerance(max_relative_l2=1e9), r=[0, 0], y=[0, 1]))
    assert found == Judgement(
        "out", ("drift has no bound: the reference of output logits is all zero, the output is not",)
    )


def test_nothing_to_judge_is_unknown(folder: Path) -> None:
    assert judge(report(folder, Tolerance())) == Judgement("unknown", ("no tolerance is given",))
    blank = judge(replace(report(folder, Tolerance(min_agreement=0.9)), quality=None))
    assert blank == Judgement("unknown", ("min_agreement cannot be judged: no accuracy pass",))
    missing = judge(report(folder, Tolerance(max_relative_l2=0.02, min_agreement=0.9), agreement=None))
    assert missing == Judgement("unknown", ("min_agreement cannot be judged: agreement was not measured",))
    nan = judge(report(folder, Tolerance(max_relative_l2=0.02), r=[np.nan], y=[np.nan]))
    assert nan.verdict == "unknown"
    assert "no finite values" in nan.reasons[0]
    empty = judge(report(folder, Tolerance(max_relative_l2=0.02), r=[], y=[]))
    assert empty.reasons == ("max_relative_l2 cannot be judged: there are no values to compare",)


def test_agreement_takes_the_place_of_an_accuracy_that_labels_cannot_give(folder: Path) -> None:
    assert judge(report(folder, Tolerance(min_accuracy=0.9, min_agreement=0.9))) == WITHIN
    alone = judge(report(folder, Tolerance(min_accuracy=0.9)))
    assert alone == Judgement("unknown", ("min_accuracy cannot be judged: accuracy was not measured",))


@pytest.mark.parametrize("status", ["failed", "unsupported"])
def test_a_run_that_is_not_ok_is_unknown_for_its_own_reasons(folder: Path, status: Any) -> None:
    ended = replace(report(folder, Tolerance(max_relative_l2=0.001)), status=status)
    assert judge(replace(ended, reasons=("hung",))) == Judgement("unknown", ("hung",))
    assert judge(ended) == Judgement("unknown", (f"the run ended as {status}",))


@pytest.mark.parametrize(
    ("y", "facts", "text"),
    [
        (np.append(OFF[:-1], np.nan), {}, "NaN or infinite"),
        (OFF[:-1], {}, "shape [999]"),
        (VALUES, {}, "executed precision bf16 is contradicted"),
        (OFF, {"unready": 1}, "not ready"),
        (OFF, {"constant": True}, "do not vary"),
    ],
)
@pytest.mark.parametrize("tolerance", [Tolerance(), Tolerance(max_relative_l2=0.02)])
def test_a_failed_check_is_out_whatever_the_tolerance(
    folder: Path, tolerance: Tolerance, y: Any, facts: dict[str, Any], text: str
) -> None:
    found = judge(report(folder, tolerance, y=y, **facts))
    assert found.verdict == "out"
    assert text in found.reasons[0]


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"integrity": Integrity(4, 1, None)}, "single_stream, batch 1: timed outputs: 1 of 4"),
        ({"integrity": Integrity(4, 0, 0.05)}, "timed outputs differ"),
        ({"integrity": Integrity(0, 0, None, (10_000,) * 9, (9_000_000,) * 9)}, "cached"),
        ({"audit": Audit(rss_before_bytes=1 << 28, rss_after_bytes=1 << 30)}, "memory grew by 768 MiB"),
    ],
)
def test_dishonest_passes_decide_the_verdict(folder: Path, facts: dict[str, Any], text: str) -> None:
    timed = replace(sample.measurement("single_stream"), **facts)
    found = judge(replace(report(folder, Tolerance(max_relative_l2=0.02)), measurements=(timed,)))
    assert found.verdict == "out"
    assert text in found.reasons[0]


def test_failed_queries_leave_the_verdict_alone(folder: Path) -> None:
    timed = replace(sample.measurement("single_stream"), errors=("device lost",))
    assert judge(replace(report(folder, Tolerance(max_relative_l2=0.02)), measurements=(timed,))) == WITHIN


def test_the_executed_precision_is_that_of_the_pass_own_build(folder: Path) -> None:
    plain = report(folder, Tolerance())
    build = sample.build()
    fast = replace(build, purpose="throughput", compiled=replace(build.compiled, executed_precision="int8"))
    either = replace(plain, builds=(build, fast))
    assert executed_precision(either, sample.measurement("single_stream")) == "bf16"
    assert executed_precision(either, sample.measurement("offline")) == "int8"
    target = replace(plain.target, precision="fp16")
    assert executed_precision(replace(plain, builds=(), target=target), sample.measurement("offline")) == "fp16"
