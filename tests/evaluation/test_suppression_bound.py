"""The bound of the notebook: what a suppression loses, and only that, is given back."""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers_data import ROOT

SCRIPT = ROOT / "benchmarks" / "results" / "suppression_bound.py"


def test_a_neighbour_that_was_suppressed_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of two objects with an IoU of .6 each has its own box; a duplicate stays away."""
    near, far = [10.0, 10.0, 20.0, 20.0], [15.0, 10.0, 20.0, 20.0]
    duplicate = [10.5, 10.0, 20.0, 20.0]
    annotations = [
        dict(id=i, image_id=1, category_id=1, bbox=box, area=400.0, iscrowd=0)
        for i, box in enumerate((near, far), 1)
    ]
    content: dict[str, Any] = dict(
        images=[dict(id=1, file_name="a.png", width=64, height=64)],
        annotations=annotations,
        categories=[dict(id=1, name="person")],
    )
    detections = [
        dict(image_id=1, category_id=1, bbox=box, score=score)
        for box, score in ((near, 0.9), (duplicate, 0.8), (far, 0.3))
    ]
    paths = [tmp_path / "val.json", tmp_path / "raw.json"]
    for path, written in zip(paths, (content, detections), strict=True):
        path.write_text(json.dumps(written))
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *map(str, paths)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "1 kept, 1 of 2 suppressed ones added"
    rows = {line.split()[0]: line.split()[1:] for line in printed[2:]}
    assert rows["overlapped"] == rows["all"] == ["50.5", "100.0", "+49.5"]
