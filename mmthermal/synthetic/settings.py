"""Settings of the embedded data set, and their ranges."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from mmthermal.common.checks import check_choice, check_count, check_range

CLASSES = ("person", "bicycle", "car", "dog")
"""Classes that can be drawn."""

SPLITS = ("train", "val", "test")
BOXES = ("visible", "full")


@dataclass(frozen=True)
class SceneSettings:
    """Settings of a scene and of the camera that looks at it.

    Attributes:
        size: (W, H) in pixels.
        classes: class names out of `CLASSES`.
        objects: mean number of objects of an image that has any, >= 1.
        overlap: wanted share of objects whose labelled box has an IoU > 0.1 with another, any
            class, in [0, 0.8]; with all classes the share reached is within 0.08 (300 images).
        empty: share of images without objects, in [0, 1].
        clutter: mean number of hard negatives of an image that has any, >= 0.
        clutter_share: share of images that may have any, in [0, 1].
        supersample: S, subpixels along each side of a pixel, >= 1.
    """

    size: tuple[int, int] = (160, 120)
    classes: tuple[str, ...] = CLASSES
    objects: float = 3.6
    overlap: float = 0.4
    empty: float = 0.04
    clutter: float = 2.2
    clutter_share: float = 1.0
    supersample: int = 3


@dataclass(frozen=True)
class SyntheticSettings:
    """Everything that decides the content of the files.

    Attributes:
        num_train: images of the split, >= 0; the same for `num_val` and `num_test`.
        seed: root of all random numbers, >= 0.
        scene: what is drawn.
        netd: noise-equivalent temperature difference of the sensor, kelvin, >= 0.
        bad_pixels: share of pixels stuck at a rail, in [0, 0.1].
        cameras: different cameras (fixed patterns) of each split, >= 1.
        box: 'visible' or 'full': which box is written to `bbox`.
        min_visible: objects with a smaller visible share become crowd, in [0, 1].
        min_side: objects whose box has a shorter side become crowd, pixels, >= 0.
    """

    num_train: int
    num_val: int
    num_test: int
    seed: int
    scene: SceneSettings
    netd: float
    bad_pixels: float
    cameras: int
    box: str
    min_visible: float
    min_side: float

    def check(self) -> None:
        """Check every setting.

        Raises:
            TypeError: a setting of the wrong type.
            ValueError: a setting out of its range.
        """
        scene = self.scene
        if len(scene.size) != 2:
            raise ValueError(f"size={scene.size!r}: give width and height")
        for side in scene.size:
            check_count("size", side)
            check_range("size", side, 32, 1280)
        for name in scene.classes:
            check_choice("classes", name, CLASSES)
        if not scene.classes or len(set(scene.classes)) < len(scene.classes):
            raise ValueError(f"classes={scene.classes!r}: give different names out of {CLASSES}")
        counts = {f"num_{split}": getattr(self, f"num_{split}") for split in SPLITS}
        for name, count in counts.items():
            check_count(name, count)
        check_count("seed", self.seed)
        check_count("cameras", self.cameras, 1)
        check_count("supersample", scene.supersample, 1)
        for name, value, low, high in (
            ("objects", scene.objects, 1, 20),
            ("overlap", scene.overlap, 0, 0.8),
            ("empty", scene.empty, 0, 1),
            ("clutter", scene.clutter, 0, 20),
            ("clutter_share", scene.clutter_share, 0, 1),
            ("supersample", scene.supersample, 1, 8),
            ("netd", self.netd, 0, 5),
            ("bad_pixels", self.bad_pixels, 0, 0.1),
            ("min_visible", self.min_visible, 0, 1),
            ("min_side", self.min_side, 0, float("inf")),
        ):
            check_range(name, value, low, high)
        check_choice("box", self.box, BOXES)
        if sum(counts.values()) == 0:
            raise ValueError("num_train, num_val and num_test are all 0: ask for an image at least")

    def plain(self) -> dict[str, Any]:
        """The settings in one flat dict, as JSON gives them back."""
        flat = asdict(self)
        flat |= flat.pop("scene")
        plain: dict[str, Any] = json.loads(json.dumps(flat))
        return plain
