"""M3FD: ``Annotation/*.xml``, ``Ir/*.png`` (and ``Vis/``, left out)."""

from collections.abc import Mapping
from pathlib import Path

from mmthermal.convert.labels import LabelSet, image_files, need_folder
from mmthermal.convert.voc import read_xml_set


def read_m3fd(root: Path, lists: Mapping[str, Path] | None = None) -> list[LabelSet]:
    """Read M3FD, which has no split of its own.

    Args:
        root: the folder with ``Annotation`` and ``Ir``.
        lists: text files with the names of a split's images, by split; those of ``meta``, which
            its authors' detection code uses, if None.

    Returns:
        the splits; one, ``all``, without lists.

    Raises:
        FileNotFoundError: if a folder is missing.

    Source: Liu et al., TarDAL, CVPR 2022.
    """
    annotations = need_folder(root / "Annotation", "M3FD")
    images = image_files(need_folder(root / "Ir", "M3FD"))
    if lists is None:
        choices = {split: root / "meta" / f"{split}.txt" for split in ("train", "val", "test")}
        lists = {split: path for split, path in choices.items() if path.is_file()}
    return read_xml_set(annotations, images, lists)
