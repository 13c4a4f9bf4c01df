"""The whole check: nothing on a clean set, and each of many planted faults by its name."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers_data import ROOT, data_options, write_coco
from helpers_radiometric import write_radiometric
from PIL import Image

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.command import check_data
from mmthermal.common.config import read_config
from mmthermal.datasets import ThermalCocoDataset

DATA = ROOT.parent / "shared" / "data" / "hituav160"


def scene(rng: np.random.Generator) -> np.ndarray:
    """An own background for each picture, so that no two are near copies."""
    coarse = rng.normal(0, 60, (6, 9)).astype(np.float32)
    return cv2.resize(coarse, (96, 64), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def clean_set(tmp_path_factory) -> Path:
    """A 16-bit set with three splits whose pictures have different backgrounds."""
    root = write_coco(tmp_path_factory.mktemp("clean") / "data", splits=dict(train=24, val=24))
    rng = np.random.default_rng(1)
    for path in sorted(root.glob("*/*.png")):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) + scene(rng)
        cv2.imwrite(str(path), image.round().astype(np.uint16))
    return root


@pytest.fixture
def root(clean_set, tmp_path) -> Path:
    """A copy to plant a fault in."""
    return Path(shutil.copytree(clean_set, tmp_path / "data"))


def severities(report) -> dict[str, str]:
    return {f.code: f.severity for f in report.findings if f.severity != "note"}


def test_a_clean_set_has_neither_errors_nor_warnings(clean_set) -> None:
    report = check_data(clean_set)
    assert severities(report) == {}
    assert report.exit_status == 0
    assert {f.code for f in report.findings} <= {"empty-images"}  # the writer's last image
    assert report.figures["train"]["images"] == 24
    assert report.figures["train"]["pictures"]["bits"] == {"16": 24}


def test_a_config_is_read_as_in_training(clean_set) -> None:
    """By its name, too; and an option that would change nothing is refused."""
    options = data_options(clean_set)
    report = check_data("retina_composite_synthetic", cfg_options=options, images=False)
    assert report.figures["train"]["images"] == 24
    with pytest.raises(ValueError, match="data_root"):
        check_data("retina_composite_synthetic", cfg_options={"data_root": str(clean_set)})


def edit(root: Path, change) -> None:
    path = root / "annotations" / "train.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def all_annotations(**changes):
    def change(content):
        for annotation in content["annotations"]:
            annotation.update(changes)

    return lambda root: edit(root, change)


def records(key, index, **changes):
    return lambda root: edit(root, lambda content: content[key][index].update(changes))


def normalise(root: Path) -> None:
    def change(content):
        for annotation in content["annotations"]:
            x, y, w, h = annotation["bbox"]
            annotation["bbox"] = [x / 96, y / 64, w / 96, h / 64]

    edit(root, change)


def as_8_bits(root: Path) -> None:
    path = root / "train" / "003.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32)
    cv2.imwrite(str(path), ((image - image.min()) / np.ptp(image) * 255).astype(np.uint8))


def half_size(root: Path) -> None:
    path = str(root / "train" / "003.png")
    cv2.imwrite(path, cv2.imread(path, cv2.IMREAD_UNCHANGED)[::2, ::2])


def turned(root: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    path = root / "train" / "003.png"
    with Image.open(path) as image:
        image.load()
        image.save(path, exif=exif)


def near_copy(root: Path) -> None:
    for name in ("003.png", "004.png"):
        image = cv2.imread(str(root / "train" / name), cv2.IMREAD_UNCHANGED)
        cv2.imwrite(str(root / "val" / name), image + np.uint16(40))


def shared_blocks(root: Path) -> None:
    for split in ("train", "val"):
        path = root / "annotations" / f"{split}.json"
        content = json.loads(path.read_text())
        for i, image in enumerate(content["images"]):
            image["block"] = i // 12 + (split == "val")
        path.write_text(json.dumps(content))


def other_order(root: Path) -> None:
    path = root / "annotations" / "val.json"
    content = json.loads(path.read_text())
    content["categories"].reverse()
    path.write_text(json.dumps(content))


def nan_pixel(root: Path) -> None:
    path = root / "train" / "003.png"
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32)
    image[3, 3] = np.nan
    path.unlink()
    cv2.imwrite(str(path.with_suffix(".tiff")), image)
    edit(root, lambda content: content["images"][3].update(file_name="003.tiff"))


def rgba(root: Path) -> None:
    path = str(root / "train" / "003.png")
    image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    alpha = np.full_like(image, 65535)
    cv2.imwrite(path, np.dstack([image, image, image, alpha]))


@pytest.mark.parametrize(
    ("plant", "code", "severity"),
    [
        (as_8_bits, "mixed-bit-depth", "error"),
        (half_size, "image-size-differs", "error"),
        (turned, "exif-orientation", "warning"),
        (nan_pixel, "nan-pixels", "error"),
        (rgba, "alpha-channel", "warning"),
        (lambda root: (root / "train" / "003.png").unlink(), "missing-image", "error"),
        (normalise, "normalised-boxes", "error"),
        (all_annotations(area=0), "no-objects-left", "error"),
        (all_annotations(iscrowd="0"), "iscrowd-not-a-number", "error"),
        (records("images", 3, id=2), "duplicate-image-id", "error"),
        (records("annotations", 3, bbox=[1, 2, None, 4]), "not-a-number", "error"),
        (records("annotations", 3, bbox=[400, 2, 9, 9]), "box-outside-image", "warning"),
        (other_order, "classes-differ", "error"),
        (near_copy, "near-copies", "warning"),
        (shared_blocks, "shared-sequences", "warning"),
    ],
)
def test_a_planted_fault_is_named(root, plant, code, severity) -> None:
    plant(root)
    report = check_data(root)
    assert severities(report)[code] == severity
    assert report.exit_status == (1 if severity == "error" else 0)
    allowed = {  # what follows from the fault
        "no-objects-left": {"no-area"},
        "iscrowd-not-a-number": {"all-crowd", "no-objects-left"},
        "normalised-boxes": {"no-objects-left", "box-below-one-pixel"},
        "duplicate-image-id": {"unknown-image-id"},
        "nan-pixels": {"mixed-bit-depth"},
    }.get(code, set())
    assert set(severities(report)) <= {code} | allowed


def test_a_config_brings_classes_and_anchors(root) -> None:
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    report = check_data(config, cfg_options=data_options(root), images=False)
    assert [split.name for split in report.splits] == ["train", "val"]
    assert report.figures["anchors"]["key"] == "model.bbox_head.anchor_generator"
    assert report.facts == {}
    options = {
        **data_options(root),
        "train_dataloader.dataset.metainfo": dict(classes=("person", "car")),
    }
    report = check_data(config, cfg_options=options, images=False)
    assert severities(report)["class-not-listed"] == "error"


def test_what_is_no_json_is_an_error_of_its_own(root) -> None:
    (root / "annotations" / "val.json").write_text("{")
    with pytest.raises(ValueError, match=r"val\.json' is not valid JSON"):
        check_data(root)


def test_pipelines_of_a_config_that_do_not_fit(root) -> None:
    """Sixteen bits in the config of eight, and another gain control and size in training."""
    config = ROOT / "configs" / "retinanet" / "retina_composite_hituav160.py"
    own = data_options(root)
    found = severities(check_data(config, cfg_options=own))
    assert found["normalisation-does-not-fit"] == "warning"
    changes = {
        "train_dataloader.dataset.pipeline.1": dict(type="NormalizeFrame"),
        "train_dataloader.dataset.pipeline.3.scale_factor": 0.25,
    }
    found = severities(check_data(config, cfg_options={**own, **changes}, images=False))
    assert found["pipelines-differ"] == found["scale-differs"] == "warning"


def test_fills_of_a_config_that_do_not_fit(root) -> None:
    """With the pictures both are told, without them only what stands behind the normalisation."""
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    steps = [
        dict(type="LoadThermalImage"),
        dict(type="LoadAnnotations", with_bbox=True),
        dict(type="RandomShift"),
        dict(type="NormalizeFrame"),
        dict(type="RandomAffine"),
    ]
    options = {**data_options(root), "train_dataloader.dataset.pipeline": steps}
    for images, expected in ((True, ["RandomShift", "RandomAffine"]), (False, ["RandomAffine"])):
        report = check_data(config, cfg_options=options, images=images)
        found = [f for f in report.findings if f.code == "fill-does-not-fit"]
        assert [f.message.split()[0] for f in found] == expected
        assert {f.where for f in found} == {"train_dataloader"}
    steps[0]["radiometric"] = "celsius"  # which leaves files of other kinds as they are
    report = check_data(config, cfg_options=options)
    found = [f for f in report.findings if f.code == "fill-does-not-fit"]
    assert [f.message.split()[0] for f in found] == ["RandomShift", "RandomAffine"]


FRAME = dict(type="NormalizeFrame")


@pytest.mark.parametrize(
    ("steps", "preprocessor", "fits"),
    [
        ([dict(type="GainControl", method="window", low=10.0, high=40.0), FRAME], {}, False),
        ([FRAME], dict(mean=[123.675], std=[58.395]), False),
        ([], {}, False),
        ([], dict(mean=[123.675], std=[58.395]), False),
        ([FRAME], {}, True),
        ([], dict(mean=[21000.0], std=[300.0]), True),
    ],
)
def test_what_the_network_gets_is_measured(clean_set, steps, preprocessor, fits) -> None:
    """16 bits, normalised for other pictures, twice, or not at all."""
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    load, pack = dict(type="LoadThermalImage"), dict(type="PackDetInputs")
    boxes = dict(type="LoadAnnotations", with_bbox=True)
    options = data_options(clean_set)
    for name in ("train", "val", "test"):
        options[f"{name}_dataloader.dataset.pipeline"] = [load, *steps, boxes, pack]
    for key in preprocessor:
        options[f"model.data_preprocessor.{key}"] = preprocessor[key]
    found = [f for f in check_data(config, cfg_options=options).findings if "normal" in f.code]
    assert [f.code for f in found] == ([] if fits else ["normalisation-does-not-fit"])
    if not fits:
        assert found[0].where == "train_dataloader, model.data_preprocessor"


def test_every_joined_set_is_measured(clean_set) -> None:
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    load, pack = dict(type="LoadThermalImage"), dict(type="PackDetInputs")
    boxes = dict(type="LoadAnnotations", with_bbox=True)
    val = read_config(config, data_options(clean_set)).val_dataloader.dataset
    sets = [dict(val, pipeline=[load, *steps, boxes, pack]) for steps in ([FRAME], [])]
    sets[1].update(ann_file="annotations/train.json", data_prefix=dict(img="train/"))
    options = data_options(clean_set)
    options["train_dataloader.dataset"] = dict(
        _delete_=True,
        type="RepeatDataset",
        times=2,
        dataset=dict(type="ConcatDataset", datasets=sets),
    )
    found = [f for f in check_data(config, cfg_options=options).findings if "normal" in f.code]
    assert [(f.code, f.where) for f in found] == [
        ("normalisation-does-not-fit", "train_dataloader (set 2), model.data_preprocessor")
    ]


def test_a_validation_on_the_training_is_said(clean_set) -> None:
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    options = data_options(clean_set)
    assert "val-is-train" not in severities(check_data(config, cfg_options=options, images=False))
    options["val_dataloader.dataset.ann_file"] = "annotations/train.json"
    options["val_dataloader.dataset.data_prefix.img"] = "train/"
    report = check_data(config, cfg_options=options, images=False)
    assert severities(report)["val-is-train"] == "warning"


def test_classes_of_a_text_file_as_in_the_training(clean_set, tmp_path) -> None:
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    names = tmp_path / "classes.txt"
    names.write_text("person\nvehicle\nbicycle\n\n", encoding="utf-8-sig")
    options = data_options(clean_set)
    for name in ("train", "val", "test"):
        options[f"{name}_dataloader.dataset.metainfo"] = dict(classes=str(names))
    report = check_data(config, cfg_options=options, images=False)
    assert report.exit_status == 0 and report.figures["train"]["objects"] > 0
    settings = read_config(config, options).train_dataloader.dataset
    dataset = ThermalCocoDataset(
        **{key: settings[key] for key in ("data_root", "ann_file", "data_prefix", "metainfo")}
    )
    assert dataset.metainfo["classes"] == ("person", "vehicle", "bicycle")


def test_a_single_annotation_file(root, tmp_path) -> None:
    report = check_data(root / "annotations" / "val.json")
    assert [split.name for split in report.splits] == ["val"]
    assert severities(report) == {} and report.figures["val"]["pictures"]["bits"] == {"16": 24}
    with pytest.raises(ValueError, match="give the folder, or the file alone"):
        check_data(root / "annotations" / "val.json", ann_files=["val.json"])
    for content in ([dict(image_id=1)], None, 7, {}):
        path = tmp_path / "other.json"
        path.write_text(json.dumps(content))
        assert severities(check_data(path)) == {"not-coco": "error"}
    path.write_text("{")
    with pytest.raises(ValueError, match=r"other\.json' is not valid JSON"):
        check_data(path)


def test_a_config_may_be_json(clean_set, tmp_path) -> None:
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    path = tmp_path / "config.json"
    path.write_text(json.dumps(read_config(config, data_options(clean_set)).to_dict()))
    assert "anchors" in check_data(path, images=False).figures


def test_a_test_set_without_annotations(root) -> None:
    """It may be predicted on; a validation can't do without."""
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    content = json.loads((root / "annotations" / "val.json").read_text())
    del content["annotations"]
    (root / "annotations" / "test.json").write_text(json.dumps(content))
    shutil.copytree(root / "val", root / "test")
    report = check_data(config, cfg_options=data_options(root, test_split="test"), images=False)
    assert severities(report).keys() <= {"anchors-miss-objects"} and report.exit_status == 0
    (note,) = [f for f in report.findings if f.code == "no-annotations"]
    assert (note.severity, note.where) == ("note", "test") and "format_only" in note.remedy
    assert check_data(root / "annotations" / "test.json", images=False).exit_status == 0
    (root / "annotations" / "test.json").rename(root / "annotations" / "val.json")
    report = check_data(config, cfg_options=data_options(root), images=False)
    assert severities(report)["not-coco"] == "error"


