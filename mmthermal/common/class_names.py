"""The classes that ``metainfo.classes`` asks for."""

import os.path as osp
from collections.abc import Sequence

from mmengine.fileio import list_from_file


def class_names(classes: str | Sequence[str]) -> tuple[str, ...]:
    """Read the setting as mmengine does, with what editors add to text files passed over.

    Args:
        classes: the names; the path of a text file with a name in each line; or a single name.

    Returns:
        the names; of a file without a byte order mark and empty lines.
    """
    if not isinstance(classes, str):
        return tuple(classes)
    if not osp.isfile(classes):
        return (classes,)
    lines = (line.strip() for line in list_from_file(classes, encoding="utf-8-sig"))
    return tuple(line for line in lines if line)
