import math

import numpy as np
import pytest

from accelbench.metrics.means import mean


def test_the_mean_of_ones_and_zeros_has_the_binomial_error() -> None:
    found = mean("top1", np.array([True, False, True, True, False]))
    assert (found.name, found.value, found.samples) == ("top1", 0.6, 5)
    assert found.standard_error == pytest.approx(math.sqrt(0.6 * 0.4 / 5))


def test_the_error_is_that_of_the_spread() -> None:
    assert mean("f1", np.array([0.5, 0.5])).standard_error == 0.0
    assert mean("f1", np.array([0.0, 4.0])).standard_error == pytest.approx(2 / math.sqrt(2))
