"""Results of single images, kept while a long inference runs, so that a kill loses none."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, Timeout

Row = tuple[float, float, float, float, int, float]
"""A false region: x, y, width, height, category id, score."""


class PartialResults:
    """Append-only files of finished images, one per process, in one folder.

    A line is one image. Lines are written and synchronised by the batch; a line without its end,
    which a kill leaves behind, doesn't count. Files of other settings have another name.

    Args:
        folder: where the files are; made when something is written.
        key: everything that the results depend on, as JSON takes it.
    """

    def __init__(self, folder: str | Path, key: Mapping[str, Any]) -> None:
        self.folder = Path(folder)
        text = json.dumps(key, sort_keys=True)
        self.name = hashlib.sha256(text.encode()).hexdigest()[:16]

    def read(self) -> dict[int, list[Row]]:
        """Finished images of all processes, now and in earlier runs.

        Returns:
            false regions by index of the image in the data set.

        Raises:
            ValueError: if a line is none of this class; it names file and line.
        """
        results: dict[int, list[Row]] = {}
        for path in sorted(self.folder.glob(f"{self.name}.*.jsonl")):
            for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
                if line.endswith(b"\n"):
                    try:
                        record = json.loads(line)
                        rows = [tuple(row) for row in record["regions"]]
                        results[int(record["index"])] = rows
                    except (KeyError, RecursionError, TypeError, ValueError) as error:
                        raise ValueError(
                            f"{path}, line {number} is no result of an image "
                            f"({type(error).__name__}: {error}): delete the file, and its images "
                            "are computed again"
                        ) from None
        return results

    def writer(self, rank: int) -> "PartialWriter":
        """The file of one process, open for more images."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return PartialWriter(self.folder / f"{self.name}.{rank}.jsonl")

    def remove(self) -> None:
        """Delete the files, when the result that they lead to has been written."""
        for path in self.folder.glob(f"{self.name}.*.jsonl"):
            path.unlink()
            lock_path(path).unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def lock_path(path: Path) -> Path:
    """The file whose lock says that a process writes another."""
    return path.with_name(f"{path.name}.lock")


class PartialWriter:
    """One process's file of finished images.

    Args:
        path: the file; what a kill left of a last line is cut off.

    Raises:
        RuntimeError: if another process writes it.
    """

    def __init__(self, path: Path) -> None:
        # A lock of the system's, which it frees when the process ends, however that happens.
        self._lock = FileLock(lock_path(path), blocking=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise RuntimeError(f"another process writes {path}: wait for it, or end it") from None
        self._file = open(path, "a+b")
        self._file.seek(0)
        content = self._file.read()
        self._file.truncate(content.rfind(b"\n") + 1)

    def append(self, results: Iterable[tuple[int, list[Row]]]) -> None:
        """Write finished images; they are on the disk when this returns.

        Args:
            results: pairs of the image's index and its false regions.
        """
        lines = [json.dumps(dict(index=index, regions=rows)) + "\n" for index, rows in results]
        self._file.write("".join(lines).encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> "PartialWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._lock.release()
