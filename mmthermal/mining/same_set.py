"""Do files of hard negatives belong to the training set that they are used with.

Regions are kept by image id, and the ids 1, 2, 3 exist in every set.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from mmthermal.common.checks import InputError
from mmthermal.mining.region_file import RegionFile

Image = Mapping[str, Any]
Pair = tuple[Image, Image]
Parts = tuple[str, ...]


def images_of(dataset: Any) -> dict[int | str, dict[str, Any]]:
    """Path and size of each image of an mmdet data set, whose samples may come repeatedly.

    Args:
        dataset: the data set or a wrapper.

    Returns:
        ``file_name`` (the path that is read), ``width`` and ``height`` in pixels by image id.
    """
    images: dict[int | str, dict[str, Any]] = {}
    for ind in range(len(dataset)):
        info = dataset.get_data_info(ind)
        images[info["img_id"]] = dict(
            file_name=info["img_path"], width=info.get("width"), height=info.get("height")
        )
    return images


def check_same_set(content: RegionFile, images: Mapping[int | str, Image], source: str) -> None:
    """Raise if hard negatives were mined in other images than those of the training set.

    Images that only one of the two has are no fault: sets are cut, and images without regions are
    not listed. Another folder of all images or another format of their files is none, either.

    Args:
        content: the hard negatives; image records may lack ``file_name``, ``width``, ``height``.
        images: ``file_name`` (path), ``width`` and ``height`` of the training set by image id.
        source: names the hard negatives in the error.

    Raises:
        InputError: if an image has another name or size in the training set, or no region is in
            an image of the training set.
    """
    if content.regions and not any(region.image_id in images for region in content.regions):
        raise InputError(
            f"{source}: none of its {len(content.regions)} regions is in an image of the training "
            f"set: they are in images of the ids {_first(r.image_id for r in content.regions)}, "
            f"the training set has {_first(images)}. Mine the hard negatives of this training set"
        )
    listed = [(image, images[image["id"]]) for image in content.images if image["id"] in images]
    other = next((pair for pair in listed if _sizes_differ(*pair)), None) or _renamed(listed)
    if other is not None:
        old, new = other
        raise InputError(
            f"{source} is of another data set: its image {old['id']!r} is {_in_words(old)}, that "
            f"of the training set {_in_words(new)}. Regions are used by image id: mine the hard "
            "negatives of this training set"
        )


def check_excluded(
    exclusions: Collection[int | str], known: Collection[int | str], source: str
) -> None:
    """Raise if images of excluded regions do not exist.

    Args:
        exclusions: ids of the images that have excluded regions.
        known: ids of the images of the training set and of the files that are used with it.
        source: names the list of exclusions in the error.

    Raises:
        InputError: naming the ids.
    """
    strangers = [image for image in exclusions if image not in known]
    if strangers:
        raise InputError(
            f"{source}: {len(strangers)} of its {len(exclusions)} image ids are not in the "
            f"training set, which has {_first(known)}: {_first(strangers)}. An id in quotes is "
            "another than the number: correct the ids, or take these entries out"
        )


def _first(ids: Iterable[int | str]) -> str:
    """The first few of the ids."""
    words = list(dict.fromkeys(map(repr, ids)))
    return ", ".join(words[:5]) + (", …" if len(words) > 5 else "")


def _sizes_differ(old: Image, new: Image) -> bool:
    sides = [(old.get(side), new.get(side)) for side in ("width", "height")]
    return any(None not in pair and pair[0] != pair[1] for pair in sides)


def _renamed(listed: Sequence[Pair]) -> Pair | None:
    """A pair whose file names are not those of one image, or not in the folders of one set."""
    moves: dict[tuple[Parts, Parts], Pair] = {}
    for pair in listed:
        if not pair[0].get("file_name"):
            continue
        old, new = (_parts(image["file_name"]) for image in pair)
        if old[-1] != new[-1]:
            return pair
        while old and new and old[-1] == new[-1]:
            old, new = old[:-1], new[:-1]
        moves.setdefault((old, new if old else ()), pair)
    if len(moves) < 2:  # all in their place, or all moved in the same way
        return None
    return next(pair for (old, _), pair in moves.items() if old)


def _parts(name: str) -> Parts:
    """Folders and stem of a path, without steps upwards."""
    path = PurePosixPath(str(name).replace("\\", "/"))
    return (*(part for part in path.parent.parts if part not in ("..", "/")), path.stem)


def _in_words(image: Image) -> str:
    name, width, height = (image.get(key) for key in ("file_name", "width", "height"))
    size = "" if width is None or height is None else f" ({width} × {height})"
    return f"{name or 'an image'}{size}"
