"""Detect objects in images, folders and videos; write pictures and COCO JSON."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import Compose
from mmdet.apis import init_detector
from mmdet.structures import DetDataSample
from mmdet.utils import get_test_pipeline_cfg
from mmdet.visualization import DetLocalVisualizer
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmthermal.common.display import to_display
from mmthermal.common.files import write_json
from mmthermal.engine.safe_resume import allow_checkpoint_classes
from mmthermal.engine.visualization_hook import enlarge

IMAGES = frozenset((".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm"))
VIDEOS = frozenset((".mp4", ".avi", ".mov", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg"))
# Distinguishable on a grey picture, also for the colour-blind (after Okabe and Ito).
PALETTE = [
    (230, 97, 0),
    (26, 133, 255),
    (255, 194, 10),
    (212, 17, 89),
    (64, 176, 166),
    (240, 228, 66),
    (204, 121, 167),
    (153, 255, 51),
]


class EvenLabelVisualizer(DetLocalVisualizer):
    """`DetLocalVisualizer` whose labels have one size; mmdet's shrink with the box to 6 points.

    Args:
        name: of the instance.
        font_size: of the labels.
        **kwargs: as `DetLocalVisualizer`.
    """

    def __init__(self, name: str, *, font_size: int = 10, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.font_size = font_size

    def _draw_instances(
        self,
        image: NDArray[np.uint8],
        instances: InstanceData,
        classes: Sequence[str],
        palette: Sequence[tuple[int, int, int]],
    ) -> NDArray[np.uint8]:
        """Draw boxes with class and score, the surest on top."""
        self.set_image(image)
        order = torch.argsort(instances.scores)
        boxes, labels, scores = (
            instances[order].bboxes,
            instances[order].labels.tolist(),
            instances[order].scores.tolist(),
        )
        if labels:
            colours = [tuple(palette[label]) for label in labels]
            self.draw_bboxes(boxes, edge_colors=colours, line_widths=self.line_width)
            for box, label, score in zip(boxes, labels, scores, strict=True):
                self.draw_texts(
                    f"{classes[label]} {100 * score:.0f}",
                    box[:2],
                    colors="white",
                    font_sizes=self.font_size,
                    bboxes=[{"facecolor": "black", "alpha": 0.7, "pad": 0.6, "edgecolor": "none"}],
                )
        return np.asarray(self.get_image(), dtype=np.uint8)


@dataclass(frozen=True)
class Source:
    """An image or a video to work through.

    Attributes:
        path: file.
        name: how the results call it: its path below the folder that was given.
        is_video: whether it holds many frames.
    """

    path: Path
    name: str
    is_video: bool


@dataclass(frozen=True)
class Frame:
    """One picture on its way through the model.

    Attributes:
        source: where it comes from.
        number: of the frame in its video, from 0; None for an image.
        raw: (H, W) or (H, W, C) as stored, for display.
        data: output of the test pipeline.
    """

    source: Source
    number: int | None
    raw: NDArray[Any]
    data: dict[str, Any]


@dataclass
class Report:
    """What was done.

    Attributes:
        num_images: pictures and frames with results.
        num_detections: in the JSON, of whatever score.
        failures: what could not be read, `path: reason`.
        json_path: COCO data set with images, categories and scored annotations.
        results_path: plain COCO results list.
    """

    num_images: int = 0
    num_detections: int = 0
    failures: list[str] = field(default_factory=list)
    json_path: Path | None = None
    results_path: Path | None = None


def find_sources(
    inputs: Sequence[str | Path], *, leave_out: str | Path | None = None
) -> tuple[list[Source], list[str]]:
    """Find the images and videos that the inputs name.

    Args:
        inputs: files and folders; folders are searched to the bottom, in order of names.
        leave_out: folder whose contents are skipped, such as the output folder.

    Returns:
        The sources, each file once, and the failures (missing inputs, folders without pictures).
    """
    sources: dict[Path, Source] = {}
    failures = []
    skipped = Path(leave_out).resolve() if leave_out is not None else None
    for entry in map(Path, inputs):
        if entry.is_dir():
            inside = [
                path
                for path in sorted(entry.rglob("*"))
                if path.suffix.lower() in IMAGES | VIDEOS
                and path.is_file()
                and not (skipped and skipped in path.resolve().parents)
            ]
            if not inside:
                failures.append(f"{entry}: no image or video in this folder")
            found = [(path, path.relative_to(entry).as_posix()) for path in inside]
        elif entry.is_file():
            found = [(entry, entry.name)]
        else:
            failures.append(f"{entry}: does not exist")
            continue
        for path, name in found:
            key = path.resolve()
            sources.setdefault(key, Source(path, name, path.suffix.lower() in VIDEOS))
    return list(sources.values()), failures


class Predictor:
    """A detector with its config's own test pipeline.

    Args:
        config: config file; its `test_dataloader` pipeline loads and prepares the pictures.
        checkpoint: of the model, with its class names.
        device: torch device; None takes CUDA where there is one.
        cfg_options: overrides of the config.
    """

    def __init__(
        self,
        config: str | Path,
        checkpoint: str | Path,
        *,
        device: str | None = None,
        cfg_options: dict[str, Any] | None = None,
    ) -> None:
        for what, path in (("config", config), ("checkpoint", checkpoint)):
            if not Path(path).is_file():
                raise FileNotFoundError(f"{what} {str(path)!r} does not exist: check the path")
        allow_checkpoint_classes()
        device = device or ("cuda:0" if torch.cuda.is_available() else "cpu")
        # Given a palette, init_detector does not open the data set, which may not be here.
        self.model = init_detector(
            str(config), str(checkpoint), palette="random", device=device, cfg_options=cfg_options
        )
        self.class_names: tuple[str, ...] = tuple(self.model.dataset_meta["classes"])
        colours = [PALETTE[k % len(PALETTE)] for k in range(len(self.class_names))]
        self.model.dataset_meta["palette"] = colours
        self.pipeline = Compose(get_test_pipeline_cfg(self.model.cfg.copy()))
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
            ValueError: the file is no picture that can be read, or the pipeline refuses it.
        """
        path = path or source.path
        raw = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if raw is None:
            raise ValueError("no picture that can be read")
        try:
            used = self._without_cut(path, raw)
            data = self.pipeline({"img_path": str(used), "img_id": 0})
        except Exception as error:  # whatever a user's pipeline raises belongs to this one file
            raise ValueError(f"{type(error).__name__}: {error}") from error
        if data is None:
            raise ValueError("the test pipeline of the config drops it")
        return Frame(source, number, raw, data)

    def _without_cut(self, path: Path, raw: NDArray[Any]) -> Path:
        """The file to load: another one where the config's loader would cut 16 bits to 8."""
        if raw.dtype == np.uint8:
            return path
        loader = self.pipeline.transforms[0]
        loaded = loader({"img_path": str(path), "img_id": 0})
        if loaded is None or loaded["img"].max(initial=0) >= raw.max(initial=0) / 2:
            return path  # a cut divides by 256
        if not self._warned:
            print(
                f"note: the config's {type(loader).__name__} would cut {raw.dtype} pictures to "
                "8 bits; they go through gain control (linear, 0.5 % tails) instead. A pipeline "
                "with LoadThermalImage takes all their bits.",
                file=sys.stderr,
            )
            self._warned = True
        changed = Path(self._temporary.name) / "frame8.png"
        cv2.imwrite(str(changed), to_display(raw[..., :3] if raw.ndim == 3 else raw))
        return changed

    def frames(self, source: Source) -> Iterator[Frame]:
        """The pictures of a source, prepared.

        Raises:
            ValueError: as `prepare`; also for a video that cannot be opened or has no frame.
        """
        if not source.is_video:
            yield self.prepare(source)
            return
        capture = cv2.VideoCapture(str(source.path))
        try:
            if not capture.isOpened():
                raise ValueError("no video that can be opened")
            number = 0
            grey: bool | None = None
            path = Path(self._temporary.name) / "frame.png"
            while True:
                done, picture = capture.read()
                if not done:
                    break
                if grey is None:  # thermal videos are grey, stored in three channels
                    spread = picture.max(axis=2).astype(int) - picture.min(axis=2)
                    grey = bool(spread.max() <= 2)
                cv2.imwrite(str(path), picture[..., 0] if grey else picture)
                yield self.prepare(source, path=path, number=number)
                number += 1
            if number == 0:
                raise ValueError("no frame in this video can be read")
        finally:
            capture.release()

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
        shown = to_display(frame.raw[..., :3] if frame.raw.ndim == 3 else frame.raw)
        picture, enlarged = enlarge(np.ascontiguousarray(shown[..., ::-1]), sample, min_side)
        self.visualizer.add_datasample(
            "prediction", picture, data_sample=enlarged, draw_gt=False, pred_score_thr=score_thr
        )
        return np.asarray(self.visualizer.get_image(), dtype=np.uint8)


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


