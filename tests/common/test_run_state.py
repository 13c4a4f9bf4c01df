"""A run that did not end with finite numbers is refused."""

import json
from pathlib import Path

import pytest

from mmthermal.common.run_state import NOT_FINITE, check_ended_finite


def log(folder: Path, *losses: str, start: str = "20260101_000000") -> None:
    path = folder / start / "vis_data" / "scalars.json"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f'{{"loss": {loss}, "iter": {i}}}\n' for i, loss in enumerate(losses)))


def test_a_finite_run_passes(tmp_path: Path) -> None:
    check_ended_finite(tmp_path)  # no log at all
    log(tmp_path, "3.0", "2.0")
    check_ended_finite(tmp_path)


@pytest.mark.parametrize("loss", ["NaN", "Infinity", "-Infinity"])
def test_the_newest_log_decides_by_its_last_loss(tmp_path: Path, loss: str) -> None:
    log(tmp_path, "3.0", loss)
    with pytest.raises(FloatingPointError, match=r"last logged loss is .*scalars\.json"):
        check_ended_finite(tmp_path)
    later = tmp_path / "20260102_000000" / "vis_data" / "scalars.json"
    later.parent.mkdir(parents=True)
    later.write_text('{"loss": 1.0}\n{"coco/bbox_mAP": NaN}\n[1]\n{"loss": 2')
    check_ended_finite(tmp_path)


def test_the_record_of_a_stop_is_quoted(tmp_path: Path) -> None:
    (tmp_path / NOT_FINITE).write_text(json.dumps(dict(iteration=7, found="loss_bbox=inf")))
    with pytest.raises(FloatingPointError, match="at iteration 7, because loss_bbox=inf"):
        check_ended_finite(tmp_path)
