"""Every config takes training steps under bfloat16 where mmcv's kernels refuse it, as on a GPU."""

import pytest
import torch
from helpers_data import config_names
from helpers_gpu_types import use_gpu_kernels
from helpers_steps import two_steps_and_a_prediction

# One config of each way through the operators; the others are slow tests.
FAST = [
    f"{detector}_hituav160.py"
    for detector in (
        "retinanet/retina_focal", "retinanet/retina_composite", "atss/atss_focal",
        "fcos/fcos_focal", "gfl/gfl_qfl", "vfnet/vfnet_varifocal", "faster_rcnn/faster_rcnn_ce",
        "cascade_rcnn/cascade_rcnn_composite",
    )
]  # fmt: skip
OTHERS = [name for name in config_names() if name not in FAST]


def check(name: str, monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype) -> None:
    called = use_gpu_kernels(monkeypatch)
    # GHM counts gradients in bins: a rounding moves some to the next, and with it their weight
    low = two_steps_and_a_prediction(name, dtype)
    plain = two_steps_and_a_prediction(name, torch.float32)
    assert low[0] == pytest.approx(plain[0], rel=0.25 if "_ghm_" in name else 0.05)
    if "_r50_scratch_" not in name:  # two steps from scratch: no score passes the threshold
        assert "nms" in called
    if "_focal_" in name and "class_weight" not in name:
        assert "sigmoid_focal_loss_forward" in called


@pytest.mark.parametrize("name", FAST)
def test_trains_in_bfloat16(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, monkeypatch, torch.bfloat16)


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_every_other_config_trains_in_bfloat16(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, monkeypatch, torch.bfloat16)


def test_without_the_guard_it_ends_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the tests above can fail."""
    use_gpu_kernels(monkeypatch, guard=False)
    with pytest.raises(NotImplementedError, match="sigmoid_focal_loss_forward.*BFloat16"):
        two_steps_and_a_prediction(FAST[0], torch.bfloat16)