class _Pictures:
    """Writes pictures and videos below a folder, no two to the same name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = set()
        self._source: Source | None = None
        self._video: cv2.VideoWriter | None = None

    def _path(self, source: Source, suffix: str) -> Path:
        stem = Path(source.name).with_suffix("").as_posix()
        name, number = f"{stem}{suffix}", 2
        while name.lower() in self._names:
            name, number = f"{stem}-{number}{suffix}", number + 1
        self._names.add(name.lower())
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, frame: Frame, picture: NDArray[np.uint8]) -> None:
        """Write one picture, or the next frame of a video."""
        bgr = np.ascontiguousarray(picture[..., ::-1])
        if frame.number is None:
            path = self._path(frame.source, ".png")
            if not cv2.imwrite(str(path), bgr):
                raise OSError(f"cannot write {path}")
            return
        if self._source != frame.source:
            self.close()
            capture = cv2.VideoCapture(str(frame.source.path))
            rate = capture.get(cv2.CAP_PROP_FPS) or 25.0
            capture.release()
            path = self._path(frame.source, ".mp4")
            size = (bgr.shape[1] // 2 * 2, bgr.shape[0] // 2 * 2)
            self._video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
            if not self._video.isOpened():
                raise OSError(f"cannot write the video {path}")
            self._source = frame.source
        if self._video is not None:
            height, width = bgr.shape[0] // 2 * 2, bgr.shape[1] // 2 * 2
            self._video.write(np.ascontiguousarray(bgr[:height, :width]))

    def close(self) -> None:
        """Finish the video under way."""
        if self._video is not None:
            self._video.release()
        self._video = self._source = None


def count_frames(source: Source) -> int:
    """How many pictures a source holds, as far as it says."""
    if not source.is_video:
        return 1
    capture = cv2.VideoCapture(str(source.path))
    number = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 1
    capture.release()
    return max(1, number)


def predict_command(
    inputs: Sequence[str | Path],
    config: str | Path,
    checkpoint: str | Path,
    *,
    out: str | Path,
    score_thr: float = 0.3,
    batch_size: int = 8,
    device: str | None = None,
    cfg_options: dict[str, Any] | None = None,
    pictures: bool = True,
    min_side: int = 960,
    quiet: bool = False,
) -> Report:
    """Detect objects in everything that the inputs name.

    Args:
        inputs: images, folders (searched to the bottom) and videos, 8 or 16 bits, 1 or 3 channels.
        config: config file of the model.
        checkpoint: its weights.
        out: folder for `predictions.json` (a COCO data set with scores), `predictions.bbox.json`
            (a COCO results list) and `pictures/`.
        score_thr: boxes of at least this score are drawn, in [0, 1]; the JSON holds all that the
            model gives.
        batch_size: pictures at a time, at least 1.
        device: torch device; None takes CUDA where there is one.
        cfg_options: overrides of the config.
        pictures: whether to draw.
        min_side: the longer side of a drawn picture is enlarged, by a whole factor, to at least
            this many pixels.
        quiet: no progress bar.

    Returns:
        What was done; `failures` lists what could not be read, everything else was processed.

    Raises:
        FileNotFoundError: config or checkpoint is missing.
        ValueError: a setting is out of range.
    """
    if not 0 <= score_thr <= 1:
        raise ValueError(f"score_thr={score_thr}: give a number between 0 and 1")
    if batch_size < 1 or min_side < 1:
        raise ValueError(f"batch_size={batch_size}, min_side={min_side}: both must be at least 1")
    folder = Path(out)
    sources, failures = find_sources(inputs, leave_out=folder)
    report = Report(failures=failures)
    if not sources:
        return report
    predictor = Predictor(config, checkpoint, device=device, cfg_options=cfg_options)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    writer = _Pictures(folder / "pictures")
    columns = (TextColumn("predicting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with ExitStack() as stack:
        stack.callback(writer.close)
        progress = stack.enter_context(Progress(*columns, disable=quiet))
        task = progress.add_task("", total=sum(map(count_frames, sources)))
        for batch in batches(predictor, sources, batch_size, failures):
            for frame, sample in zip(batch, predictor.detect(batch), strict=True):
                images.append(_image_record(frame, len(images) + 1))
                annotations += _annotations(sample, images[-1]["id"], len(annotations))
                if pictures:
                    drawn = predictor.draw(frame, sample, score_thr=score_thr, min_side=min_side)
                    writer.write(frame, drawn)
            progress.advance(task, len(batch))
    categories = [{"id": k, "name": name} for k, name in enumerate(predictor.class_names, 1)]
    report.json_path = write_json(
        folder / "predictions.json",
        {
            "info": {"config": str(config), "checkpoint": str(checkpoint)},
            "images": images,
            "categories": categories,
            "annotations": annotations,
        },
    )
    keys = ("image_id", "category_id", "bbox", "score")
    report.results_path = write_json(
        folder / "predictions.bbox.json", [{key: ann[key] for key in keys} for ann in annotations]
    )
    report.num_images, report.num_detections = len(images), len(annotations)
    return report


def _image_record(frame: Frame, image_id: int) -> dict[str, Any]:
    height, width = frame.raw.shape[:2]
    record: dict[str, Any] = {"id": image_id, "file_name": frame.source.name}
    if frame.number is not None:
        record["frame"] = frame.number
    return {**record, "width": width, "height": height}


def _annotations(sample: DetDataSample, image_id: int, num_before: int) -> list[dict[str, Any]]:
    found = sample.pred_instances
    out: list[dict[str, Any]] = []
    for box, label, score in zip(
        found.bboxes.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True
    ):
        x0, y0, x1, y1 = box
        out.append(
            {
                "id": num_before + len(out) + 1,
                "image_id": image_id,
                "category_id": label + 1,
                "bbox": [x0, y0, x1 - x0, y1 - y0],
                "area": (x1 - x0) * (y1 - y0),
                "iscrowd": 0,
                "score": score,
            }
        )
    return out