def test_temperatures_are_checked_as_they_are_loaded(root) -> None:
    """Their size is the record's; that of the picture beside them is another."""
    pytest.importorskip("flyr")
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    for split in ("train", "val"):
        path = root / "annotations" / f"{split}.json"
        content = json.loads(path.read_text())
        for image in content["images"]:
            raw = cv2.imread(str(root / split / image["file_name"]), cv2.IMREAD_UNCHANGED)
            image["file_name"] = image["file_name"].replace(".png", ".jpg")
            write_radiometric(root / split / image["file_name"], raw, picture_size=(192, 128))
        path.write_text(json.dumps(content))
    options = data_options(root)
    for name in ("train", "val", "test"):
        options[f"{name}_dataloader.dataset.pipeline.0.radiometric"] = "celsius"
    report = check_data(config, cfg_options=options)
    pictures = report.figures["train"]["pictures"]
    assert pictures["dtypes"] == {"float32": 24} and -50 < pictures["level"] < 90
    assert severities(report).keys() <= {"anchors-miss-objects"}
    plain = {key: value for key, value in options.items() if "radiometric" not in key}
    assert severities(check_data(config, cfg_options=plain))["image-size-differs"] == "error"


def test_the_remedy_names_the_setting_of_the_call(root) -> None:
    (root / "train" / "003.png").unlink()
    config = ROOT / "configs" / "thermal" / "retina_composite.py"
    reports = [check_data(root), check_data(config, cfg_options=data_options(root))]
    remedies = [f.remedy for r in reports for f in r.findings if f.code == "missing-image"]
    assert [words.split(" and ")[0] for words in remedies] == [
        "the folder of --img-dir",
        "data_prefix.img",
    ]


