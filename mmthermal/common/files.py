"""Files that are there whole or not at all, and files in folders."""

import codecs
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jp2", ".tif", ".tiff", ".bmp", ".webp", ".pgm"),
    ".npy",
)
"""File endings of images, in small letters."""


def walk(folder: str | Path) -> Iterator[tuple[Path, list[str]]]:
    """A folder and all below it, also behind links, which ``Path.rglob`` does not follow.

    Args:
        folder: where to begin.

    Yields:
        each folder, by the path that leads to it, and the names of the files in it. One that
        several paths lead to comes once, by a path without links below ``folder`` if there is one;
        links to a folder that they lie in are not followed.
    """
    starts, seen = [Path(folder)], set[Path]()
    for start in starts:  # grows
        for path, folders, names in os.walk(start):
            real = Path(os.path.realpath(path))
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            yield Path(path), names
            folders.sort()
            links = (Path(path, name) for name in folders if os.path.islink(Path(path, name)))
            starts += [link for link in links if Path(os.path.realpath(link)) not in real.parents]


def files_below(folder: str | Path) -> list[Path]:
    """All files in a folder and below it as of :func:`walk`, in order of their paths."""
    return sorted(path / name for path, names in walk(folder) for name in names)


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_bytes(path: str | Path, data: bytes) -> Path:
    """Write a file through a temporary file in the same folder and a rename.

    Args:
        path: where to write; missing folders are made.
        data: whole content.

    Returns:
        The path.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target


def write_text(path: str | Path, text: str) -> Path:
    """Write a text file in UTF-8 as `write_bytes` does, line ends as they are."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: str | Path, content: Any, *, indent: int | None = 1) -> Path:
    """Write JSON as `write_text` does.

    Raises:
        ValueError: for NaN and infinities, which JSON does not have.
    """
    try:
        text = json.dumps(content, indent=indent, allow_nan=False)
    except ValueError:
        check_json_numbers(content, path)
        raise
    return write_text(path, text + "\n")


def check_json_numbers(content: Any, path: str | Path) -> None:
    """Refuse numbers that JSON does not have, though Python reads and writes them.

    Args:
        content: of a JSON file.
        path: of the file, for the message.

    Raises:
        ValueError: for NaN and infinities, with the place of the first.
    """
    for place, value in _not_finite(content, ""):
        raise ValueError(
            f"{str(path)!r}: {place or 'the content'} is {value}, and JSON has no such number: "
            "give a finite one, null, or leave it out"
        )


def _not_finite(content: Any, place: str) -> Iterator[tuple[str, float]]:
    """Numbers that JSON does not have, and where they are, such as ``annotations[3].score``."""
    if isinstance(content, float) and not math.isfinite(content):
        yield place, content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield from _not_finite(value, f"{place}.{key}".lstrip("."))
    elif isinstance(content, list | tuple):
        for number, value in enumerate(content):
            yield from _not_finite(value, f"{place}[{number}]")


def read_json(path: str | Path, *, what: str) -> Any:
    """Read JSON with an error that names the file and its purpose.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{what} {str(path)!r} does not exist: check the path") from None
    except (RecursionError, ValueError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"{what} {str(path)!r} is not valid JSON: {reason}") from None


@contextmanager
def without_mark(path: Any) -> Iterator[Any]:
    """A text file for readers that fail on the byte order mark which Windows' editors write.

    Args:
        path: the file; anything but the path of a file that is here is passed on as it is.

    Yields:
        the path; where the file begins with the mark, that of a copy without it, for a while.
    """
    data = b""
    if isinstance(path, (str, Path)) and os.path.isfile(path):
        with open(path, "rb") as file:
            if file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8:
                data = file.read()
    if not data:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(path).name
        copy.write_bytes(data)
        yield str(copy)


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Fill a new folder that takes its place only when it is complete.

    A folder of that name is replaced. After an error it is as it was, and nothing is left over.

    Args:
        path: the folder; its parent is made if need be.

    Yields:
        An empty folder beside it, to be filled.
    """
    target = Path(path).resolve()  # the folder that a link leads to
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        yield work
        work.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
            try:
                os.replace(target, old)
                os.replace(work, target)
            except BaseException:
                if target.exists():
                    old.rmdir()
                else:
                    os.replace(old, target)
                raise
            shutil.rmtree(old)
        else:
            os.replace(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def copy_file(source: str | Path, target: str | Path) -> Path:
    """Copy a file through a temporary one beside the target and a rename, with its times.

    Args:
        source: what to copy.
        target: where to; missing folders are made.

    Returns:
        The target's path.
    """
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        shutil.copy2(source, name)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
