"""The detector takes the published checkpoint by name and decodes boxes as published."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.utils import Extractor

from accelbench.zoo import catalogue
from accelbench.zoo.materialise import slots

STRIDES = (8, 16, 32)
SIDES = tuple(640 // stride for stride in STRIDES)
FIRST = (0, 3 * 80**2, 3 * (80**2 + 40**2))
"""Where the boxes of each stride begin."""


@pytest.fixture(scope="module")
def graph() -> onnx.ModelProto:
    return catalogue.graph(catalogue.find("yolov5"))


@pytest.fixture(scope="module")
def decoding(graph: onnx.ModelProto) -> ReferenceEvaluator:
    """What comes behind the head's three convolutions."""
    return ReferenceEvaluator(
        Extractor(onnx.shape_inference.infer_shapes(graph)).extract_model(list(heads(graph)), ["predictions"])
    )


def heads(graph: onnx.ModelProto) -> tuple[str, ...]:
    found = {node.input[1]: node.output[0] for node in graph.graph.node if node.op_type == "Conv"}
    return tuple(found[f"model.24.m.{level}.weight"] for level in range(3))


def test_weights_have_the_names_of_the_published_checkpoint(graph: onnx.ModelProto) -> None:
    """Those of yolov5s.pt, version 7.0; its anchors are a constant here."""
    found = {slot.name: slot.shape for slot in slots(graph)}
    published = {
        "model.0.conv.weight": (32, 3, 6, 6),
        "model.4.m.1.cv2.bn.running_var": (64,),
        "model.6.m.2.cv2.conv.weight": (128, 128, 3, 3),
        "model.9.cv2.conv.weight": (512, 1024, 1, 1),
        "model.17.cv3.conv.weight": (128, 128, 1, 1),
        "model.23.m.0.cv1.bn.bias": (256,),
        "model.24.m.2.weight": (255, 512, 1, 1),
        "model.24.m.0.bias": (255,),
    }
    assert {name: found.get(name) for name in published} == published
    assert not any("anchor" in name for name in found)
    norms = sum(slot.count for slot in slots(graph) if "running_" in slot.name)
    assert sum(slot.count for slot in slots(graph)) - norms == 7_235_389


@pytest.mark.parametrize(
    ("level", "anchor", "size"), [(0, 0, (10, 13)), (0, 2, (33, 23)), (1, 1, (62, 45)), (2, 2, (373, 326))]
)
def test_boxes_are_decoded_as_published(
    graph: onnx.ModelProto, decoding: ReferenceEvaluator, level: int, anchor: int, size: tuple[int, int]
) -> None:
    """Centre (2σ(t) − 0.5 + cell)·stride, size (2σ(t))²·anchor: github.com/ultralytics/yolov5, issue 471."""
    names, row, column = heads(graph), 3, 7
    given: dict[str, NDArray[np.float32]] = {
        name: np.zeros((1, 255, side, side), np.float32) for name, side in zip(names, SIDES, strict=True)
    }
    logits = np.log(3.0)  # of a probability of 3/4
    given[names[level]][0, 85 * anchor + np.array([0, 3, 5 + 79]), row, column] = logits
    (found,) = map(np.asarray, decoding.run(None, dict(given)))
    place = FIRST[level] + anchor * SIDES[level] ** 2 + row * SIDES[level] + column
    stride, (width, height) = STRIDES[level], size
    expected = [(column + 1) * stride, (row + 0.5) * stride, width, 2.25 * height, 0.5]
    assert found.shape == (1, 25200, 85)
    np.testing.assert_allclose(found[0, place, :5], expected, rtol=1e-5)
    assert found[0, place, 84] == pytest.approx(0.75)
    assert np.count_nonzero(found[0, :, 84] > 0.6) == 1
