"""A detector on the pictures of sources, prepared by its config's own test pipeline."""

import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.apis import init_detector
from mmdet.registry import TRANSFORMS
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from mmengine.dataset import pseudo_collate
from numpy.typing import NDArray

from mmthermal.common.building import building
from mmthermal.common.checkpoints import check_fit
from mmthermal.common.checks import check_device
from mmthermal.common.config import read_config
from mmthermal.common.display import (
    class_colours,
    enlarge,
    look_of,
    read_image,
    to_display,
    without_opacity,
)
from mmthermal.common.safe_loading import read_checkpoint
from mmthermal.engine.channels_last import use_channels_last
from mmthermal.predict.class_names import class_names, stored_names
from mmthermal.predict.pictures import EvenLabelVisualizer
from mmthermal.predict.sources import Frame, Source, read_video


class Predictor:
    """A detector with its config's own test pipeline.

    Args:
        config: config file, or the name of one of mmthermal's; its `test_dataloader` pipeline
            loads and prepares the pictures.
        checkpoint: of the model; without class names, those of the config are taken.
        device: torch device; None takes CUDA where there is one.
        cfg_options: overrides of the config.

    Raises:
        CheckpointError: if the weights cannot be read, or are not those of this detector.
        FileNotFoundError: if a file is missing.
        InputError: if a class refuses its arguments, or torch sees no such device.
        ValueError: if an override or a variable of the config changes nothing.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        *,
        device: str | None = None,
        cfg_options: dict[str, Any] | None = None,
    ) -> None:
        cfg = read_config(config, cfg_options or {})
        content = read_checkpoint(checkpoint)
        device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
        check_device(device)
        with building("the config"), _without_coco_warning():
            # Given a palette, init_detector does not open the data set, which may not be here.
            self.model = init_detector(cfg, str(checkpoint), palette="random", device=device)
        check_fit(self.model, content, name=str(checkpoint))
        if torch.device(device).type == "cpu":
            use_channels_last(self.model)
        self.class_names = stored_names(content) or class_names(cfg, self.model)
        self.model.dataset_meta |= {
            "classes": self.class_names,
            "palette": class_colours(len(self.class_names)),
        }
        self.pipeline = Compose(get_test_pipeline_cfg(self.model.cfg.copy()))
        self.look = look_of(self.pipeline.transforms)
        self.visualizer = EvenLabelVisualizer(name="predict", line_width=2, alpha=1.0)
        self.visualizer.dataset_meta = self.model.dataset_meta
        self._temporary = tempfile.TemporaryDirectory(prefix="mmthermal-")
        self._warned = False

    def prepare(
        self, source: Source, *, path: Path | None = None, number: int | None = None
    ) -> Frame:
        """Load a picture and run it through the test pipeline.

        Args:
            source: what it belongs to.
            path: of the picture, where it is not the source itself (a frame of a video).
            number: of the frame.

        Raises:
            ValueError: the file is not a picture that can be read, or the pipeline refuses it.
        """
        path = path or source.path
        try:
            raw = read_image(
                str(path),
                radiometric=self.look.radiometric,
                imdecode_backend=self.look.imdecode_backend,
            )
        except (OSError, ValueError) as error:  # the report names the path
            raise ValueError(str(error).replace(f" {path}", "")) from None
        try:
            used = self._without_cut(path, raw)
            data = self.pipeline({"img_path": str(used), "img_id": 0})
        except Exception as error:  # whatever a user's pipeline raises belongs to this one file
            raise ValueError(f"{type(error).__name__}: {error}") from error
        if data is None:
            raise ValueError("the test pipeline of the config drops it")
        return Frame(source, number, raw, data)

    def _without_cut(self, path: Path, raw: NDArray[Any]) -> Path:
        """The file to load: another one where the config's loader would cut values to 8 bits."""
        loader = self.pipeline.transforms[0]
        if raw.dtype == np.uint8 or isinstance(loader, TRANSFORMS.get("LoadThermalImage")):
            return path
        try:
            loaded = loader({"img_path": str(path), "img_id": 0})
        except Exception:  # mmdet's on a picture of other numbers than 8 and 16 bits
            loaded = None
        if loaded is not None and not _is_cut(loaded["img"], _grey(raw)):
            return path
        if not self._warned:
            print(
                f"note: the config's {type(loader).__name__} would cut {raw.dtype} pictures to "
                "8 bits; they go through gain control (linear, 0.5 % tails) instead. A pipeline "
                "with LoadThermalImage takes all their bits.",
                file=sys.stderr,
            )
            self._warned = True
        changed = Path(self._temporary.name) / "frame8.png"
        cv2.imwrite(str(changed), to_display(raw))
        return changed

    def frames(self, source: Source) -> Iterator[Frame]:
        """The pictures of a source, prepared.

        Raises:
            ValueError: as `prepare`; also for a video that cannot be opened or has no frame.
        """
        if not source.is_video:
            yield self.prepare(source)
            return
        path = Path(self._temporary.name) / "frame.png"
        for number, picture in enumerate(read_video(source.path)):
            cv2.imwrite(str(path), picture)
            yield self.prepare(source, path=path, number=number)

    @torch.no_grad()
    def detect(self, frames: Sequence[Frame]) -> list[DetDataSample]:
        """Run the model on one batch; boxes are in pixels of the stored pictures."""
        samples: list[DetDataSample] = self.model.test_step(
            pseudo_collate([frame.data for frame in frames])
        )
        return [sample.cpu() for sample in samples]

    def draw(
        self, frame: Frame, sample: DetDataSample, *, score_thr: float, min_side: int
    ) -> NDArray[np.uint8]:
        """Picture with boxes, through gain control and enlarged by a whole factor.

        Returns:
            (H', W', 3) RGB.
        """
        shown = to_display(frame.raw, control=self.look.control)
        picture, enlarged = enlarge(np.ascontiguousarray(shown[..., ::-1]), sample, min_side)
        self.visualizer.add_datasample(
            "prediction", picture, data_sample=enlarged, draw_gt=False, pred_score_thr=score_thr
        )
        return np.asarray(self.visualizer.get_image(), dtype=np.uint8)