def test_videos_of_one_number_and_another_name_are_not_shared(root) -> None:
    for split in ("train", "val"):
        path = root / "annotations" / f"{split}.json"
        content = json.loads(path.read_text())
        content["videos"] = [dict(id=i, name=f"{split}/{i}") for i in (1, 2)]
        for i, image in enumerate(content["images"]):
            image["video_id"] = 1 + i % 2
        path.write_text(json.dumps(content))
    found = {f.code for f in check_data(root, images=False).findings}
    assert "shared-sequences" not in found


def test_a_report_in_the_folder_is_no_annotation_file(root) -> None:
    (root / "check.json").write_text(json.dumps(check_data(root, images=False).to_dict()))
    report = check_data(root, images=False)
    assert [split.name for split in report.splits] == ["train", "val"]
    assert severities(report) == {} and "files-left-out" in {f.code for f in report.findings}
    assert severities(check_data(root, ann_files=["check.json"]))["not-coco"] == "error"


def test_an_export_of_roboflow_is_checked_across_its_splits(root) -> None:
    near_copy(root)
    for part in ("train", "val"):
        (root / "annotations" / f"{part}.json").rename(root / part / "_annotations.coco.json")
    files = [f"{part}/_annotations.coco.json" for part in ("train", "val")]
    report = check_data(root, ann_files=files)
    assert set(report.figures) >= {"train", "val"}
    assert severities(report) == {"near-copies": "warning"}


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is not here")
def test_hituav160_is_as_its_readme_says() -> None:
    """8 bits, 160 × 128, no block and no near copy in both splits."""
    report = check_data(DATA)
    assert severities(report) == {}
    for split, number in (("train", 2291), ("val", 575)):
        pictures = report.figures[split]["pictures"]
        assert pictures["bits"] == {"8": number}
        assert pictures["sizes"] == {"160 × 128": number}
        assert pictures["channels"] == {"1": number}
    assert report.figures["near_copies"] == {"train, val": 0}
