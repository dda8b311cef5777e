"""Parameters and FLOPs, counted from the frozen graphs, are those that were published for the networks.

Papers' "FLOPs" are mostly multiply-adds, which we count as two. Parameters are all floating-point initializers, so the
moving statistics of batch norms (two per channel) come on top of a paper's trainable ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from accelbench.zoo import catalogue
from accelbench.zoo.graph_facts import graph_facts

TOLERANCE = 0.02


@dataclass(frozen=True)
class Published:
    """One figure per field, None where none was published for this input and head. ``source`` says where, and
    ``note`` what a published figure includes that the graph has not, or the other way round."""

    task: str
    parameters: float | None
    multiply_adds: float | None
    source: str
    note: str = ""


FIGURES = [
    Published(
        "resnet50",
        25.6e6,
        4.1e9,
        "torchvision.models.resnet50, IMAGENET1K_V1: 25,557,032 parameters, 4.09 GFLOPS; He et al. 2015 "
        "(arXiv:1512.03385, table 1) 3.8e9 with the stride in the 1×1 convolution",
        "v1.5, stride in the 3×3 convolution",
    ),
    Published(
        "bert-base",
        110e6,
        None,
        "Devlin et al. 2018 (arXiv:1810.04805, section 3): total parameters 110M",
        "theirs has the pooler (0.59 M) and not the head of question answering (1,538); neither has the head of masked "
        "language modelling, whose matrix is the embedding's",
    ),
]


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.task)
def test_counted_from_the_graph_as_published(figure: Published) -> None:
    if figure.task not in catalogue.tasks():
        pytest.skip(f"there is no task {figure.task} yet")
    facts = graph_facts(catalogue.graph(catalogue.find(figure.task)))
    assert facts.unknown == ()
    if figure.parameters is not None:
        assert facts.parameters == pytest.approx(figure.parameters, rel=TOLERANCE)
    if figure.multiply_adds is not None:
        assert facts.flops == pytest.approx(2 * figure.multiply_adds, rel=TOLERANCE)


def test_every_row_says_where_its_figures_come_from() -> None:
    assert all(figure.source and (figure.parameters or figure.multiply_adds) for figure in FIGURES)
    assert len({figure.task for figure in FIGURES}) == len(FIGURES)
