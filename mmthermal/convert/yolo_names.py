"""Class names and folders of a YOLO set: its YAML file, or a text file of names."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from mmthermal.common.split_words import split_of
from mmthermal.convert.labels import read_text

_NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt")


class _Loader(yaml.SafeLoader):
    """PyYAML's, without its keeping the last of two equal keys silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                mark = node.start_mark
                raise yaml.MarkedYAMLError(problem=f"{key!r} is given twice", problem_mark=mark)
        return super().construct_mapping(node, deep)


def read_data_yaml(root: Path) -> tuple[Path, dict[str, Any]] | None:
    """The data set's YAML file: the first one that names images; others may lie beside it.

    Args:
        root: the folder.

    Returns:
        its path and content; None if no YAML file in the folder is meant to be one.

    Raises:
        ValueError: if a file is not YAML, or one that is meant to describe the set names no
            images or no classes.
    """
    meant = None
    for path in sorted([*root.glob("*.yaml"), *root.glob("*.yml")]):
        content = _load(path)
        if "train" in content or (
            "names" in content and any(split_of(str(key)) for key in content)
        ):
            if "names" not in content:
                raise ValueError(f"{str(path)!r} has no 'names': list the classes there")
            return path, content
        if "names" in content or path.stem == "data":
            meant = meant or path
    if meant is not None:
        raise ValueError(
            f"{str(meant)!r} names no images: add 'train' (a folder, or a list of images) and "
            "'names'; or remove it, to have folders such as images/train found by themselves"
        )
    return None


def _load(path: Path) -> dict[Any, Any]:
    """A YAML file; nothing for one that holds no mapping."""
    try:
        content = yaml.load(read_text(path), _Loader)  # a SafeLoader
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ValueError(
            f"{str(path)!r}{where} is not valid YAML ({problem or error}): correct it, or remove "
            "the file if it does not belong to the set"
        ) from None
    return content if isinstance(content, dict) else {}


def names_of_yaml(path: Path, names: object) -> dict[int, str]:
    """Class names by number.

    Args:
        path: of the YAML file, for the message.
        names: what it has under ``names``.

    Returns:
        the names.

    Raises:
        ValueError: unless they are a list, or a mapping from numbers, of different names.
    """
    if isinstance(names, dict):
        return _checked(path, names.items())
    if isinstance(names, list):
        return _checked(path, enumerate(names))
    raise ValueError(
        f"{str(path)!r}: names={names!r}: write a list, as in 'names: [person, car]', or a mapping "
        "from numbers, as in 'names: {0: person, 1: car}'"
    )


def values_of_keypoints(path: Path, shape: object) -> int:
    """How many values of keypoints follow the box in each line of a pose set.

    Args:
        path: of the YAML file, for the message.
        shape: what it has under ``kpt_shape``; None for a set without keypoints.

    Returns:
        the number; 0 without keypoints.

    Raises:
        ValueError: unless it is a list of two whole numbers of at least 1.
    """
    if shape is None:
        return 0
    if isinstance(shape, list) and len(shape) == 2 and all(type(n) is int and n > 0 for n in shape):
        return int(shape[0] * shape[1])
    raise ValueError(
        f"{str(path)!r}: kpt_shape={shape!r}: write the number of keypoints and of values each, as "
        "in 'kpt_shape: [17, 3]'; or remove it, where the labels have no keypoints"
    )


def names_of_text(root: Path) -> dict[int, str]:
    """Class names by number from a text file with one a line, if there is one.

    Args:
        root: the folder of the set.

    Returns:
        the names; empty without such a file.

    Raises:
        ValueError: if the file has no name or one twice.
    """
    path = next((root / name for name in _NAME_FILES if (root / name).is_file()), None)
    if path is None:
        return {}
    lines = enumerate(read_text(path).splitlines())
    return _checked(path, ((number, line.strip()) for number, line in lines if line.strip()))


def _checked(path: Path, pairs: Iterable[tuple[object, object]]) -> dict[int, str]:
    """Names by number, all of them usable and different."""
    found: dict[int, str] = {}
    for key, name in pairs:
        if not str(key).isdecimal():
            raise ValueError(
                f"{str(path)!r}: names has the key {key!r}: write the class number, 0 or above"
            )
        if isinstance(name, bool) or not isinstance(name, (str, int)) or not str(name).strip():
            raise ValueError(
                f"{str(path)!r}: class {key} has the name {name!r}: write a word, in quotes if "
                "YAML reads it as something else"
            )
        if str(name) in found.values():
            first = next(number for number, other in found.items() if other == str(name))
            raise ValueError(
                f"{str(path)!r}: classes {first} and {key} are both called {str(name)!r}: give "
                "each its own name; --rename joins classes"
            )
        found[int(str(key))] = str(name)
    if not found:
        raise ValueError(f"{str(path)!r} names no class: list the classes there")
    return found
