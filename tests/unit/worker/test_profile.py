import math
from typing import Any

import pytest

from accelbench.errors import WorkerError
from accelbench.model import OpTime
from accelbench.worker.profile import checked


@pytest.mark.parametrize(
    ("told", "match"),
    [
        (None, "NoneType, not a sequence"),
        (["Conv"], "str, not an OpTime"),
        ([], "no kernel"),
        ([OpTime("Conv", "a", "cpu", "fp32", math.nan)], "ns of a"),
        ([OpTime("Conv", "a", "cpu", "fp32", 1.0, -1.0)], "calls of a"),
    ],
)
def test_an_answer_that_is_no_account_of_kernels_is_refused(told: Any, match: str) -> None:
    with pytest.raises(WorkerError, match=match) as caught:
        checked(told)
    assert caught.value.kind == "protocol"


def test_an_account_is_passed_on() -> None:
    told = [OpTime("Conv", "a", "cpu", "fp32", 1.0)]
    assert checked(told) == tuple(told)
