"""Time and memory of dense losses as ratios to mmdet's RetinaHead with FocalLoss and L1Loss.

Three parts of a step: the loss alone (targets given), the whole of ``loss_by_feat`` (with anchors
and target assignment), and a training step of a small detector. Forward and backward.

Example: python benchmarks/loss_speed.py --sizes small --json build/loss_speed.json
"""

import argparse
import copy
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmthermal  # noqa: F401 (registers the heads; first, as mmdet finds operators by it)

# isort: split
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from mmthermal.heads import anchor_composite

CONFIGS = Path(__file__).resolve().parents[1] / "configs"
SIZES = {
    "large80": (2, 800, 1333, 80),
    "large4": (2, 800, 1333, 4),
    "medium": (16, 512, 640, 4),
    "small": (16, 128, 160, 3),
}
LARGE = 600  # from this height on mmdet's strides, below it those of this project's configs


def strides_of(height: int) -> list[int]:
    """Strides of the feature maps at a height of the images."""
    return [8, 16, 32, 64, 128] if height > LARGE else [4, 8, 16, 32]


FOCAL = dict(type="FocalLoss", use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=1.0)
MINED = dict(type="HardNegativeMiner", ratio=3.0, min_neg=16)


def composite(**loss: Any) -> dict[str, Any]:
    """A head with the composite loss."""
    return dict(
        type="CompositeRetinaHead",
        loss_composite=loss,
        loss_cls=FOCAL,
        loss_bbox=dict(type="L1Loss"),
    )


PAPER = dict(
    mean="paper",
    f1_form="soft",
    f1_negatives="paper",
    f1_normalize="count",
    box_form="paper",
    delta=1,
)
ROWS: dict[str, dict[str, Any]] = {
    "focal (mmdet)": dict(type="RetinaHead", loss_cls=FOCAL, loss_bbox=dict(type="L1Loss")),
    "GHM (mmdet)": dict(
        type="RetinaHead",
        loss_cls=dict(type="GHMC", bins=30, momentum=0.75, use_sigmoid=True),
        loss_bbox=dict(type="GHMR", mu=0.02, bins=10, momentum=0.7),
    ),
    "composite, default": composite(),
    "composite, sampled dense term": composite(dense_negatives=20),
    "composite, mined terms only": composite(w_dense=0.0),
    "paper's form with dense term": composite(**PAPER),
    "simple variant": composite(
        w_dense=0.0, cls_negatives="joint", f1_form="soft", f1_negatives="ignore"
    ),
    "OHEM 1:3": composite(w_dense=0.0, cls_negatives="joint", f1_share=0.0, alpha=0.5, gamma=0.0),
}


def make_head(row: dict[str, Any], height: int, num_classes: int) -> nn.Module:
    """A RetinaNet head without use of its convolutions."""
    init_default_scope("mmdet")
    train_cfg = dict(
        assigner=dict(
            type="MaxIoUAssigner",
            pos_iou_thr=0.5,
            neg_iou_thr=0.4,
            min_pos_iou=0,
            ignore_iof_thr=-1,
        ),
        sampler=MINED if row["type"].startswith("Composite") else dict(type="PseudoSampler"),
        allowed_border=-1,
        pos_weight=-1,
        debug=False,
    )
    cfg = dict(
        num_classes=num_classes,
        in_channels=8,
        feat_channels=8,
        stacked_convs=1,
        anchor_generator=dict(
            type="AnchorGenerator",
            octave_base_scale=4 if height > LARGE else 3,
            scales_per_octave=3,
            ratios=[0.5, 1.0, 2.0],
            strides=strides_of(height),
        ),
        bbox_coder=dict(type="DeltaXYWHBBoxCoder"),
        train_cfg=ConfigDict(train_cfg),
    )
    return MODELS.build(copy.deepcopy({**cfg, **row}))


