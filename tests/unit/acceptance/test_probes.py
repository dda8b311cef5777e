import numpy as np
import onnx
import pytest

from accelbench.acceptance import probes
from accelbench.model import TensorSpec


@pytest.mark.parametrize("batch", [1, 5, "batch"])
def test_the_probe_is_a_sound_model(batch: int | str) -> None:
    onnx.checker.check_model(probes.network(batch), full_check=True)


def test_its_answers_are_those_of_each_sample_and_of_its_specs() -> None:
    answers = probes.expected(probes.samples(3))
    for spec in probes.outputs(1):
        shapes = {(answer[spec.name].dtype.name, answer[spec.name].shape) for answer in answers}
        assert shapes == {(spec.dtype, spec.shape[1:])}
    assert len({answer["scores"].argmax() for answer in answers} | {0}) > 1
    assert not np.array_equal(answers[0]["scores"], answers[1]["scores"])
    assert [answer["scores"][0] for answer in probes.expected(probes.samples(2))] == [
        answer["scores"][0] for answer in answers[:2]
    ]


def test_bad_models_are_bad() -> None:
    for model in probes.bad_models().values():
        with pytest.raises(Exception, match=r".+"):
            onnx.checker.check_model(onnx.load_from_string(model), full_check=True)


def test_bad_feeds_are_not_the_probes() -> None:
    (spec,) = probes.inputs(1)
    good = {"x": probes.samples(1)[0]["x"][None]}
    assert TensorSpec("x", good["x"].dtype.name, good["x"].shape) == spec
    for bad in probes.BAD_FEEDS:
        ((name, value),) = bad.make(good).items()
        assert TensorSpec(name, value.dtype.name, value.shape) != spec, bad.what
