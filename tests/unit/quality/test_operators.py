from accelbench.model import OpTime
from accelbench.quality.operators import operators

TIMES = (
    OpTime("Conv", "a", "cpu", "fp32", 3000.0, 1.0, ("c1", "r1")),
    OpTime("Conv", "b", "cpu", "fp32", 1000.0, 1.0, ("c2",)),
    OpTime("Reorder", "x", "cpu", "fp32", 4000.0, 2.0),
    OpTime("Relu", "r", "cpu", "fp32", 0.0, 1.0, ("r1",)),
)
FLOPS = {"c1": 60, "r1": 10, "c2": 30}


def test_kernels_are_summed_by_operator_and_a_fused_node_counts_once() -> None:
    conv, reorder, relu = operators(TIMES, FLOPS, (), 2)
    assert (conv.op, conv.kernels, conv.calls, conv.ns, conv.share) == ("Conv", 2, 2.0, 4000.0, 0.5)
    assert (conv.flops, conv.flops_share, conv.gflops) == (200.0, 1.0, 0.05)
    assert (reorder.op, reorder.calls, reorder.flops, reorder.gflops) == ("Reorder", 2.0, None, None)
    assert (relu.flops, relu.share, relu.gflops) == (0.0, 0.0, None)


def test_work_that_cannot_be_counted_is_absent() -> None:
    lines = operators(TIMES, FLOPS, ("c2",), 1, single=True)
    assert [(line.name, line.flops) for line in lines] == [("x", None), ("a", 70.0), ("b", None), ("r", 0.0)]


def test_no_time_has_no_share() -> None:
    (line,) = operators((OpTime("Conv", "a", "cpu", "fp32", 0.0),), {}, (), 1)
    assert (line.share, line.flops_share) == (None, None)


def test_work_is_absent_where_most_of_it_is_told_of_no_kernel() -> None:
    lines = operators(TIMES, {**FLOPS, "c3": 1000}, (), 1)
    assert {line.flops for line in lines} == {None}
