"""Objects that training shows in another size than validation are said, and nothing else."""

import pytest
from helpers_checking import clean, codes
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.scales import compare_scales
from mmthermal.checking.table import make_table

LOAD = dict(type="LoadThermalImage")
RESIZE = dict(type="Resize", scale_factor=1.0)
JITTER = dict(type="RandomResize", scale=(160, 128), ratio_range=(0.8, 1.6), keep_ratio=True)
CROP = dict(type="RandomCrop", crop_size=(160, 128))
MOSAIC = dict(type="Mosaic", img_scale=(160, 128))


@pytest.fixture(autouse=True)
def scope() -> None:
    init_default_scope("mmdet")


def table(width: int = 640, height: int = 512, side: float = 20.0):
    content = clean()
    for image in content["images"]:
        image.update(width=width, height=height)
    for annotation in content["annotations"]:
        annotation.update(bbox=[3, 5, side, side], area=side**2)
    return make_table(content)


def loader(*steps, **wrapper):
    dataset = dict(type="ThermalCocoDataset", pipeline=[LOAD, *steps])
    return dict(dataset=dict(wrapper, dataset=dataset) if wrapper else dataset)


def compare(train, val, tables=None, **others):
    cfg = Config(dict(train_dataloader=train, val_dataloader=val, **others))
    return compare_scales(cfg, tables or dict(train=table(), val=table()))


def test_jitter_for_smaller_pictures() -> None:
    (finding,) = compare(loader(JITTER, CROP), loader(RESIZE))
    assert (finding.severity, finding.code) == ("warning", "scale-differs")
    assert "0.2 to 0.4 times, val 1 times" in finding.message
    for words in ("(160, 128) of RandomResize", "(160, 128) of RandomCrop", "640 × 512"):
        assert words in finding.remedy
    assert codes(compare(loader(RESIZE), loader(JITTER))) == {"scale-differs": "warning"}
    test = dict(test_dataloader=loader(RESIZE))
    tables = dict(train=table(), test=table())
    assert len(compare(loader(JITTER), None, tables, **test)) == 1


@pytest.mark.parametrize(
    ("train", "val"),
    [
        (loader(JITTER, CROP), loader(dict(type="Resize", scale=(320, 256), keep_ratio=True))),
        (loader({**JITTER, "scale": (640, 512)}, CROP), loader(RESIZE)),
        (loader({**JITTER, "ratio_range": (0.1, 2.0)}), loader(RESIZE)),
        (loader(RESIZE), loader()),
        (loader(RESIZE), loader(dict(type="Resize", scale_factor=2.0))),
        (
            loader(dict(type="RandomChoiceResize", scales=[(160, 128), (640, 512)])),
            loader(RESIZE),
        ),
        (loader({**JITTER, "scale": [(160, 128), (640, 512)]}), loader(RESIZE)),
        # of which the scale can't be told
        (loader(MOSAIC, JITTER), loader(RESIZE)),
        (loader(dict(type="RandomChoice", transforms=[[JITTER]])), loader(RESIZE)),
        (loader(dict(type="RandomApply", transforms=[JITTER])), loader(RESIZE)),
        (loader(dict(type="OwnTransform"), JITTER), loader(RESIZE)),
        (loader(JITTER, RESIZE), loader(RESIZE)),
        (dict(dataset=dict(datasets=[loader(JITTER)["dataset"]] * 2)), loader(RESIZE)),
        (loader(JITTER, type="MultiImageMixDataset", pipeline=[MOSAIC]), loader(RESIZE)),
        (None, loader(RESIZE)),
    ],
)
def test_what_agrees_or_cannot_be_told(train, val) -> None:
    assert compare(train, val) == []


def test_other_cameras_are_brought_to_one_size() -> None:
    val = table(160, 128, side=5.0)
    assert compare(loader(JITTER), loader(RESIZE), dict(train=table(), val=val)) == []
    repeated = loader(JITTER, type="RepeatDataset", times=2)
    assert len(compare(repeated, loader(RESIZE))) == 1
    assert compare(loader(JITTER), loader(RESIZE), dict(val=table())) == []
    empty = make_table({**clean(), "annotations": []})
    assert compare(loader(RESIZE), loader(RESIZE), dict(train=empty, val=empty)) == []
