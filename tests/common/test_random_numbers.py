"""What is drawn within leaves no trace."""

import random

import numpy as np
import pytest
import torch

from mmthermal.common.random_numbers import same_random_numbers


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))


@pytest.mark.parametrize("fails", [False, True])
def test_the_next_numbers_are_the_same(fails: bool) -> None:
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    expected = draws()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(3)
    try:
        with same_random_numbers():
            draws()
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert draws() == expected
