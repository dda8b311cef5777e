"""The acceptance test finds each fault of the faulty backend, in the part that is about it."""

from collections.abc import Callable

import pytest

from accelbench.acceptance.check import PARTS, Wishes, check
from accelbench.acceptance.result import Acceptance
from accelbench.envs.spec import BackendSpec
from accelbench.zoo import catalogue

pytestmark = pytest.mark.slow

Start = Callable[[str], BackendSpec]


def checked(
    spec: BackendSpec, behaviour: str | None, *parts: str, cases: str = "test_abs", timeout_s: float = 30.0
) -> Acceptance:
    options = spec.options({"behaviour": behaviour} if behaviour else {})
    wishes = Wishes(parts, options, [catalogue.find("digits-cnn")], cases=cases, case_s=3.0, timeout_s=timeout_s)
    return check(spec, wishes, lambda _text: None)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_a_shipped_backend_passes(backend: Start, name: str) -> None:
    backend("onnxruntime")
    found = checked(backend(name), None, *PARTS, cases="test_a[bdr]*")
    assert {part.part: part.reasons for part in found.parts} == dict.fromkeys(PARTS, ())
    assert found.passed
    assert {case.operator for case in found.cases} >= {"Abs", "Add", "ArgMax"}
    assert [(row.task, row.outcome) for row in found.tasks] == [("digits-cnn", "within")]


@pytest.mark.parametrize(
    ("behaviour", "part", "text"),
    [
        ("unsupported", "contract", "the probe is unsupported: operator Softmax"),
        ("crash_compile", "contract", "crashed: the worker died in compile"),
        ("hang_run", "contract", "hung: infer did not end within 5 s"),
        ("raises", "contract", "raised: infer: RuntimeError: the device is on fire"),
        ("exits", "contract", "raised: infer: SystemExit"),
        ("nonsense", "contract", "protocol: compile of backend faulty gave a wrong Compiled"),
        ("nan", "contract", "NaN or infinite"),
        ("wrong_shape", "contract", "shape"),
        ("wrong_dtype", "contract", "dtype float64"),
        ("unready", "contract", "outputs changed after they were handed back"),
        ("cached", "determinism", "outputs do not vary with the feed"),
        ("ignores_inputs", "determinism", "outputs do not vary with the feed"),
        ("random", "determinism", "the same feeds gave other outputs the second time"),
        ("races", "threads", "concurrent: "),
        ("nan", "batches", "batch 2: output"),
        ("claims_bf16", "precision", "executed precision bf16 is contradicted"),
        ("answers_anything", "bad-inputs", "a wrong shape: answered"),
        ("crash_on_shape", "bad-inputs", "a dimension too many: crashed"),
        ("leaks", "leak", "memory grew by"),
        ("drifts", "reload", "other outputs after loading"),
        ("crash_run", "operators", "1 crashed: test_abs"),
        ("hang_run", "operators", "1 hung: test_abs"),
        ("wrong_dtype", "operators", "1 wrong and not declared: test_abs"),
        ("ignores_inputs", "tasks", "digits-cnn: outputs do not vary with the feed"),
    ],
)
def test_each_fault_is_found(backend: Start, behaviour: str, part: str, text: str) -> None:
    backend("onnxruntime")
    found = checked(backend("faulty"), behaviour, part, timeout_s=5.0 if "hang" in behaviour else 30.0)
    (result,) = found.parts
    assert result.outcome == "failed"
    assert text in "\n".join(result.reasons)
    assert not found.passed


def test_without_a_fault_the_faulty_backend_passes(backend: Start) -> None:
    parts = [part for part in PARTS if part not in ("operators", "tasks")]
    found = checked(backend("faulty"), "none", *parts)
    reasons = {part.part: part.reasons for part in found.parts}
    assert reasons == dict.fromkeys(parts, ())


def test_a_stack_that_does_nothing_is_found_out(backend: Start) -> None:
    found = checked(
        backend("null"), None, "contract", "determinism", "batches", "precision", "bad-models", "bad-inputs"
    )
    assert [part.outcome for part in found.parts] == ["failed"] * 6
