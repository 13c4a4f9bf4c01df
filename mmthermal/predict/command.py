"""Detect objects in images, folders and videos; write pictures and COCO JSON."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmdet.structures import DetDataSample
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mmthermal.common.checks import check_count, check_range
from mmthermal.common.files import write_json
from mmthermal.predict.pictures import PictureWriter
from mmthermal.predict.predictor import Predictor, batches
from mmthermal.predict.sources import Frame, count_frames, find_sources

_PICTURES = "pictures"
_LARGEST_SIDE = 16384  # of a drawn picture


@dataclass
class Report:
    """What was done.

    Attributes:
        num_images: pictures and frames with results.
        num_detections: in the JSON, of any score.
        num_drawn: of these, drawn in the pictures.
        failures: what could not be read, `path: reason`.
        json_path: COCO data set with images, categories and scored annotations.
        results_path: plain COCO results list.
    """

    num_images: int = 0
    num_detections: int = 0
    num_drawn: int = 0
    failures: list[str] = field(default_factory=list)
    json_path: Path | None = None
    results_path: Path | None = None


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
        inputs: images, folders (searched to the bottom) and videos, of 8 or 16 bits and
            1 to 4 channels, the last of two or four being opacity.
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
            this many pixels, at most 16384.
        quiet: no progress bar.

    Returns:
        What was done; `failures` lists what could not be read, everything else was processed.
        Where nothing could be read, nothing is written.

    Raises:
        FileNotFoundError: config or checkpoint is missing.
        TypeError: a setting is of the wrong type.
        ValueError: a setting is out of range.
    """
    check_range("score_thr", score_thr, 0, 1)
    check_count("batch_size", batch_size, 1)
    check_range("min_side", min_side, 1, _LARGEST_SIDE)
    check_count("min_side", min_side, 1)
    folder = Path(out)
    sources, failures = find_sources(inputs, leave_out=folder / _PICTURES)
    report = Report(failures=failures)
    if not sources:
        return report
    predictor = Predictor(config, checkpoint, device=device, cfg_options=cfg_options)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    writer = PictureWriter(folder / _PICTURES)
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
                    report.num_drawn += int((sample.pred_instances.scores > score_thr).sum())
            progress.advance(task, len(batch))
    if not images:  # results of before stay
        return report
    info = {"config": str(config), "checkpoint": str(checkpoint)}
    _write_results(report, folder, info, images, annotations, predictor.class_names)
    return report


def _write_results(
    report: Report,
    folder: Path,
    info: dict[str, str],
    images: list[dict[str, Any]],
    annotations: list[dict[str, Any]],
    class_names: Sequence[str],
) -> None:
    """Write both JSON files and note them in the report."""
    categories = [{"id": k, "name": name} for k, name in enumerate(class_names, 1)]
    report.json_path = write_json(
        folder / "predictions.json",
        {"info": info, "images": images, "categories": categories, "annotations": annotations},
    )
    keys = ("image_id", "category_id", "bbox", "score")
    report.results_path = write_json(
        folder / "predictions.bbox.json", [{key: ann[key] for key in keys} for ann in annotations]
    )
    report.num_images, report.num_detections = len(images), len(annotations)


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
