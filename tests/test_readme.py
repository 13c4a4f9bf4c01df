"""What the README shows works: its configs load, its commands and links exist."""

import re
import shlex
from pathlib import Path

import pytest
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def load(text: str, tmp_path: Path) -> Config:
    path = tmp_path / "mine.py"
    path.write_text(text.replace("'configs/", f"'{ROOT}/configs/"), encoding="utf-8")
    return Config.fromfile(path)


@pytest.mark.parametrize("number", range(len(blocks("python"))))
def test_configs_build_the_composite_head(number: int, tmp_path: Path) -> None:
    cfg = load(blocks("python")[number], tmp_path)
    init_default_scope("mmdet")
    cfg.model.backbone.init_cfg = None
    head = MODELS.build(cfg.model).bbox_head
    assert type(head).__name__ == "CompositeRetinaHead"
    assert head.sampler.ratio == 3.0


def test_own_images_replace_every_path_of_the_embedded_set(tmp_path: Path) -> None:
    cfg = load(blocks("python")[1], tmp_path)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        assert loader.dataset.data_root == "/data/mine/"
        assert loader.dataset.data_prefix.img == "frames/"
    assert cfg.val_evaluator.ann_file == cfg.test_evaluator.ann_file == "/data/mine/val.json"


def test_commands_name_tools_configs_and_targets_that_exist() -> None:
    lines = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    words = [word for line in lines for word in shlex.split(line, comments=True)]
    paths = [word for word in words if word.startswith(("tools/", "configs/"))]
    assert len(paths) > 8
    for path in paths:
        assert (ROOT / path).is_file(), path
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in lines if line.startswith("make ")]
    assert targets == ["train", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)
    assert len(links) > 8
    for link in links:
        assert (ROOT / link).is_file(), link
