"""Small heads and ground truth for the tests of this folder."""

from typing import Any

import pytest
import torch
from helpers_heads import Case, make_case


@pytest.fixture
def case() -> Case:
    """Three images: two objects and an ignored box, none, and one object."""
    return make_case()


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """One thread, so that sums are made in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
