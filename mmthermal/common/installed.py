"""Configs and tools, which lie beside the package in a clone and inside it in a wheel."""

from pathlib import Path

from mmthermal.common.checks import did_you_mean

_PACKAGE = Path(__file__).resolve().parents[1]
# .mim is where mmdet and its like keep what they install beside their code.
ROOT = _PACKAGE / ".mim" if (_PACKAGE / ".mim").is_dir() else _PACKAGE.parent


def tool_command(name: str) -> str:
    """How a tool is called: by its file in a clone, else by its name.

    Args:
        name: of a file in ``tools``, without its ending.
    """
    in_clone = ROOT == _PACKAGE.parent
    return f"python tools/{name}.py" if in_clone else f"python -m mmthermal {name}"


def find_config(name: str | Path) -> Path:
    """The config file of a path or a name.

    Args:
        name: a path; or, where there is no such file, the name of one of mmthermal's configs,
            such as ``retina_composite`` or ``retinanet/retina_composite_synthetic.py``.

    Returns:
        the file.

    Raises:
        FileNotFoundError: if it is neither; it names the nearest config.
    """
    path = Path(name)
    if path.is_file():
        return path
    folder = ROOT / "configs"
    files = [file for file in folder.glob("*/*.py") if "_base_" not in file.parts]
    known = {file.stem: file for file in files}
    known |= {file.relative_to(folder).with_suffix("").as_posix(): file for file in files}
    wanted = path.as_posix().removesuffix(".py").removeprefix("configs/")
    if wanted in known:
        return known[wanted]
    hint = did_you_mean(wanted, known) or "give a .py config file, or the name of one of ours"
    raise FileNotFoundError(f"config {str(name)!r} does not exist: {hint}")
