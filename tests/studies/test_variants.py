"""Ablations: what is written, what is refused before anything trains, and one carried out."""

import copy
import json
from pathlib import Path

import pytest
from helpers_data import ROOT, as_arguments, data_options, run_tool, small_options, write_coco
from mmengine.config import Config

import mmthermal.studies.variants as ablation_module
from mmthermal.studies.variants import Ablation, ablate, read_ablation, write_variants

SHIPPED = ROOT / "configs" / "ablations" / "retina.py"
BASE = ROOT / "configs" / "thermal" / "retina_composite.py"
LOSS = "model.bbox_head.loss_composite"


def test_shipped_variants_differ_from_the_base_by_their_change_only(tmp_path: Path) -> None:
    ablation = read_ablation(SHIPPED)
    assert ablation.base == BASE
    written = write_variants(ablation, tmp_path / "configs")
    assert [path.stem for path in written] == list(ablation.variants)
    assert written[0].stem == "composite"
    base = Config.fromfile(BASE)
    for path, changes in zip(written, ablation.variants.values(), strict=True):
        assert "_base_ = '../" in path.read_text()
        expected = copy.deepcopy(base)
        expected.merge_from_dict(dict(changes))
        variant = Config.fromfile(path).to_dict()
        assert variant == expected.to_dict()
        assert (variant == base.to_dict()) == (not changes)
    changed = {key.split(".")[-1] for change in ablation.variants.values() for key in change}
    assert changed >= {"mean", "shift", "beta", "ratio", "min_neg", "f1_negatives", "f1_share"}


def test_only_keeps_the_first_to_compare_with() -> None:
    assert list(read_ablation(SHIPPED, only=["beta_2"]).variants) == ["composite", "beta_2"]


def test_only_of_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(ValueError, match=r"no variant beta_9 in .*beta_2"):
        read_ablation(SHIPPED, only=["beta_9"])


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        ("model.bbox_hed.loss_composite.beta", ValueError, "'bbox_hed'; did you mean 'bbox_head'"),
        (f"{LOSS}.bta", TypeError, "bta"),
        (f"{LOSS}.beta", ValueError, "beta=-1"),
        ("model.train_cfg.sampler.ratoi", TypeError, "ratoi"),
    ],
)
def test_a_misspelt_change_is_told_before_anything_is_written(
    key: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    ablation = Ablation(BASE, {"good": {}, "bad": {key: -1}})
    with pytest.raises(error, match=words):
        write_variants(ablation, tmp_path / "configs")
    assert not (tmp_path / "configs").exists()


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("base = 'x.py'\n", ValueError, "lacks variants"),
        ("variants = {'a': {}}\n", ValueError, "lacks base"),
        ("base = 'x.py'\nvariants = {'a': {}}\n", FileNotFoundError, "x.py"),
    ],
)
def test_a_broken_file_is_told(
    text: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(error, match=words):
        read_ablation(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no ablation file"):
        read_ablation(tmp_path / "none.py")


def test_hands_the_configs_and_settings_to_the_comparison(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict = {}
    monkeypatch.setattr(ablation_module, "compare_command", lambda **kwargs: seen.update(kwargs))
    ablate(
        SHIPPED,
        work_dir=tmp_path,
        tools_dir=ROOT / "tools",
        seeds=[4, 5],
        only=["beta_2"],
        cfg_options=["train_cfg.max_epochs=1"],
        jobs=2,
        gpus=["0"],
    )
    assert seen.pop("configs") == [
        tmp_path / "configs" / f"{n}.py" for n in ("composite", "beta_2")
    ]
    assert seen == dict(
        seeds=[4, 5],
        work_dir=tmp_path,
        tools_dir=ROOT / "tools",
        cfg_options=["train_cfg.max_epochs=1"],
        jobs=2,
        gpus=["0"],
    )


@pytest.mark.slow
def test_command_trains_and_compares(tmp_path: Path) -> None:
    root = write_coco(tmp_path / "data", splits={"train": 8, "val": 4})
    options = {**data_options(root), **small_options(3), "train_cfg.max_epochs": 1}
    run_tool(
        "ablate.py",
        SHIPPED,
        "--work-dir",
        tmp_path / "out",
        "--seeds",
        "0",
        "1",
        "--only",
        "without_f1",
        *as_arguments(options),
        cwd=ROOT,
    )
    comparison = json.loads((tmp_path / "out" / "comparison.json").read_text())
    names = {folder.name for folder in (tmp_path / "out").iterdir() if folder.is_dir()}
    assert {"composite", "without_f1", "configs"} <= names
    assert "without_f1" in json.dumps(comparison)
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_command_tells_an_error_in_one_line(tmp_path: Path) -> None:
    done = run_tool("ablate.py", tmp_path / "none.py", cwd=tmp_path, ok=False)
    assert done.stderr.strip().splitlines()[-1].startswith("error: there is no ablation file")
