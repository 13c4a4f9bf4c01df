"""FLIR-aligned: ``align/{Annotations,JPEGImages}``, lists ``align_{train,validation}.txt``."""

from pathlib import Path

from mmthermal.convert.labels import LabelSet, image_files, need_folder
from mmthermal.convert.voc import read_xml_set

_LISTS = {"train": "align_train.txt", "val": "align_validation.txt"}


def read_flir_aligned(root: Path) -> list[LabelSet]:
    """Read the aligned pairs made from FLIR ADAS v1; only the thermal pictures are used.

    Args:
        root: the folder with ``Annotations`` and ``JPEGImages``, or its parent; the lists lie in
            it or in ``ImageSets/Main``.

    Returns:
        the splits ``train`` and ``val``; one, ``all``, without lists.

    Raises:
        FileNotFoundError: if a folder is missing.

    Source: Zhang et al., Multispectral fusion for object detection with cyclic fuse-and-refine
    blocks, ICIP 2020.
    """
    folder = root / "align" if (root / "align").is_dir() else root
    annotations = need_folder(folder / "Annotations", "FLIR-aligned")
    images = image_files(need_folder(folder / "JPEGImages", "FLIR-aligned"))
    thermal = [path for path in images if path.stem.endswith("_PreviewData")]
    lists = {}
    for split, name in _LISTS.items():
        for path in (folder / name, folder / "ImageSets" / "Main" / name):
            if path.is_file():
                lists[split] = path
    return read_xml_set(annotations, thermal, lists)
