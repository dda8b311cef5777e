from accelbench.cli.limits import Limits
from accelbench.model import Tolerance

OWN = Tolerance(max_relative_l2=1e-2, min_accuracy=0.9, min_agreement=0.99)


def test_a_limit_goes_before_the_tasks_own_and_the_others_stay() -> None:
    assert Limits(None, None).over(OWN) == OWN
    assert Limits(0.0, None).over(OWN) == Tolerance(max_relative_l2=0.0, min_accuracy=0.9, min_agreement=0.99)
    assert Limits(None, 0.0).over(OWN) == Tolerance(max_relative_l2=1e-2, min_accuracy=0.0, min_agreement=0.99)
