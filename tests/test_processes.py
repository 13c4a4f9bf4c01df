"""tools/train.py on several processes without a GPU takes the step that one process takes.

One iteration of plain gradient descent in float64: the change of the weights is the gradient. Box
and centerness terms of FCOS and ATSS are computed in float32 all the same, hence the tolerance.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_data import CONFIGS, ROOT, data_options, tiny_config, write_coco
from mmengine.config import Config

IMAGES = 6
EMPTY, CROWD = 1, 4  # an image without objects, and one of which nothing counts
DETECTORS = {
    "retina": "retinanet/retina_composite_synthetic.py",
    "atss": "atss/atss_composite_synthetic.py",
    "fcos": "fcos/fcos_composite_synthetic.py",
    "faster_rcnn": "faster_rcnn/faster_rcnn_composite_synthetic.py",
}
# Processes, and the batches of each; image k goes to process k modulo their number.
EVEN, NO_OBJECT, NO_CANDIDATE, FEWER = (
    (2, [0, 2, 3, 5]),
    (2, [0, EMPTY]),
    (2, [0, CROWD]),
    (3, [0, 1, 2, 3, 5]),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_coco(
        tmp_path_factory.mktemp("processes") / "data", splits={"train": IMAGES, "val": 2}
    )
    path = root / "annotations" / "train.json"
    content = json.loads(path.read_text())
    kept = [a for a in content["annotations"] if a["image_id"] - 1 not in (EMPTY, CROWD)]
    crowd = dict(
        id=1000, image_id=CROWD + 1, category_id=1, bbox=[0, 0, 96, 64], area=6144, iscrowd=1
    )
    content["annotations"] = [*kept, crowd]
    path.write_text(json.dumps(content))
    return root


def write_config(detector: str, images: list[int], processes: int, data: Path, path: Path) -> Path:
    """A config whose one training step uses these images, without chance."""
    subset = path.with_suffix(".json")
    content = json.loads((data / "annotations" / "train.json").read_text())
    order = {image + 1: place + 1 for place, image in enumerate(images)}
    content["images"] = sorted(
        (dict(i, id=order[i["id"]]) for i in content["images"] if i["id"] in order),
        key=lambda image: image["id"],
    )
    content["annotations"] = [
        dict(a, image_id=order[a["image_id"]])
        for a in content["annotations"]
        if a["image_id"] in order
    ]
    subset.write_text(json.dumps(content))
    cfg = tiny_config(DETECTORS[detector], data) if detector == "retina" else thin(detector, data)
    loader = cfg.train_dataloader
    loader.batch_size = -(-len(images) // processes)
    loader.sampler = dict(type="DefaultSampler", shuffle=False, round_up=False)
    loader.dataset.ann_file = str(subset)
    loader.dataset.pipeline = [
        step for step in loader.dataset.pipeline if not step["type"].startswith("Random")
    ]
    cfg.model.backbone.norm_eval = True  # a batch norm would see one process's images only
    heads = [part for part in parts(cfg.model) if "loss_composite" in part]
    assert heads
    for head in heads:
        head["loss_composite"].update(warmup_iters=0, ramp_iters=0)
    cfg.optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1.0))
    cfg.param_scheduler = None
    cfg.train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=1, val_interval=9)
    cfg.default_hooks.checkpoint = dict(type="CheckpointHook", interval=1, save_optimizer=False)
    cfg.default_hooks.logger.interval = 1
    cfg.dump(path)
    return path


def in_float64(path: Path) -> Path:
    """The config with float64 arithmetic and nothing that is drawn, and without validation."""
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(dict(custom_imports=dict(imports=["mmthermal", "helpers_float64"])))
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None  # mmcv's NMS has no float64
    model = cfg.model
    model.data_preprocessor.type = "Float64Preprocessor"
    if "roi_head" in model:
        model.rpn_head.type = "RPNHead"
        model.roi_head.bbox_roi_extractor.type = "SingleRoIExtractor"
        for stage in ("rpn", "rcnn"):
            model.train_cfg[stage].sampler.num = 10**6  # all, so that nothing is drawn
        # mmdet's RPN divides by the count of its own process: its mean is not that of one.
        model.rpn_head.loss_cls.loss_weight = model.rpn_head.loss_bbox.loss_weight = 0.0
    cfg.dump(path)
    return path


def thin(detector: str, data: Path) -> Any:
    """A config at its own width on the test's data."""
    cfg = Config.fromfile(CONFIGS / DETECTORS[detector])
    cfg.merge_from_dict(data_options(data))
    for part in parts(cfg.model):
        if "num_classes" in part:
            part["num_classes"] = 3
    return cfg


def parts(node: Any) -> list[dict]:
    """Every dict of a config, at any depth."""
    if isinstance(node, dict):
        return [node, *(each for value in node.values() for each in parts(value))]
    if isinstance(node, (list, tuple)):
        return [each for value in node for each in parts(value)]
    return []


