"""Shared fixtures: device, dtype with one table of tolerances, seed; the hypothesis profile."""

import sys
from collections.abc import Callable
from pathlib import Path

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
import pytest
import torch
from hypothesis import settings
from mmengine.visualization import Visualizer
from torch import Tensor

from mmthermal.common import said_once

# Makes ``import reference`` work for tests of every folder.
sys.path.insert(0, str(Path(__file__).parent))

# torch's first call takes longer than hypothesis' deadline of 200 ms; runs must repeat exactly.
settings.register_profile(
    "mmthermal", deadline=None, derandomize=True, print_blob=True, max_examples=60
)
settings.load_profile("mmthermal")

# Allowed difference, relative and absolute, of a result computed in each dtype.
TOLERANCES = {
    torch.float64: (1e-9, 1e-11),
    torch.float32: (2e-5, 2e-6),
    torch.float16: (2e-3, 2e-3),
    torch.bfloat16: (1.6e-2, 1.6e-2),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--device``."""
    parser.addoption(
        "--device",
        action="append",
        help="torch device that the maths is tested on, may be repeated; by default the CPU, "
        "and CUDA where there is one",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests that ask for ``device`` on each device."""
    if "device" in metafunc.fixturenames:
        found = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
        names = metafunc.config.getoption("--device") or found
        on_gpu = [pytest.mark.gpu]
        values = [
            pytest.param(torch.device(n), marks=on_gpu if n.startswith("cuda") else [])
            for n in names
        ]
        metafunc.parametrize("device", values, ids=str, scope="session")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said once, from the beginning of the test on."""
    lines: list[str] = []
    monkeypatch.setattr(said_once, "_said", set())
    monkeypatch.setattr(said_once, "print_log", lambda text, **kwargs: lines.append(text))
    return lines


@pytest.fixture(scope="session", params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """The dtypes that every formula is tested in."""
    return request.param


@pytest.fixture(autouse=True)
def seed() -> None:
    """Seed torch before each test; make random inputs on the CPU, then move them."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def own_visualizer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's runner writes into its own folder: mmengine keeps visualizers by their name."""
    for kind in (Visualizer, *Visualizer.__subclasses__()):
        monkeypatch.setattr(kind, "_instance_dict", {})


@pytest.fixture(scope="session")
def assert_close() -> Callable[..., None]:
    """``assert_close(actual, expected)`` within the tolerance of actual's dtype.

    ``expected`` may be a number, nested lists of numbers or a tensor of any dtype and device. A
    keyword ``dtype`` takes the tolerance of another dtype, where the inputs were coarser.
    """

    def check(actual: Tensor, expected: object, *, dtype: torch.dtype | None = None) -> None:
        wanted = torch.as_tensor(expected, dtype=torch.float64, device="cpu")
        rtol, atol = TOLERANCES[dtype or actual.dtype]
        found = actual.detach().cpu().double()
        torch.testing.assert_close(found, wanted.detach(), rtol=rtol, atol=atol)

    return check
