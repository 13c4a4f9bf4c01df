"""Are the values that the network is given at last ones that it can take? Measured, not guessed."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from numpy.typing import NDArray
from torch import nn

from mmthermal.checking.agreement import NORMALISATION
from mmthermal.checking.config_loaders import MOVING, kind_of
from mmthermal.checking.finding import Finding
from mmthermal.checking.pipelines import NORMALISE
from mmthermal.common.random_numbers import same_random_numbers

PICTURES = 8
"""How many pictures of the training are measured, spread over the set."""
LARGEST_MEAN = 300.0
"""|mean| that is pointed out. Of 8 bits with no normalisation at all it is 255 at most."""
LARGEST_STD = 150.0
"""Standard deviation that is pointed out. Of 8 bits it is 128 at most."""
SMALLEST_STD = 0.05
"""Standard deviation below which hardly any contrast is left."""
_FAR = 10.0  # |mean| of normalised pictures of more than 8 bits
_SECONDS = 0.3
# They leave the values, or add padding; some take long, hold pictures, or drop some.
_LEFT_OUT = (
    *MOVING,
    "FilterAnnotations",
    "PackDetInputs",
    "Pad",
    "RandomCenterCropPad",
    "RandomChoiceResize",
    "RandomResize",
    "Resize",
)


class NetworkValues(NamedTuple):
    """What the network gets of a picture, without padding.

    Args:
        mean: over pixels and channels.
        std: standard deviation, likewise.
        beyond_8_bits: whether there are values beyond ±255 where they are first normalised.
    """

    mean: float
    std: float
    beyond_8_bits: bool


def places(number: int) -> list[int]:
    """Places of the pictures that are measured.

    Args:
        number: of pictures of the set.
    """
    if not number:
        return []
    return sorted(set(np.linspace(0, number - 1, PICTURES).round().astype(int).tolist()))


def measure_network_values(
    pipeline: Sequence[Any],
    records: Sequence[Mapping[str, Any]],
    preprocessor: nn.Module | Mapping[str, Any] | None,
) -> list[NetworkValues]:
    """Take pictures through the steps that decide their values, and the data preprocessor.

    The state of the random numbers stays as it is, and no transform that is in use is touched.

    Args:
        pipeline: transforms as a config lists them; those that move objects, mix pictures, or
            change their size are left out.
        records: of the pictures, as a data set gives them to its pipeline.
        preprocessor: the model's ``data_preprocessor``, or its config; None for none.

    Returns:
        the values of each picture; of the first ones only where they take long, and empty where
        the steps can't be taken by themselves.
    """
    steps = [step for step in pipeline if kind_of(step) not in _LEFT_OUT]
    normalised = (n for n, step in enumerate(steps) if kind_of(step) in NORMALISE)
    start = next(normalised, len(steps))
    found: list[NetworkValues] = []
    try:
        with same_random_numbers(), torch.no_grad():
            with DefaultScope.overwrite_default_scope("mmdet"):
                before, behind = Compose(steps[:start]), Compose(steps[start:])
                if isinstance(preprocessor, Mapping):
                    preprocessor = MODELS.build(dict(preprocessor))
            end = perf_counter() + _SECONDS
            for record in records:
                results = before(dict(record))
                if results is not None:
                    beyond = float(np.abs(results["img"], dtype=np.float64).max()) > 255
                    image = behind(results)["img"]
                    found.append(NetworkValues(*_mean_and_std(image, preprocessor), beyond))
                if perf_counter() > end:
                    break
    except Exception:  # own transforms, or faults that other checks or the training tell
        return []
    return found


def _mean_and_std(image: NDArray, preprocessor: Any) -> tuple[float, float]:
    """Those of a picture, (H, W) or (H, W, C), behind the data preprocessor."""
    image = image[..., None] if image.ndim == 2 else image
    height, width = image.shape[:2]
    inputs = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    if preprocessor is not None:
        inputs = preprocessor(dict(inputs=[inputs], data_samples=None))["inputs"][0]
    values = inputs[..., :height, :width].float()
    return float(values.mean()), float(values.std())


def check_training_sets(
    sets: Sequence[tuple[Sequence[Any], Sequence[Mapping[str, Any]]]],
    preprocessor: nn.Module | Mapping[str, Any] | None,
) -> list[Finding]:
    """Compare what the network gets with what it can take, set by set.

    Args:
        sets: that the training joins, or its only one: pipeline and records, as for
            :func:`measure_network_values`.
        preprocessor: likewise.

    Returns:
        a warning about the first set that does not fit.
    """
    for number, (pipeline, records) in enumerate(sets, start=1):
        where = f"train_dataloader (set {number})" if len(sets) > 1 else "train_dataloader"
        values = measure_network_values(pipeline, records, preprocessor) if pipeline else []
        findings = check_network_values(values, where)
        if findings:
            return findings
    return []


def check_network_values(
    values: Sequence[NetworkValues], where: str = "train_dataloader"
) -> list[Finding]:
    """Compare the values with what a network can take.

    Args:
        values: of some pictures of the training.
        where: they come from.

    Returns:
        a warning if most are far from 0, or have hardly any contrast; nothing without pictures.
    """
    if not values:
        return []
    mean = float(np.median([v.mean for v in values]))
    std = float(np.median([v.std for v in values]))
    farthest = _FAR if np.median([v.beyond_8_bits for v in values]) > 0.5 else LARGEST_MEAN
    wrong = abs(mean) > farthest or not SMALLEST_STD <= std <= LARGEST_STD
    if not wrong or not np.isfinite([mean, std]).all():
        return []
    return [
        Finding(
            "warning",
            NORMALISATION,
            f"the network gets values of mean {mean:.5g} and standard deviation {std:.3g} (medians "
            f"of {len(values)} training pictures, behind pipeline and data_preprocessor), where "
            "about 0 and 1 is meant",
            "normalise once, and for these pictures: NormalizeFrame in all pipelines, or the "
            "pictures' own mean and std, and no second ones in model.data_preprocessor; low and "
            "high of GainControl's window are values of the files unless scale and offset are set "
            "(docs/gain_control.md)",
            where=f"{where}, model.data_preprocessor",
        )
    ]
