"""On a GPU: every config in three precisions, resume, test, and a loss that never waits.

`make test-gpu` runs these and the tests of the maths that take a device. Without a GPU they are
skipped; what a GPU would refuse is then tested by tests/test_gpu_types.py.
"""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import (
    ROOT,
    as_arguments,
    config_names,
    data_options,
    run_tool,
    small_options,
    write_coco,
)
from helpers_heads import make_case, make_head
from helpers_steps import two_steps_and_a_prediction

import mmthermal.heads.dense_composite as dense_composite

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
PRECISIONS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", config_names())
def test_every_config_trains_and_predicts(name: str, precision: str) -> None:
    dtype = PRECISIONS[precision]
    losses = two_steps_and_a_prediction(name, dtype, "cuda")
    assert all(math.isfinite(loss) for loss in losses)


# The configs train in bfloat16 by their own wrapper; float16 is mmengine's.
OPTIONS = {
    "float32": {"optim_wrapper.enabled": False},
    "float16": {"optim_wrapper.type": "AmpOptimWrapper", "optim_wrapper.loss_scale": "dynamic"},
    "bfloat16": {"optim_wrapper.enabled": True},
}


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_tools_train_resume_and_test(precision: str, tmp_path: Path) -> None:
    root, work = write_coco(tmp_path / "data"), tmp_path / "work"
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    own = {"train_cfg.max_epochs": 1, "train_cfg.val_interval": 1, **OPTIONS[precision]}
    options = {**data_options(root), **small_options(), **own}
    run_tool("train.py", config, "--work-dir", work, *as_arguments(options), cwd=tmp_path)
    options["train_cfg.max_epochs"] = 2
    words = ["--work-dir", work, "--resume", *as_arguments(options)]
    run_tool("train.py", config, *words, cwd=tmp_path)
    assert (work / "epoch_2.pth").exists()
    words = ["--work-dir", work / "test", *as_arguments(options)]
    done = run_tool("test.py", config, work / "epoch_2.pth", *words, cwd=tmp_path)
    assert "coco/bbox_mAP" in done.stdout + done.stderr


@pytest.mark.parametrize("loss", [{}, {"dense_negatives": 20}, {"f1_form": "soft"}], ids=str)
def test_the_host_never_waits_between_targets_and_losses(
    loss: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    case, head = make_case(), make_head(loss_composite=loss).cuda()
    feats = [level.cuda() for level in case.feats]
    truths = [truth.to("cuda") for truth in case.gts]
    assigned = dense_composite.DenseCompositeMixin.assigned

    def then_watch(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = assigned(self, *args, **kwargs)
        torch.cuda.set_sync_debug_mode("error")
        return found

    monkeypatch.setattr(dense_composite.DenseCompositeMixin, "assigned", then_watch)
    head.loss_by_feat(*head(feats), truths, case.metas)  # warms up: the first kernels are loaded
    torch.cuda.set_sync_debug_mode("default")
    try:
        losses = head.loss_by_feat(*head(feats), truths, case.metas)
        sum(value for name, value in losses.items() if "loss" in name).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert losses["loss_cls"].isfinite()


def test_the_losses_run_with_deterministic_algorithms() -> None:
    case, head = make_case(), make_head().cuda()
    feats = [level.cuda() for level in case.feats]
    truths = [truth.to("cuda") for truth in case.gts]
    torch.use_deterministic_algorithms(True)
    try:
        losses = head.loss_by_feat(*head(feats), truths, case.metas)
        sum(value for name, value in losses.items() if "loss" in name).backward()
    finally:
        torch.use_deterministic_algorithms(False)
    assert losses["loss_cls"].isfinite()
