import pytest

from accelbench.cli.tuning import tuned
from accelbench.envs.spec import find
from accelbench.errors import UsageError
from accelbench.model import Target

ABLE, UNABLE = find("onnxruntime"), find("mnn")


def test_targets_get_their_time() -> None:
    target = Target("onnxruntime", "cpu", "fp32")
    assert [side.tune_s for _, side in tuned([(ABLE, target)], 20.0)] == [20.0]
    assert tuned([(UNABLE, target)], None) == [(UNABLE, target)]


def test_a_backend_that_cannot_tune_is_refused_with_those_that_can() -> None:
    sides = [(ABLE, Target("onnxruntime", "cpu", "fp32")), (UNABLE, Target("mnn", "cpu", "fp32"))]
    with pytest.raises(UsageError, match=r"mnn has no tuning of its own: --tune takes .*onnxruntime, openvino"):
        tuned(sides, 20.0)
