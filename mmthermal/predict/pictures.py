"""Pictures with detections: how boxes are drawn, and the files that they go to."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.visualization import DetLocalVisualizer
from mmengine.structures import InstanceData
from numpy.typing import NDArray

from mmthermal.predict.sources import Frame, Source, frame_rate


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


class PictureWriter:
    """Writes pictures and videos below a folder, no two to the same name.

    Args:
        folder: where to write; made when something is written.
    """

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
            path, rate = self._path(frame.source, ".mp4"), frame_rate(frame.source)
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
