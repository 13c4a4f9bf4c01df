"""Drawn detections on small, high-bit-depth images."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS
from mmdet.structures import DetDataSample
from mmengine.runner import Runner
from mmengine.utils import mkdir_or_exist

from mmthermal.common.checks import check_count
from mmthermal.common.display import Look, enlarge, look_of, read_image, to_display
from mmthermal.datasets.wrapped import with_wrapped

_DRAWN = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")  # formats that take colours


@HOOKS.register_module()
class ThermalVisualizationHook(DetVisualizationHook):
    """``DetVisualizationHook`` for thermal images: gain control, and enlarged to be readable.

    mmdet's own reads 16-bit files as 8-bit, so that a thermal scene turns into one flat grey, and
    draws labels larger than the objects of a 160 x 120 image. Shown is the test pipeline's own
    gain control where it has one.

    Args:
        max_pictures: how many test images are drawn; -1 for all.
        min_side: the longer side of a picture is enlarged, by a whole factor, to at least this
            many pixels.
        **kwargs: as ``DetVisualizationHook``.
    """

    def __init__(self, *, max_pictures: int = 50, min_side: int = 640, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_count("max_pictures", max_pictures, -1)
        check_count("min_side", min_side, 1)
        self.max_pictures = max_pictures
        self.min_side = min_side

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[DetDataSample],
    ) -> None:
        """Draw the first image of every ``interval``-th validation batch.

        Args:
            runner: the runner.
            batch_idx: index of the batch in the loop.
            data_batch: not used.
            outputs: the batch's samples with predictions.
        """
        step = runner.iter + batch_idx
        if self.draw and step % self.interval == 0:
            # the batch in the name: a later validation comes to the same step in an earlier batch
            name = osp.basename(outputs[0].img_path) if self.show else f"val_img_{batch_idx}"
            look = _look_of(getattr(runner, "val_dataloader", None))
            self._draw_sample(outputs[0], name, runner.iter, None, look)

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[DetDataSample],
    ) -> None:
        """Draw the images of a test batch, up to ``max_pictures`` in all.

        Args:
            runner: the runner.
            batch_idx: index of the batch in the loop.
            data_batch: not used.
            outputs: the batch's samples with predictions.
        """
        if not self.draw:
            return
        folder = None
        if self.test_out_dir is not None:
            folder = osp.join(runner.work_dir, runner.timestamp, self.test_out_dir)
            mkdir_or_exist(folder)
        look = _look_of(getattr(runner, "test_dataloader", None))
        for sample in outputs:
            if self._test_index == self.max_pictures:
                return
            self._test_index += 1
            name = osp.basename(sample.img_path)
            out_file = folder and osp.join(folder, _as_picture(_own_name(runner, sample.img_path)))
            self._draw_sample(
                sample, name if self.show else "test_img", self._test_index, out_file, look
            )

    def _draw_sample(
        self, sample: DetDataSample, name: str, step: int, out_file: str | None, look: Look
    ) -> None:
        stored = read_image(
            sample.img_path,
            backend_args=self.backend_args,
            radiometric=look.radiometric,
            imdecode_backend=look.imdecode_backend,
        )
        shown = to_display(stored, control=look.control)
        rgb = np.ascontiguousarray(shown[..., ::-1])
        image, sample = enlarge(rgb, sample, self.min_side)
        self._visualizer.add_datasample(
            name,
            image,
            data_sample=sample,
            show=self.show,
            wait_time=self.wait_time,
            pred_score_thr=self.score_thr,
            out_file=out_file,
            step=step,
        )


def _own_name(runner: Runner, img_path: str) -> str:
    """Path of an image from the folder on that holds all images of the test.

    Files of one name in different folders, such as one for each sequence, stay apart.
    """
    loader = getattr(runner, "test_dataloader", None)
    folders = [osp.abspath(folder) for folder in _image_folders(getattr(loader, "dataset", None))]
    path = osp.abspath(img_path)
    if not folders:
        return osp.basename(path)
    name = osp.relpath(path, osp.commonpath(folders))
    return osp.basename(path) if name.startswith("..") else name


def _as_picture(name: str) -> str:
    """The name of a drawn picture: the image's, with .png behind it where that is an array."""
    return name if name.lower().endswith(_DRAWN) else f"{name}.png"


def _image_folders(dataset: Any) -> list[str]:
    """Folders of the images of a data set and of what it wraps."""
    prefixes = (getattr(part, "data_prefix", None) or {} for part in with_wrapped(dataset))
    folders = (prefix.get("img") for prefix in prefixes)
    return [folder for folder in folders if folder and "://" not in folder]


def _look_of(dataloader: Any) -> Look:
    """How a loader's data set, or the first that it wraps, reads and shows images."""
    parts = with_wrapped(getattr(dataloader, "dataset", None))
    pipelines = (getattr(getattr(part, "pipeline", None), "transforms", None) for part in parts)
    return look_of(next(filter(None, pipelines), ()))
