"""The index names every page, the maths page every setting, and the citation today's version."""

import inspect
import re
import warnings
from pathlib import Path

import pytest
import yaml
from mmdet.registry import MODELS

from mmthermal.losses import CompositeLoss
from mmthermal.version import __version__

ROOT = Path(__file__).resolve().parents[1]
MATHS = (ROOT / "docs" / "maths.md").read_text(encoding="utf-8")


def test_the_index_names_every_page_once() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(([\w.]+\.md)\)", index)
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages - set(named) == set()
    assert len(named) == len(set(named))


def test_the_citation_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0" and citation["type"] == "software"
    assert citation["version"] == __version__
    assert citation["authors"] == [{"name": "The mmthermal authors"}]


def test_the_maths_page_names_every_setting_of_the_loss_and_no_other() -> None:
    settings = set(inspect.signature(CompositeLoss).parameters)
    words = set(re.findall(r"(?<!\$)`(\w+)(?:=[^`]*)?`", MATHS))
    logged = {"f1_pos", "f1_neg"}
    assert settings - words == set()
    assert {word for word in words if word.startswith(("w_", "f1_", "rank_"))} <= settings | logged


@pytest.mark.parametrize("block", re.findall(r"```python\n(.*?)```", MATHS, re.DOTALL))
def test_losses_on_the_maths_page_can_be_built(block: str) -> None:
    found: dict[str, dict] = {}
    exec(block, found)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the paper's mean, which the page speaks of
        loss = MODELS.build(found["loss_composite"])
    assert loss.f1_form == "soft" and loss.w_dense == 0 and loss.combine["mean"] == "paper"
