"""Class names of checkpoints without any: the config's, if they are as many as the classes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmthermal.predict.class_names import class_names, stored_names
from mmthermal.predict.predictor import Predictor


class Head(nn.Module):
    """What a head says of itself."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes


def model_of(num_classes: int) -> nn.Module:
    model = nn.Module()
    model.backbone, model.rpn_head, model.semantic_head = Head(1000), Head(1), Head(183)
    model.bbox_head = Head(num_classes)
    return model


def loader(dataset: dict[str, Any]) -> dict[str, Any]:
    return {"dataset": dataset}


def named(*names: str) -> dict[str, Any]:
    return {"type": "ThermalCocoDataset", "metainfo": {"classes": names}}


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"dataset_meta": {"classes": ["a", "b"]}}, ("a", "b")),
        ({"dataset_meta": {"CLASSES": ("a",)}}, ("a",)),
        ({"CLASSES": ("a", "b")}, ("a", "b")),
        ({"dataset_meta": {"palette": []}}, None),
        ({"epoch": 3}, None),
    ],
)
def test_the_names_of_a_checkpoint(meta: dict, expected: tuple[str, ...] | None) -> None:
    assert stored_names({"state_dict": {}, "meta": meta}) == expected
    assert stored_names({"weight": torch.zeros(1)}) is None


@pytest.mark.parametrize(
    "cfg",
    [
        {"test_dataloader": loader(named("a", "b"))},
        {"val_dataloader": loader(named("a", "b")), "test_dataloader": None},
        {"test_dataloader": loader(named("x")), "train_dataloader": loader(named("a", "b"))},
        {
            "train_dataloader": loader(
                {
                    "type": "RepeatDataset",
                    "dataset": {"type": "ConcatDataset", "datasets": [named("x"), named("a", "b")]},
                }
            )
        },
    ],
    ids=["test", "val", "of another number", "wrapped"],
)
def test_the_configs_names_of_the_right_number_are_taken(
    cfg: dict, capsys: pytest.CaptureFixture
) -> None:
    assert class_names(cfg, model_of(2)) == ("a", "b")
    assert capsys.readouterr().err.count("are taken: a, b") == 1


def test_the_names_of_a_file_and_of_the_data_sets_class(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("a\nb\n\n", encoding="utf-8-sig")  # as Windows' Notepad
    own = {"type": "ThermalCocoDataset", "metainfo": {"classes": str(tmp_path / "names.txt")}}
    assert class_names({"test_dataloader": loader(own)}, model_of(2)) == ("a", "b")
    coco = {"test_dataloader": loader({"type": "CocoDataset"})}
    assert class_names(coco, model_of(80))[:2] == ("person", "bicycle")
    # Ours reads its names from the annotation file, whatever mmdet's class has.
    thermal = {"test_dataloader": loader({"type": "ThermalCocoDataset"})}
    assert class_names(thermal, model_of(80))[:2] == ("class1", "class2")


def test_without_names_the_classes_are_numbered(capsys: pytest.CaptureFixture) -> None:
    cfg = {"test_dataloader": loader(named("a", "b", "c"))}
    assert class_names(cfg, model_of(2)) == ("class1", "class2")
    assert "test_dataloader.dataset.metainfo.classes" in capsys.readouterr().err


def test_a_predictor_takes_names_that_are_given_and_never_cocos(
    model: tuple[Path, Path], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    cfg = Config.fromfile(model[0])
    for one in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        one.dataset.pop("metainfo", None)
    cfg.dump(tmp_path / "config.py")
    content = torch.load(model[1], weights_only=True)
    torch.save({"state_dict": content["state_dict"]}, tmp_path / "bare.pth")
    files = tmp_path / "config.py", tmp_path / "bare.pth"
    assert Predictor(*files, device="cpu").class_names == ("class1", "class2", "class3")
    option = {"test_dataloader.dataset.metainfo.classes": ("a", "b", "c")}  # as the note tells
    predictor = Predictor(*files, device="cpu", cfg_options=option)
    assert predictor.class_names == predictor.model.dataset_meta["classes"] == ("a", "b", "c")
    assert not [one for one in recwarn if "COCO" in str(one.message)]
