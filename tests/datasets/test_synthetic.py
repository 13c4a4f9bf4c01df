"""The embedded data set: determinism, annotations, no-op second run, errors."""

import hashlib
from pathlib import Path

import pytest

from mmthermal.datasets.synthetic import make_synthetic


def digest(root: Path) -> dict[str, str]:
    """Hash of every file below a folder."""
    files = sorted(p for p in root.rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


SMALL = dict(num_train=6, num_val=3, num_test=2)


def test_same_seed_gives_identical_files(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", **SMALL)
    make_synthetic(tmp_path / "b", **SMALL)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert len(digest(tmp_path / "a")) == 11 + 3 + 1


def test_other_settings_need_overwrite(tmp_path: Path) -> None:
    make_synthetic(tmp_path / "a", **SMALL)
    with pytest.raises(FileExistsError, match="seed: 0 there, 1 asked for"):
        make_synthetic(tmp_path / "a", **SMALL, seed=1)
