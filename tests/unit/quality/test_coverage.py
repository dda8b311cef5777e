from accelbench.model import Placement
from accelbench.quality.coverage import coverage

FLOPS = {"conv": 90, "relu": 2, "gemm": 8, "cast": 0}


def test_all_on_the_device_is_everything() -> None:
    found = coverage(
        [Placement("Conv", "CPU", "fp32", 1, ("conv", "relu")), Placement("Gemm", "CPU", "fp32")], "CPU", FLOPS
    )
    assert (found.nodes, found.flops, found.fallbacks) == (1.0, 1.0, ())


def test_what_runs_elsewhere_is_taken_off() -> None:
    found = coverage([Placement("Conv", "NPU", "fp16"), Placement("Gemm", "CPU", "fp32", 1, ("gemm",))], "NPU", FLOPS)
    assert (found.nodes, found.flops) == (0.75, 0.92)
    assert found.fallbacks == ("Gemm ×1 on CPU",)


def test_an_unnamed_fallback_makes_the_share_unknown() -> None:
    found = coverage([Placement("Subgraph", "CPU", "fp32", 3)], "NPU", FLOPS)
    assert (found.nodes, found.flops, found.fallbacks) == (None, None, ("Subgraph ×3 on CPU",))


def test_a_silent_runtime_tells_nothing() -> None:
    assert coverage([], "CPU", FLOPS).nodes is None


def test_a_graph_without_arithmetic_has_no_share_of_it() -> None:
    found = coverage([Placement("Cast", "CPU", "fp32")], "CPU", {"cast": 0})
    assert (found.nodes, found.flops) == (1.0, None)
