"""Studies: what is read, what is written, and what is refused before anything is trained."""

import copy
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers_data import ROOT
from mmengine.config import Config

from mmthermal.studies.variants import Study, Variant, read_study, write_variants

STUDIES = sorted((ROOT / "configs" / "studies").glob("*.py"))
ABLATION = ROOT / "configs" / "studies" / "retina_ablation.py"
BASE = ROOT / "configs" / "thermal" / "retina_composite.py"
LOSS = "model.bbox_head.loss_composite"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_variants_differ_from_their_config_by_their_change_only(tmp_path: Path) -> None:
    study = read_study(ABLATION)
    written = write_variants(study, tmp_path / "configs")
    assert [file.stem for file in written] == list(study.variants)
    base = Config.fromfile(BASE)
    for file, variant in zip(written, study.variants.values(), strict=True):
        assert variant.config == BASE
        assert "_base_ = '../" in file.read_text()
        expected = copy.deepcopy(base)
        expected.merge_from_dict(dict(variant.options))
        found = Config.fromfile(file).to_dict()
        assert found == expected.to_dict()
        assert (found == base.to_dict()) == (not variant.options)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_studies_hold(path: Path, tmp_path: Path) -> None:
    """Every variant names a config that exists and settings that its parts know."""
    study = read_study(path)
    assert len(write_variants(study, tmp_path / "configs")) == len(study.variants) > 1


def test_the_ablation_turns_every_knob() -> None:
    variants = read_study(ABLATION).variants.values()
    changed = {key.split(".")[-1] for variant in variants for key in variant.options}
    assert changed >= {"mean", "shift", "beta", "ratio", "min_neg", "f1_negatives", "f1_share"}


def test_names_are_unique_over_all_studies() -> None:
    """Lines of different studies share a file; the longer recipe has a field of its own there."""
    names = [
        (name, "24e" in variant.config.stem)
        for path in STUDIES
        for name, variant in read_study(path).variants.items()
        if path != ABLATION
    ]
    assert len(STUDIES) >= 3 and len(names) == len(set(names)) > 40


def write_study(tmp_path: Path, text: str) -> Path:
    (tmp_path / "base.py").write_text(f"_base_ = {str(BASE)!r}\n")
    (tmp_path / "mine.py").write_text(text)
    return tmp_path / "mine.py"


TEXT = """
base = 'base.py'
variants = {'a': {}, 'b': dict(options={'x.y': 1}), 'c': dict(config='./base.py')}
groups = dict(both=['c', 'b'])
"""


def test_a_study_as_it_is_read(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, TEXT))
    file = tmp_path / "base.py"
    assert study == Study(
        "mine",
        {
            "a": Variant("a", file, {}),
            "b": Variant("b", file, {"x.y": 1}),
            "c": Variant("c", file, {}),
        },
        "a",
        {"both": ["c", "b"]},
        [],
    )
    assert read_study(write_study(tmp_path, TEXT + "baseline = 'b'\n")).baseline == "b"
    assert study.as_text().splitlines() == [
        f"a: {file} (baseline)",
        f"b: {file} (1 change, both)",
        f"c: {file} (both)",
    ]


def test_variants_and_groups_are_chosen_by_name(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, TEXT))
    assert list(study.select([]).variants) == ["a", "b", "c"]
    assert list(study.select(["both"]).variants) == ["b", "c"]
    assert list(study.select(["c", "a"]).variants) == ["a", "c"]
    with pytest.raises(ValueError, match="no variant d in the study mine: there are a, b, c, both"):
        study.select(["a", "d"])


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("base = 'base.py'\n", ValueError, "lacks variants"),
        ("variants = {'a': {}}\n", ValueError, "variant 'a' has no config"),
        ("base = 'x.py'\nvariants = {'a': {}}\n", FileNotFoundError, "'a' changes .*x.py"),
        (
            "base = 'base.py'\nvariants = {'a': {'model.x': 1}}\n",
            ValueError,
            r"'a' has model.x: give config and options=dict\(…\)",
        ),
        ("base = 'base.py'\nvariants = {'a': 3}\n", ValueError, "'a' is not a dict"),
        (TEXT + "baseline = 'd'\n", ValueError, "no variant d for the baseline"),
        (TEXT + "groups = dict(g=['d'])\n", ValueError, "no variant d for the group 'g'"),
        (TEXT + "groups = dict(a=['b'])\n", ValueError, "'a' is a group and a variant"),
    ],
)
def test_a_broken_file_is_reported(
    text: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        read_study(write_study(tmp_path, text))


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no study"):
        read_study(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        ("model.bbox_hed.loss_composite.beta", ValueError, "'bbox_hed'; did you mean 'bbox_head'"),
        ("param_scheduler.0.end", ValueError, "give the whole 'param_scheduler'"),
        ("modle", ValueError, "no 'modle': did you mean 'model'"),
        (f"{LOSS}.bta", TypeError, "bta"),
        (f"{LOSS}.beta", ValueError, "beta=-1"),
        ("model.train_cfg.sampler.ratoi", TypeError, "ratoi"),
    ],
)
def test_a_misspelt_change_is_reported_before_anything_is_written(
    key: str, error: type[Exception], words: str, tmp_path: Path
) -> None:
    variants = {"good": Variant("good", BASE, {}), "bad": Variant("bad", BASE, {key: -1})}
    with pytest.raises(error, match=words):
        write_variants(Study("mine", variants, "good"), tmp_path / "configs")
    assert not (tmp_path / "configs").exists()


MODULE = """
from mmdet.registry import MODELS
from mmthermal.losses import CompositeLoss

@MODELS.register_module(force=True)
class {name}(CompositeLoss):
    pass
"""


@pytest.mark.parametrize("place", ["options", "study"])
def test_an_own_module_is_imported_before_the_variants_are_checked(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"OwnLossOf{place.title()}"
    module = f"own_loss_of_{place}"
    (tmp_path / f"{module}.py").write_text(MODULE.format(name=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, module, raising=False)
    options: dict = {f"{LOSS}.type": name}
    imports: list[str] = []
    if place == "options":
        options["custom_imports.imports"] = ["mmthermal", module]
    else:
        imports = [module]
    study = Study("mine", {"a": Variant("a", BASE, options)}, "a", imports=imports)
    (written,) = write_variants(study, tmp_path / "configs")
    # a training reads the variant in a process of its own
    assert Config.fromfile(written).custom_imports["imports"] == ["mmthermal", module]


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each command that a page shows in a fenced block."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```", text, flags=re.M | re.S):
        if language not in ("bash", "sh", "console"):
            continue
        for line in block.splitlines():
            if line.startswith("python "):
                yield shlex.split(line, comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_study_and_variant_named_in_the_docs_exists(page: Path) -> None:
    for words in commands(page):
        assert (ROOT / words[1]).exists() or words[1].startswith("-"), f"{page.name}: {words}"
        if words[1] != "tools/study.py" or words[2] not in ("list", "train", "compare"):
            continue
        study = read_study(ROOT / words[3])
        if "--only" in words:
            names = words[words.index("--only") + 1 :]
            end = next((i for i, word in enumerate(names) if word.startswith("-")), len(names))
            study.select(names[:end])


def test_the_docs_name_studies() -> None:
    """The test above would pass if no command was found."""
    named = [words[3] for page in PAGES for words in commands(page) if "tools/study.py" in words]
    assert "configs/studies/retina_ablation.py" in named
