"""Where files may be written: under plain names, never over an input, over others if asked to."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def named_once(option: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Pairs of a name and a value as a dict.

    Args:
        option: that they were given by, for the message.
        pairs: the pairs.

    Returns:
        the values by name.

    Raises:
        ValueError: if a name is given twice, of which a dict would keep the last one.
    """
    found: dict[str, T] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{option}: {name!r} is given twice: give each name once")
        found[name] = value
    return found


def check_file_names(option: str, names: Iterable[str]) -> None:
    """Raise unless each name, with an ending, is that of a file in the folder it is put in.

    Args:
        option: that they were given by, for the message.
        names: without ending.

    Raises:
        ValueError: if a name is empty or leads to another folder.
    """
    for name in names:
        if name in ("", ".", "..") or any(sign in name for sign in "/\\\0"):
            raise ValueError(
                f"{option}: {name!r} is no name of a file: give a word without slashes, such as "
                "'train'; the folder is an argument of its own"
            )


def check_outputs(paths: Iterable[Path], inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Raise if files that are to be written would take the place of others.

    Args:
        paths: to be written.
        inputs: what is read; they are never written over, by whatever path they are reached.
        overwrite: whether other files may be replaced.

    Raises:
        ValueError: if one is an input.
        NotADirectoryError: if a folder of the files is a file.
        FileExistsError: if one is there already, without ``overwrite``.
    """
    paths = list(paths)
    for folder in {path.parent for path in paths}:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(f"{str(folder)!r} is a file: give a folder")
    there = [path for path in paths if os.path.lexists(path)]
    if not there:
        return
    # what os.path.samefile compares, for many files at once
    read = {_identity(path) for path in inputs if path.exists()}
    for path in there:
        if path.exists() and _identity(path) in read:
            raise ValueError(
                f"{str(path)!r} would be written, but is an input: give another folder or name"
            )
    if not overwrite:
        raise FileExistsError(
            f"{len(there)} of the files to write exist already, such as {str(there[0])!r}: give "
            "another folder, or --overwrite to replace them"
        )


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino
