from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.page import factory

from accelbench import model
from accelbench.envs import spec
from accelbench.errors import UsageError
from accelbench.model import Outputs, Report
from accelbench.quality.drift import worst
from accelbench.reproduce import again
from accelbench.reproduce.again import Original


def with_outputs(tmp_path: Path, name: str, noise: float, sha256: str | None) -> Report:
    quality = replace(factory.quality(factory.drift(tmp_path / name, noise)), outputs_sha256=sha256)
    return replace(factory.report("resnet50", "openvino", "fp32"), quality=quality)


def test_all_passes_are_to_come_out_again(tmp_path: Path) -> None:
    made, folder = factory.timed(tmp_path, "a", factory.report("resnet50", "openvino", "fp32"))
    found = Original.read(made, folder)
    assert found.plans == (made.measurements[0].plan, made.measurements[1].plan)
    assert {figure.measurement for figure in found.figures} == {None, 0, 1}


def test_of_a_search_only_the_peak_is(tmp_path: Path) -> None:
    bound = replace(factory.measurement("server", 1, 900).plan, rate=10.0, latency_bound_s=10.0)
    bound = replace(bound, stop=model.Stop(max_s=1.0, statistic="p50"))
    probes = tuple(
        replace(
            factory.measurement("server", 1, 900), plan=replace(bound, rate=rate, seed=seed), columns=f"columns/{n}"
        )
        for n, (rate, seed) in enumerate(((5.0, 1), (10.0, 2), (10.0, 3), (10.0, 4)))
    )
    made = replace(factory.report("resnet50", "openvino", "fp32"), measurements=probes)
    found = Original.read(*factory.timed(tmp_path, "a", made))
    assert set(found.passes) <= {3}
    assert {figure.measurement for figure in found.figures} <= {None, 3}


def test_a_failed_report_has_nothing_that_could_come_out_again(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is failed: it has no figures"):
        Original.read(factory.failed(), tmp_path)


def test_a_report_without_its_raw_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="from its raw facts"):
        Original.read(factory.report("resnet50", "openvino", "fp32"), tmp_path)


@pytest.mark.parametrize(
    ("first", "run", "expected"),
    [
        ((1e-3, "a"), (1e-3, "a"), "bit_equal"),
        ((1e-3, "a"), (1e-3, "b"), "within_drift"),
        ((2e-2, "a"), (2e-2, "b"), "differ"),
        ((1e-3, None), (1e-3, "b"), "unknown"),
    ],
)
def test_outputs_lie_no_further_apart_than_both_from_the_reference(
    tmp_path: Path, first: tuple[float, str | None], run: tuple[float, str | None], expected: Outputs
) -> None:
    """The tolerance of the report is a relative L2 of 5e-3."""
    one, other = with_outputs(tmp_path, "1", *first), with_outputs(tmp_path, "2", *run)
    outcome, bound = again._outputs(one, [other])
    assert outcome == expected
    if expected in ("within_drift", "differ"):
        assert bound == sum(worst(each.quality).relative_l2 or 0 for each in (one, other) if each.quality)


def test_the_backend_must_be_the_one_that_made_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    made = factory.report("resnet50", "openvino", "fp32")
    here = spec.backends()["openvino"]
    assert made.environment is not None
    same = replace(made.environment, adapter_sha256=here.adapter_sha256, lock_sha256=here.lock_sha256)
    assert again.backend(replace(made, environment=same), None, trusted=False) == here
    with pytest.raises(UsageError, match="give the bundle"):
        again.backend(made, None, trusted=True)
    with pytest.raises(UsageError, match="--trust-adapter"):
        again.backend(made, here.folder, trusted=False)
    with pytest.raises(UsageError, match="is not the one that made the report"):
        again.backend(made, here.folder, trusted=True)
    monkeypatch.setattr(spec, "backends", dict)
    assert again.backend(replace(made, environment=same), here.folder, trusted=True) == here
