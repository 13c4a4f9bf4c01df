"""Where the operators are put, and what is said where they cannot be."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from types import ModuleType

import pytest

import mmthermal
from mmthermal.ops import extension, install_ops, installation

REAL_FIND_SPEC = importlib.util.find_spec


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Pretend that just these packages are installed, and that mmcv._ext was not imported."""
    monkeypatch.delitem(sys.modules, "mmcv._ext", raising=False)
    before = getattr(sys.modules["mmcv"], "_ext", None)
    monkeypatch.setattr(sys.modules["mmcv"], "_ext", before, raising=False)

    def pretend(*packages: str, spec: object = None) -> None:
        def version(name: str) -> str:
            if name not in packages:
                raise PackageNotFoundError(name)
            return "2.1.0"

        def find_spec(name: str) -> object:
            if name == "mmcv":
                return REAL_FIND_SPEC(name) if packages else None
            return spec

        monkeypatch.setattr(installation, "version", version)
        monkeypatch.setattr(importlib.util, "find_spec", find_spec)

    return pretend


def test_with_mmcv_lite_the_operators_are_put_in_place(installed: Callable[..., None]) -> None:
    installed("mmcv-lite")
    assert install_ops()
    assert sys.modules["mmcv._ext"] is extension
    assert sys.modules["mmcv"]._ext is extension
    assert install_ops()  # a second call changes nothing


def test_with_a_compiled_mmcv_nothing_happens(
    installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("mmcv", spec=object())
    compiled = ModuleType("mmcv._ext")
    monkeypatch.setattr(installation.importlib, "import_module", lambda name: compiled)
    assert not install_ops()
    assert "mmcv._ext" not in sys.modules


def test_without_mmcv_one_sentence_says_what_to_install(installed: Callable[..., None]) -> None:
    installed()
    with pytest.raises(ImportError, match=r"pip install 'mmthermal\[lite\]'"):
        install_ops()


def test_an_extension_for_another_torch_is_explained(
    installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed("mmcv", spec=object())

    def fail(name: str) -> None:
        raise ImportError("undefined symbol: _ZN2at4_ops")

    monkeypatch.setattr(installation.importlib, "import_module", fail)
    with pytest.raises(ImportError, match=r"do not load \(undefined symbol.*another torch"):
        install_ops()


@pytest.mark.parametrize(
    ("packages", "told"),
    [
        (("mmcv", "mmcv-lite"), "mmcv and mmcv-lite"),
        (("mmcv-lite", "onedl-mmcv"), "onedl-mmcv and mmcv-lite"),
    ],
)
def test_a_mixture_is_told_with_the_way_out(
    packages: tuple[str, ...], told: str, installed: Callable[..., None]
) -> None:
    installed(*packages)
    with pytest.warns(UserWarning, match=f"{told} are both installed.*pip uninstall -y"):
        install_ops()


@pytest.mark.parametrize("package", ["mmcv", "mmcv-lite", "onedl-mmcv"])
def test_one_package_is_no_mixture(package: str, installed: Callable[..., None]) -> None:
    installed(package)
    assert installation.mixed_packages() == ""


def test_a_fresh_python_can_import_mmdet_after_mmthermal() -> None:
    code = "import mmthermal, mmdet.apis; from mmcv.utils.ext_loader import check_ops_exist as c; "
    command = [sys.executable, "-W", "ignore", "-c", code + "print(c(), mmthermal.__file__)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["True", mmthermal.__file__]  # forks print, too


def test_mmdet_s_train_tool_reads_the_config_before_it_needs_operators() -> None:
    """So that custom_imports in a config are enough for it, as docs/install.md says."""
    code = (
        "import mmdet, pathlib, runpy, sys; tools = pathlib.Path(mmdet.__file__).parent / '.mim'; "
        "runpy.run_path(str(tools / 'tools' / 'train.py')); print('mmcv.ops' in sys.modules)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False"]
