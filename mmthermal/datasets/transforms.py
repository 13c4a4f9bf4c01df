"""Loading and augmentation of one-channel images of any bit depth."""

from collections.abc import Sequence
from importlib.util import find_spec

import mmcv
import numpy as np
from mmcv.transforms import BaseTransform, LoadImageFromFile
from mmcv.transforms.utils import cache_randomness
from mmdet.registry import TRANSFORMS
from numpy.typing import NDArray

from mmthermal.common.checks import check_choice, check_range
from mmthermal.common.display import read_image, without_opacity
from mmthermal.common.radiometric import UNITS
from mmthermal.datasets.picture_checks import NOT_FINITE, SIZE, check_picture


@TRANSFORMS.register_module()
class LoadThermalImage(LoadImageFromFile):
    """Load an image of 8 or 16 bits, an array or temperatures as float32, with no bit lost.

    mmdet's own loader cuts 16 bits to 8 and repeats the channel three times, without a word.
    Colour files (a rendered palette) become grey, or are refused; opacity is left out.

    Required keys: ``img_path``, of a picture, a ``.npy`` file or, with ``radiometric``, a JPEG
    with temperatures. Added keys: ``img``, (H, W) or (H, W, ``channels``) float32, ``img_shape``,
    ``ori_shape``.

    A picture is turned as its EXIF orientation says, as by mmdet's loader, and compared with its
    record (docs/faults.md).

    Args:
        channels: 1, or 3 to repeat the channel for a backbone that was pretrained on colour.
        colour: ``'grey'`` to convert images of several channels, ``'error'`` to refuse them.
        accept: codes of errors to go on with: ``'image-size-differs'``, ``'nan-pixels'``.
        imdecode_backend: as ``LoadImageFromFile``, without ``'turbojpeg'``, which has no way to
            decode a file as it is.
        ignore_empty: as ``LoadImageFromFile``.
        radiometric: ``'celsius'`` or ``'kelvin'`` for the temperatures in radiometric JPEG files;
            None takes the picture that the camera rendered. Other files are read as they are.
        backend_args: as ``LoadImageFromFile``.

    Raises:
        FileNotFoundError: if the image is missing.
        ImportError: if temperatures are asked for and flyr is not installed, or tifffile to decode.
        ValueError: if it can't be decoded with all its bands and bits, has a colour that isn't
            allowed, another size than its record, or many pixels that are no numbers.
    """

    def __init__(
        self,
        *,
        channels: int = 1,
        colour: str = "grey",
        accept: Sequence[str] = (),
        imdecode_backend: str = "cv2",
        ignore_empty: bool = False,
        radiometric: str | None = None,
        backend_args: dict | None = None,
    ) -> None:
        check_choice("channels", channels, (1, 3))
        check_choice("colour", colour, ("grey", "error"))
        check_choice("radiometric", radiometric, (None, *UNITS))
        check_choice("imdecode_backend", imdecode_backend, (None, "cv2", "pillow", "tifffile"))
        if imdecode_backend == "tifffile" and find_spec("tifffile") is None:
            raise ImportError(
                "imdecode_backend='tifffile' needs tifffile, which is not installed: "
                "pip install tifffile"
            )
        for code in (accept,) if isinstance(accept, str) else accept:
            check_choice("accept", code, (SIZE, NOT_FINITE))
        super().__init__(
            to_float32=True,
            color_type="unchanged",
            imdecode_backend=imdecode_backend,
            ignore_empty=ignore_empty,
            backend_args=backend_args,
        )
        self.channels = channels
        self.colour = colour
        self.accept = accept
        self.radiometric = radiometric

    def transform(self, results: dict) -> dict | None:
        """Load the image of ``results['img_path']``.

        Args:
            results: the sample.

        Returns:
            the sample with the image; None if it can't be read and ``ignore_empty`` is set.
        """
        path = results["img_path"]
        try:
            image = read_image(
                path,
                backend_args=self.backend_args,
                imdecode_backend=self.imdecode_backend,
                radiometric=self.radiometric,
            )
        except (OSError, ValueError) as error:
            if self.ignore_empty:
                return None
            if isinstance(error, FileNotFoundError):
                raise FileNotFoundError(
                    f"the image {path} doesn't exist: data_prefix.img and the annotation file's "
                    "file_name must make its path together"
                ) from None
            raise
        results["img"] = self.to_channels(check_picture(image, results, path, self.accept), path)
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results

    def to_channels(self, image: NDArray, path: str) -> NDArray:
        """Make grey of colours, and as many channels as are asked for.

        Args:
            image: (H, W), or (H, W, C) with 1 to 4 channels.
            path: of the image, for messages.

        Returns:
            (H, W) or (H, W, ``channels``), float32.

        Raises:
            ValueError: if it has a colour that isn't allowed.
        """
        image = image.astype(np.float32)
        if image.ndim == 3:
            if self.colour == "error" and image.shape[2] > 1:
                raise ValueError(
                    f"the image {path} has {image.shape[2]} channels where one is expected; "
                    "colour='grey' converts it"
                )
            image = without_opacity(image)
            if image.ndim == 3:
                image = mmcv.bgr2gray(np.ascontiguousarray(image))
        return np.repeat(image[..., None], 3, 2) if self.channels == 3 else image

    def __repr__(self) -> str:
        """Name and settings."""
        return (
            f"{type(self).__name__}(channels={self.channels}, colour={self.colour!r}, "
            f"radiometric={self.radiometric!r}, backend_args={self.backend_args})"
        )


