"""Try mmthermal with other versions of Python, torch and numpy, each in an environment of its own.

For each line of COMBINATIONS: make an environment, install torch, numpy and this package, run the
tests of TESTS, remove the environment; then print the table of docs/install.md. A line whose
Python is not on the PATH (or in --pythons) or whose packages do not install is told as such.
Without an index of CPU builds (--torch-index) a line takes up to 8 GB on the disk while it runs.

Example: python tools/try_versions.py --only 3.12 --pythons ~/.pyenv/versions/3.12.1/bin/python3.12
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# Operators, hooks and resume, and a training of two iterations that starts from mmdet's config.
TESTS = ("tests/ops", "tests/engine", "tests/test_foreign_config.py")
TEST_PACKAGES = ("pytest>=8", "hypothesis>=6", "tensorboard")
FORKS = ("onedl-mmengine", "onedl-mmcv", "onedl-mmdetection")


class Combination(NamedTuple):
    """One line of the table."""

    python: str
    torch: str
    numpy: str
    stack: str = "mmcv-lite"


COMBINATIONS = (
    Combination("3.10", "2.0.1", "1.26.4"),
    Combination("3.10", "2.4.1", "1.26.4"),
    Combination("3.11", "2.1.2", "1.26.4"),
    Combination("3.11", "2.13.0", "1.26.4"),
    Combination("3.11", "2.13.0", ">=2"),
    Combination("3.11", "2.13.0", ">=2", "onedl"),
    Combination("3.12", "2.2.2", "1.26.4"),
    Combination("3.12", "2.6.0", ">=2"),
    Combination("3.12", "2.14.1", ">=2"),
    Combination("3.13", "2.6.0", ">=2"),
    Combination("3.13", "2.14.1", ">=2"),
)


def requirement(name: str, version: str) -> str:
    """Requirement of a package at a version, or at one that fits ``>=…``."""
    return f"{name}{version}" if version[0] in "<>" else f"{name}=={version}"


def installs(combination: Combination, index: str | None) -> list[list[str]]:
    """Arguments of pip, in the order of the calls."""
    numpy = requirement("numpy", combination.numpy)
    torch = [requirement("torch", combination.torch), numpy]
    own = [f"{ROOT}[lite]", numpy, *TEST_PACKAGES]
    calls = [[*torch, *(["--index-url", index] if index else [])]]
    if combination.stack == "mmcv-lite":
        return [*calls, own]
    # The forks have other names, so that pip does not see in them what mmthermal asks for.
    others = ["scipy", "opencv-python", "pycocotools>=2.0.8", "jinja2", "matplotlib", "pyyaml"]
    return [
        *calls,
        ["setuptools<81", *FORKS, numpy, *others, *TEST_PACKAGES],
        ["--no-deps", str(ROOT)],
    ]


def find_python(version: str, given: Sequence[str]) -> str | None:
    """The interpreter of a version, out of those given and those on the PATH."""
    for path in [*given, shutil.which(f"python{version}")]:
        if path is None:
            continue
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        found = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
        if found.stdout.strip() == version:
            return path
    return None


def last_words(text: str) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR|E  |\w*Error)", line)]
    return (errors or lines or ["no output"])[-1][:160]


def attempt(combination: Combination, given: Sequence[str], index: str | None, log: Path) -> str:
    """Try one combination.

    Returns:
        ``passed``, with the number of tests, or what went wrong.
    """
    python = find_python(combination.python, given)
    if python is None:
        return "not tried: no such Python"
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "CC")}
    env |= dict(CC="/bin/false", CXX="/bin/false", MMCV_WITH_OPS="0", OMP_NUM_THREADS="1")
    with tempfile.TemporaryDirectory(prefix="mmthermal-") as folder, log.open("a") as file:

        def run(*command: str) -> subprocess.CompletedProcess[str]:
            done = subprocess.run(
                command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, check=False,
            )  # fmt: skip
            file.write(f"$ {' '.join(command)}\n{done.stdout}\n")
            return done

        run(python, "-m", "venv", folder)
        own = f"{folder}/bin/python"
        for arguments in installs(combination, index):
            done = run(own, "-m", "pip", "install", "--no-cache-dir", *arguments)
            if done.returncode:
                return f"does not install: {last_words(done.stdout)}"
        done = run(own, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
        counts = re.findall(r"\d+ (?:passed|failed|error)", done.stdout)
        if done.returncode == 0:
            return ", ".join(counts)
        return f"fails: {', '.join(counts)}: {last_words(done.stdout)}"


def main() -> None:
    """Try them and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pythons", nargs="*", default=[], help="interpreters beside the PATH's")
    parser.add_argument("--only", default="", help="lines that contain this, such as '3.12 2.6'")
    parser.add_argument("--torch-index", help="of builds of torch, such as those for the CPU")
    parser.add_argument("--log", type=Path, default=Path("try_versions.log"))
    args = parser.parse_args()
    print("| Python | torch | numpy | stack | tests |\n| --- | --- | --- | --- | --- |", flush=True)
    for combination in COMBINATIONS:
        if args.only in " ".join(combination):
            result = attempt(combination, args.pythons, args.torch_index, args.log)
            print(f"| {' | '.join([*combination, result])} |", flush=True)


if __name__ == "__main__":
    main()
