"""Lines of a results file for tests."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def result_line(name: str, seed: int | None, value: float = 0.5, **more: Any) -> dict[str, Any]:
    """A complete line with one AP50."""
    return {
        "name": name, "seed": seed, "data": "hituav160", "detector": "RetinaNet",
        "schedule": "6e", "precision": "bfloat16", "metrics": {"AP50": value}, **more,
    }  # fmt: skip


def result_lines(name: str, values: Sequence[float], **more: Any) -> list[dict[str, Any]]:
    """A line per value, at the seeds from 0 on."""
    return [result_line(name, seed, value, **more) for seed, value in enumerate(values)]


def write_lines(path: Path, lines: Sequence[dict[str, Any]]) -> Path:
    """Write a results file."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
