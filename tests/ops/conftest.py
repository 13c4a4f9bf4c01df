"""Fixtures of the operators' tests: with torchvision's operators, and without."""

from collections.abc import Iterator

import pytest
from helpers_ops import extension as calling

from mmthermal.ops import deform_conv, extension, roi_align, suppression
from mmthermal.ops.torchvision_ops import torchvision_ops

USERS = (deform_conv, roi_align, suppression)


@pytest.fixture(params=["torch", "torchvision"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the operators are built on; skips torchvision where it is not installed."""
    if request.param == "torchvision" and torchvision_ops() is None:
        pytest.skip("no torchvision whose operators load")
    if request.param == "torch":
        for module in USERS:
            monkeypatch.setattr(module, "torchvision_ops", lambda: None)
    return request.param


@pytest.fixture
def supplied_ops(backend: str) -> Iterator[None]:
    """Let mmcv's functions call mmthermal's operators, compiled ones there or not."""
    with calling(extension):
        yield