def step(
    path: Path, work: Path, processes: int
) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Weights after the one step, and the losses of the log."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = f"{ROOT / 'tests'}:{ROOT}"
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    words = [sys.executable, *(launcher if processes > 1 else []), str(ROOT / "tools" / "train.py")]
    words += [str(path), "--work-dir", str(work)]
    words += ["--launcher", "pytorch"] if processes > 1 else []
    # a process that waits for another for ever ends by the time limit
    done = subprocess.run(
        words, cwd=work.parent, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-4000:]
    state = torch.load(work / "epoch_1.pth", weights_only=False)["state_dict"]
    lines = next(work.glob("*/vis_data/scalars.json")).read_text().splitlines()
    return state, json.loads(lines[0])


def test_launcher_scripts_hand_on_their_arguments(tmp_path: Path) -> None:
    """dist_*.sh and slurm_*.sh with stand-ins for python and srun that print what they got."""
    for name in ("python", "srun"):
        (tmp_path / name).write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
        (tmp_path / name).chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GPUS": "4", "GPUS_PER_NODE": "2"}
    option = "model.bbox_head.loss_composite.w_cls=0.5"

    def words(script: str, *args: str) -> list[str]:
        command = ["bash", str(ROOT / "tools" / script), *args, "--cfg-options", option, "a='b c'"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    found = words("dist_train.sh", "my config.py", "3")
    assert found[-6:] == [
        "my config.py",
        "--launcher",
        "pytorch",
        "--cfg-options",
        option,
        "a='b c'",
    ]
    assert "--nproc_per_node=3" in found and found[1:3] == ["-m", "torch.distributed.run"]
    found = words("dist_test.sh", "c.py", "w.pth", "2")
    assert found[-7:-3] == ["c.py", "w.pth", "--launcher", "pytorch"]
    found = words("slurm_train.sh", "part", "job", "c.py", "work dir")
    assert found[1:8] == [
        "-p", "part", "--job-name=job", "--gres=gpu:2", "--ntasks=4", "--ntasks-per-node=2",
        "--cpus-per-task=5",
    ]  # fmt: skip
    assert found[-6:] == [
        "c.py",
        "--work-dir=work dir",
        "--launcher=slurm",
        "--cfg-options",
        option,
        "a='b c'",
    ]
    found = words("slurm_test.sh", "part", "job", "c.py", "w.pth")
    assert found[-6:-3] == ["c.py", "w.pth", "--launcher=slurm"]
    environment["GRES"] = ""
    assert not any("gres" in word for word in words("slurm_train.sh", "part", "job", "c.py", "w"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("detector", "case"),
    [
        *((detector, case) for detector in DETECTORS for case in (EVEN, NO_OBJECT, FEWER)),
        ("retina", NO_CANDIDATE),
        ("faster_rcnn", NO_CANDIDATE),
    ],
    ids=str,
)
def test_processes_take_the_step_of_one(
    detector: str, case: tuple[int, list[int]], data: Path, tmp_path: Path
) -> None:
    processes, images = case
    results = []
    for number in (1, processes):
        path = write_config(detector, images, number, data, tmp_path / f"config{number}.py")
        results.append(step(in_float64(path), tmp_path / f"work{number}", number))
    (one, log), (many, shared) = results
    assert one.keys() == many.keys()
    for key, value in one.items():
        torch.testing.assert_close(
            many[key], value, rtol=1e-6, atol=1e-7, msg=lambda m, k=key: f"{k}: {m}"
        )
    for key in ("combined", "f1"):
        if key in log:
            assert shared[key] == pytest.approx(log[key], rel=1e-6)


@pytest.mark.slow
def test_slurm_trains_and_tests_with_a_stand_in_for_srun(data: Path, tmp_path: Path) -> None:
    """srun starts each task with its variables; here two on this machine, without a GPU."""
    (tmp_path / "srun").write_text(
        "#!/usr/bin/env bash\n"
        'while [ "$1" != python ]; do case "$1" in --ntasks=*) n=${1#*=};; esac; shift; done\n'
        "export SLURM_NTASKS=$n SLURM_NODELIST=here MASTER_ADDR=127.0.0.1\n"
        'for ((i = 0; i < n; i++)); do SLURM_PROCID=$i SLURM_LOCALID=$i "$@" & pids+=($!); done\n'
        'for pid in "${pids[@]}"; do wait "$pid" || exit 1; done\n'
    )
    (tmp_path / "srun").chmod(0o755)
    path = write_config("retina", [0, 1, 2, 3], 2, data, tmp_path / "c.py")
    environment = {
        **os.environ, "PATH": f"{tmp_path}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GPUS": "2", "GPUS_PER_NODE": "2", "GRES": "", "MASTER_PORT": "29617",
        "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "tests"),
    }  # fmt: skip
    work = tmp_path / "work"
    for script, last in (("slurm_train.sh", work), ("slurm_test.sh", work / "epoch_1.pth")):
        words = ["bash", str(ROOT / "tools" / script), "part", "job", str(path), str(last)]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-4000:]
    assert "coco/bbox_mAP" in done.stdout + done.stderr
    assert "GPU number: 2" in next(work.glob("*/*.log")).read_text()