@contextmanager
def _without_coco_warning() -> Iterator[None]:
    """Pass on all warnings but mmdet's that it takes COCO's names, which the predictor does not."""
    with warnings.catch_warnings(record=True) as caught:
        yield
    for one in caught:
        if "use COCO classes by default" not in str(one.message):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _grey(image: NDArray[Any]) -> NDArray[Any]:
    """Grey values as loaders make them of colours: of blue alone a ninth of its values."""
    image = without_opacity(image)
    if image.ndim == 2:
        return image
    return np.asarray(mmcv.bgr2gray(np.ascontiguousarray(image, np.float32)))


def _largest(image: NDArray[Any]) -> float:
    """Largest absolute value; dead pixels (NaN, infinite) do not count."""
    return float(np.abs(image, where=np.isfinite(image), out=np.zeros(image.shape)).max(initial=0))


def _is_cut(loaded: NDArray[Any], raw: NDArray[Any]) -> bool:
    """Whether a loader has lost grey values: by a division by 256, or of those below 0."""
    return _largest(loaded) < _largest(raw) / 2 or bool(np.nanmin(raw) < 0 <= loaded.min())


def batches(
    predictor: Predictor, sources: Sequence[Source], batch_size: int, failures: list[str]
) -> Iterator[list[Frame]]:
    """Group frames of one size; what cannot be read is noted in `failures` and left out."""
    batch: list[Frame] = []
    for source in sources:
        try:
            for frame in predictor.frames(source):
                if batch and batch[0].data["inputs"].shape != frame.data["inputs"].shape:
                    yield batch
                    batch = []
                batch.append(frame)
                if len(batch) == batch_size:
                    yield batch
                    batch = []
        except ValueError as error:
            failures.append(f"{source.path}: {error}")
    if batch:
        yield batch
