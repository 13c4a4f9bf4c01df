"""Old names of configs lead to the files of today."""

from pathlib import Path

import pytest
from helpers_data import CONFIGS

from mmthermal.common.renamed_configs import RENAMED, config_from_file, new_place


def test_every_new_name_exists_and_no_old_one() -> None:
    assert len(RENAMED) == 44
    for old, new in RENAMED.items():
        assert (CONFIGS / f"{new}.py").is_file(), new
        assert not (CONFIGS / f"{old}.py").exists(), old


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("configs/thermal/hituav160_retina_qfl.py", "configs/gfl/gfl_qfl_hituav160.py"),
        ("configs/mining/retina_clutter.py", "configs/retinanet/retina_composite_1e_clutter.py"),
        (r"configs\thermal\atss_focal.py", "configs/atss/atss_focal_synthetic.py"),
        (
            'file "/x/thermal/retina_ohem.py" is absent',
            "configs/retinanet/retina_ohem_synthetic.py",
        ),
        ("configs/thermal/retina_composite.py", None),
        ("configs/thermal/mine.py", None),
        ("retina_focal.py", None),
    ],
)
def test_new_place(text: str, expected: str | None) -> None:
    assert new_place(text) == expected


def test_error_names_the_new_file_for_a_config_and_for_a_base(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="now configs/retinanet/retina_focal_synthetic.py"):
        config_from_file(CONFIGS / "thermal/retina_focal.py")
    mine = tmp_path / "mine.py"
    mine.write_text(f"_base_ = '{CONFIGS}/thermal/hituav160_faster_rcnn_ce.py'\n")
    with pytest.raises(FileNotFoundError, match="faster_rcnn/faster_rcnn_ce_hituav160.py"):
        config_from_file(mine)


def test_other_absent_files_are_reported_as_before(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine.py") as caught:
        config_from_file(tmp_path / "mine.py")
    assert "it is now" not in str(caught.value)


def test_an_existing_config_is_read() -> None:
    cfg = config_from_file(CONFIGS / "thermal/retina_composite.py")
    assert cfg.model.bbox_head.type == "CompositeRetinaHead"
