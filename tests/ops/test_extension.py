"""Each operator against results of a compiled mmcv that tests/ops/make_reference.py stored."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_detectors import DETECTORS, run_detector
from helpers_ops import RUN, Arrays, scores_of

from mmthermal.ops import extension

DATA = Path(__file__).parent / "data"


@functools.cache
def stored() -> dict[tuple[str, str], dict[str, Arrays]]:
    """Inputs ("in") and results ("out") by operator and case."""
    cases: dict[tuple[str, str], dict[str, Arrays]] = {}
    with np.load(DATA / "compiled.npz") as arrays:
        for key in arrays:
            operator, case, way, name = key.split("/")
            cases.setdefault((operator, case), {"in": {}, "out": {}})[way][name] = arrays[key]
    return cases


@pytest.mark.usefixtures("supplied_ops")
@pytest.mark.parametrize(("operator", "case"), stored(), ids=[" ".join(key) for key in stored()])
def test_results_and_gradients_are_those_of_the_compiled_operator(operator: str, case: str) -> None:
    arrays = stored()[operator, case]
    if "order" in arrays["in"]:
        order = torch.tensor(scores_of(arrays["in"])).sort(0, descending=True)[1]
        if order.tolist() != arrays["in"]["order"].tolist():
            pytest.skip("torch sorts equal scores in another order on this processor")
    found = RUN[operator](arrays["in"])
    assert found.keys() == arrays["out"].keys()
    for name, expected in arrays["out"].items():
        if expected.dtype.kind == "i":
            np.testing.assert_array_equal(found[name], expected, name)
        else:
            np.testing.assert_allclose(found[name], expected, rtol=2e-5, atol=5e-6, err_msg=name)


def test_every_supplied_operator_has_stored_results() -> None:
    """Except those that mmcv compiles for a GPU only."""
    stems = {operator for operator, _ in stored()}
    for name in extension.__all__:
        stem = name.split("_forward")[0].split("_backward")[0].replace("softnms", "soft_nms")
        assert stem in stems or stem.startswith(("sigmoid_focal", "get_")), name


@pytest.mark.usefixtures("supplied_ops")
@pytest.mark.parametrize("name", DETECTORS)
def test_a_detector_learns_and_detects_as_with_a_compiled_mmcv(name: str) -> None:
    """Loss, gradients and detections of the same weights for the same images."""
    found = run_detector(name)
    with np.load(DATA / "detectors.npz") as arrays:
        expected = {k.split("/")[1]: arrays[k] for k in arrays if k.split("/")[0] == name}
    assert found.keys() == expected.keys()
    np.testing.assert_array_equal(found.pop("labels"), expected.pop("labels"))
    # Anchors and targets are float32, whose last digit depends on the processor.
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-5, atol=1e-6, err_msg=key)


def test_another_operator_says_how_to_get_it() -> None:
    with pytest.raises(NotImplementedError, match=r"'carafe_forward' needs a compiled mmcv.*pip"):
        extension.carafe_forward(torch.zeros(1), kernel_size=3)
    assert extension.carafe_forward.__name__ == "carafe_forward"


def test_it_has_no_special_attributes_beyond_a_module_s() -> None:
    assert not hasattr(extension, "__path__")
    assert not hasattr(extension, "_private")


def test_the_versions_say_that_nothing_is_compiled() -> None:
    assert "mmthermal" in extension.get_compiler_version()
    assert extension.get_compiling_cuda_version() == "not available"