@TRANSFORMS.register_module()
class NormalizeFrame(BaseTransform):
    r"""Subtract each image's own mean and divide by its own standard deviation.

    .. math:: y = (x - m) / \max(s, s_{min})

    with m and s of each channel. The level of a thermal image follows the weather, the hour and
    the camera's temperature, and differs more between images than within one; none of it tells
    objects from the background. With this in the pipeline no mean and deviation of a data set has
    to be measured: set those of the data preprocessor to 0 and 1.

    Modified keys: ``img``, float32 afterwards.

    Args:
        min_std: s_min, floor of the deviation, > 0, in the unit of the pixels, so that the noise
            of an empty scene isn't blown up without bound.

    Raises:
        TypeError: if ``min_std`` is not a number.
        ValueError: if it is not positive and finite.
    """

    def __init__(self, *, min_std: float = 1.0) -> None:
        check_range("min_std", min_std, 0, open_low=True)
        self.min_std = min_std

    def transform(self, results: dict) -> dict:
        """Normalise ``results['img']``.

        Args:
            results: the sample.

        Returns:
            the sample.
        """
        image = results["img"]
        # in float64: float32 sums of 16-bit counts lose the last digits
        mean = image.mean(axis=(0, 1), dtype=np.float64)
        std = image.std(axis=(0, 1), dtype=np.float64)
        scaled = (image - np.float32(mean)) / np.float32(np.maximum(std, self.min_std))
        results["img"] = scaled.astype(np.float32, copy=False)
        return results

    def __repr__(self) -> str:
        """Name and settings."""
        return f"{type(self).__name__}(min_std={self.min_std})"


@TRANSFORMS.register_module()
class RandomContrastBrightness(BaseTransform):
    r"""Change contrast and brightness at random, for any bit depth.

    .. math:: y = (x - m)(1 + c) + m + b\,s

    with :math:`m, s` the image's own mean and standard deviation, so that the same setting means
    the same for 8-bit grey values and for 16-bit counts; :math:`c, b` uniform in
    ±``contrast``, ±``brightness``. Values are not clipped.

    Modified keys: ``img``, float32 afterwards.

    Args:
        contrast: largest relative change of contrast, in [0, 1).
        brightness: largest shift, in standard deviations of the image, >= 0.

    Raises:
        TypeError: if a setting is not a number.
        ValueError: if one is out of range.
    """

    def __init__(self, *, contrast: float = 0.2, brightness: float = 0.2) -> None:
        check_range("contrast", contrast, 0, 1, open_high=True)
        check_range("brightness", brightness, 0)
        self.contrast = contrast
        self.brightness = brightness

    @cache_randomness
    def _draw(self) -> tuple[float, float]:
        contrast, brightness = np.random.uniform(-1, 1, 2)  # mmengine seeds this per worker
        return contrast * self.contrast, brightness * self.brightness

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``.

        Args:
            results: the sample.

        Returns:
            the sample.
        """
        image = results["img"].astype(np.float32, copy=False)
        contrast, brightness = self._draw()
        mean, std = float(image.mean()), float(image.std())
        offset = mean * -contrast + brightness * std
        results["img"] = (image * (1 + contrast) + offset).astype(np.float32, copy=False)
        return results

    def __repr__(self) -> str:
        """Name and settings."""
        return f"{type(self).__name__}(contrast={self.contrast}, brightness={self.brightness})"
