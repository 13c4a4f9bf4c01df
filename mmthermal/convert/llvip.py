"""LLVIP: ``Annotations/*.xml``, ``infrared/{train,test}/*.jpg`` (and ``visible/``, left out)."""

from pathlib import Path

from mmthermal.common.files import files_below
from mmthermal.convert.labels import LabelSet, image_files, need_folder
from mmthermal.convert.voc import WITHOUT_IMAGE, read_xml_set


def read_llvip(root: Path) -> list[LabelSet]:
    """Read LLVIP; names begin with two digits that tell the place of the camera.

    Args:
        root: the folder with ``Annotations`` and ``infrared``.

    Returns:
        the splits ``train`` and ``test``.

    Raises:
        FileNotFoundError: if a folder is missing.

    Source: Jia et al., LLVIP, ICCV workshops 2021; the set's own README.
    """
    annotations = need_folder(root / "Annotations", "LLVIP")
    found: list[LabelSet] = []
    names: set[str] = set()
    for split in ("train", "test"):
        images = image_files(need_folder(root / "infrared" / split, "LLVIP"))
        (labels,) = read_xml_set(annotations, images)
        labels.split = split
        # the XML files of both splits lie in one folder
        labels.dropped.pop(WITHOUT_IMAGE, None)
        labels.dropped.examples.pop(WITHOUT_IMAGE, None)
        names.update(path.stem for path in images)
        found.append(labels)
    for path in files_below(annotations):
        if path.suffix == ".xml" and path.stem not in names:
            found[-1].dropped.note(f"{WITHOUT_IMAGE} in train or test", path)
    return found