def make_batch(size: tuple[int, int, int, int], device: str, dtype: torch.dtype) -> dict[str, Any]:
    """Predictions near those of a new detector, and about 12 objects an image."""
    images, height, width, num_classes = size
    maker = torch.Generator().manual_seed(0)
    shapes = [(-(-height // s), -(-width // s)) for s in strides_of(height)]
    scores = [
        (torch.randn(images, 9 * num_classes, *s, generator=maker) - 4).to(device, dtype)
        for s in shapes
    ]
    boxes = [torch.randn(images, 36, *s, generator=maker).to(device, dtype) / 4 for s in shapes]
    gts, metas = [], []
    for _ in range(images):
        corners = torch.rand(12, 2, generator=maker) * torch.tensor([0.8 * width, 0.8 * height])
        sides = torch.rand(12, 2, generator=maker) * 0.16 * width + 0.04 * width
        labels = torch.randint(num_classes, (12,), generator=maker)
        found = torch.cat([corners, corners + sides], 1)
        gts.append(InstanceData(bboxes=found.to(device), labels=labels.to(device)))
        metas.append(dict(img_shape=(height, width), pad_shape=(height, width)))
    return dict(scores=scores, boxes=boxes, gts=gts, metas=metas)


def steps_of(head: nn.Module, batch: dict[str, Any]) -> dict[str, Callable[[], None]]:
    """The loss alone and the whole of ``loss_by_feat``, each with its backward pass."""
    anchors = head.get_anchors
    targets = head.get_targets
    device = batch["scores"][0].device
    sizes = [score.shape[-2:] for score in batch["scores"]]
    kept_anchors = anchors(sizes, batch["metas"], device=device)
    kept_targets = targets(*copy.copy(kept_anchors), batch["gts"], batch["metas"])
    make_batched, kept_batched = anchor_composite.batched_targets, None
    if isinstance(head, anchor_composite.AnchorCompositeMixin):
        kept_batched = make_batched(head, sizes, batch["gts"], batch["metas"], None, device)

    def step() -> None:
        scores, boxes = (
            [level.detach().requires_grad_() for level in batch[name]]
            for name in ("scores", "boxes")
        )
        losses = head.loss_by_feat(scores, boxes, batch["gts"], batch["metas"])
        total: Any = 0
        for name, value in losses.items():
            if "loss" in name:
                total = total + (sum(value) if isinstance(value, list) else value)
        total.backward()

    def loss_part() -> None:
        head.get_anchors = lambda *args, **kwargs: (list(kept_anchors[0]), list(kept_anchors[1]))
        head.get_targets = lambda *args, **kwargs: kept_targets
        anchor_composite.batched_targets = lambda *args, **kwargs: kept_batched
        try:
            step()
        finally:
            head.get_anchors, head.get_targets = anchors, targets
            anchor_composite.batched_targets = make_batched

    return {"loss part": loss_part, "loss_by_feat": step}


def seconds(step: Callable[[], None], device: str, repeats: int) -> float:
    """Median seconds of a step after one to warm up.

    With one thread of a CPU those of the processor, which other programs change less.
    """
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    times = []
    for _ in range(repeats + 1):
        if device == "cuda":
            torch.cuda.synchronize()
        start = clock()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(clock() - start)
    return statistics.median(times[1:])


def peak_bytes(step: Callable[[], None], device: str) -> int:
    """Most bytes that a step holds at a time beyond what was there before."""
    if device == "cuda":
        torch.cuda.synchronize()
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step()
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(profile_memory=True, record_shapes=False) as profile:
        step()
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    held = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    return peak


def operations(step: Callable[[], None]) -> dict[str, int]:
    """How many operators a step calls, and how many of them make a GPU wait for the host."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counter(TorchDispatchMode):
        def __init__(self) -> None:
            super().__init__()
            self.calls, self.waits = 0, 0

        def __torch_dispatch__(
            self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
        ) -> Any:
            name = func.overloadpacket.__name__
            self.calls += name not in ("detach", "view", "_unsafe_view", "unsqueeze", "t")
            waiting = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim")
            boolean = name in ("index", "index_put_") and any(
                isinstance(i, Tensor) and i.dtype == torch.bool for i in args[1] if i is not None
            )
            self.waits += name in waiting or boolean
            return func(*args, **(kwargs or {}))

    with Counter() as counter:
        step()
    return dict(operators=counter.calls, host_reads=counter.waits)


def measure(
    size: tuple[int, int, int, int], device: str, dtype: torch.dtype, repeats: int, rows: list[str]
) -> list[dict[str, Any]]:
    """Figures of each row, the first one mmdet's focal loss."""
    batch = make_batch(size, device, dtype)
    found: list[dict[str, Any]] = []
    for name in rows:
        try:
            head = make_head(ROWS[name], size[1], size[3]).to(device)
            steps = steps_of(head, batch)
            record: dict[str, Any] = dict(row=name)
            for part, step in steps.items():
                record[part] = seconds(step, device, repeats)
            record["bytes"] = peak_bytes(steps["loss part"], device)
            record.update(operations(steps["loss part"]))
        except (RuntimeError, TypeError, NotImplementedError) as error:
            record = dict(row=name, error=str(error).splitlines()[0])
        found.append(record)
    return found


STEP_CONFIGS = {
    "focal (mmdet)": "retinanet/retina_focal_synthetic.py",
    "composite, default": "thermal/retina_composite.py",
}


def training_step(config: str, device: str, dtype: torch.dtype) -> Callable[[], None]:
    """A whole step of a small detector: forward, backward and update on 16 x 128 x 160."""
    init_default_scope("mmdet")
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(CONFIGS / config).model).to(device).train()
    batch = make_batch(SIZES["small"], device, torch.float32)
    samples = []
    for truth, meta in zip(batch["gts"], batch["metas"], strict=True):
        sample = DetDataSample(gt_instances=truth, metainfo=dict(meta, ori_shape=meta["img_shape"]))
        samples.append(sample)
    images = [torch.randn(1, 128, 160, device=device) for _ in samples]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def step() -> None:
        with torch.autocast(device, dtype=dtype, enabled=dtype != torch.float32):
            data = model.data_preprocessor(dict(inputs=images, data_samples=samples), training=True)
            loss, _ = model.parse_losses(model(**data, mode="loss"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def measure_steps(device: str, dtype: torch.dtype, repeats: int) -> list[dict[str, Any]]:
    """Seconds and memory of a training step of each detector, the first one mmdet's focal loss."""
    found = []
    for name, config in STEP_CONFIGS.items():
        step = training_step(config, device, dtype)
        record = dict(row=name, seconds=seconds(step, device, repeats))
        found.append(dict(record, bytes=peak_bytes(step, device)))
    return found


def print_steps(title: str, rows: list[dict[str, Any]]) -> None:
    """Ratios of the training steps to the first row's."""
    table = Table("loss", "training step", "ratio", "memory", title=title, title_justify="left")
    for row in rows:
        ratios = [f"{row[key] / rows[0][key]:.3f}" for key in ("seconds", "bytes")]
        table.add_row(row["row"], f"{1e3 * row['seconds']:.0f} ms", *ratios)
    Console(width=120).print(table)


def print_table(title: str, rows: list[dict[str, Any]]) -> None:
    """Ratios to the first row, and its own seconds."""
    base = rows[0]
    table = Table(title=title, title_justify="left")
    for heading in ("loss", "loss part", "loss_by_feat", "memory", "operators", "host reads"):
        table.add_column(heading, justify="left" if heading == "loss" else "right")
    for row in rows:
        if "error" in row or "error" in base:
            table.add_row(row["row"], row.get("error", "no baseline"))
            continue
        cells = [f"{row[key] / base[key]:.3f}" for key in ("loss part", "loss_by_feat", "bytes")]
        if row is base:
            cells = [
                f"{1e3 * row['loss part']:.1f} ms",
                f"{1e3 * row['loss_by_feat']:.1f} ms",
                f"{row['bytes'] / 2**20:.0f} MiB",
            ]
        table.add_row(row["row"], *cells, str(row["operators"]), str(row["host_reads"]))
    Console(width=120).print(table)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=["large4", "small"])
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--device", choices=("cpu", "cuda"), help="CUDA where there is one")
    parser.add_argument("--dtype", choices=("float32", "bfloat16", "float16"), default="float32")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="takes the figures, too")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    name = torch.cuda.get_device_name() if device == "cuda" else f"CPU, {args.threads} thread(s)"
    rows = list(dict.fromkeys([next(iter(ROWS)), *args.rows]))
    record: dict[str, Any] = dict(device=name, torch=torch.__version__, dtype=args.dtype, sizes={})
    for key in args.sizes:
        found = measure(SIZES[key], device, getattr(torch, args.dtype), args.repeats, rows)
        record["sizes"][key] = found
        images, height, width, classes = SIZES[key]
        title = f"{images} x {height} x {width}, {classes} classes, {args.dtype}, {name}"
        print_table(title, found)
    dtype = getattr(torch, args.dtype)
    record["training step"] = found = measure_steps(device, dtype, args.repeats)
    print_steps(f"small detector, 16 x 128 x 160, {args.dtype}, {name}", found)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
