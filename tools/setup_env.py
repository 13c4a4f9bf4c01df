"""Make the virtual environment that the Makefile's targets run in, or do nothing if it stands.

    python3.11 tools/setup_env.py [--venv .venv] [--torch "torch==2.5.1 --index-url URL"]
                                  [--ops compiled]

Uses the standard library only, because nothing is installed when it starts. The order matters:
torch first (mmcv compiles against it), then setuptools < 81 (torch pulls in a newer one, which
lacks the pkg_resources that mmcv and mmengine import), then mmcv, then this package.

By default mmcv is mmcv-lite, a small wheel without operators, which mmthermal supplies
(mmthermal/ops). With ``--ops compiled`` it is mmcv itself, which has no wheel for current torch and
is compiled here. What makes that bearable:
``-g0 -O1`` (six minutes instead of seventeen on two cores; nms and RoIAlign keep their speed),
objects that stay in the environment's build folder, so that an interrupted build goes on where it
was, and the finished wheel in ``~/.cache/mmthermal``, by torch version, so that the next
environment gets it in seconds. A compiler cache would add nothing to these two.
"""

from __future__ import annotations  # an old Python must come as far as its error message

import argparse
import hashlib
import json
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
MMCV = "2.1.0"  # the newest that mmdet 3.3.0 takes: it asserts mmcv < 2.2.0
OPS = ("lite", "compiled")
# Packages that own the folder mmcv: two of them overwrite each other's files.
OWNERS = ("mmcv", "mmcv-full", "mmcv-lite", "onedl-mmcv", "onedl-mmcv-lite")
EXTRAS = "test,report,tensorboard"
MIN_PYTHON = (3, 10)
MIN_FREE_GB = {"lite": 2.5, "compiled": 4.0}
# Core-seconds of the build for the CPU: 374 s on two cores.
MMCV_CORE_SECONDS = 750
MMCV_GB_PER_JOB = 1.5
NOTE_EVERY = 30.0

# Run inside the environment; the answers decide how mmcv is built.
TORCH_FACTS = """
import json, torch
from torch.utils.cpp_extension import CUDA_HOME
print(json.dumps(dict(version=torch.__version__, cuda=torch.version.cuda, cuda_home=CUDA_HOME,
                      gpu=torch.cuda.is_available())))
"""
# A wheel for another torch fails here: undefined symbols at import, or wrong results.
CHECK_MMCV = """
import sys, torch
from mmcv.ops import get_compiling_cuda_version, nms, roi_align
boxes = torch.tensor([[0., 0., 10., 10.], [1., 1., 10., 10.], [20., 20., 30., 30.]])
assert nms(boxes, torch.tensor([.9, .8, .7]), .5)[1].tolist() == [0, 2]
rois = torch.tensor([[0., 0., 0., 4., 4.]])
assert roi_align(torch.ones(1, 1, 8, 8), rois, 2).tolist() == [[[[1., 1.], [1., 1.]]]]
assert sys.argv[1] == 'cpu' or get_compiling_cuda_version() != 'not available'
"""
CHECK_ALL = "import mmthermal, mmcv.ops, mmdet, pkg_resources; print(mmthermal.__version__)"
INSTALLED = """
import json, sys
from importlib.metadata import distributions
names = {(d.metadata['Name'] or '').lower().replace('_', '-') for d in distributions()}
print(json.dumps([name for name in sys.argv[1:] if name in names]))
"""


class SetupError(Exception):
    """Something that the user can put right; the message says how."""


class Console:
    """Progress on the terminal: one line renewed in place, or a line now and then in a log."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        self._noted = 0.0

    def start(self) -> float:
        """Begin a step: its first line comes after NOTE_EVERY seconds.

        Returns:
            the time, for the clock.
        """
        self._noted = time.monotonic()
        return self._noted

    def say(self, text: str) -> None:
        """Print a line that stays."""
        print(f"\r\033[K{text}" if self._tty else text, flush=True)

    def progress(self, text: str) -> None:
        """Show where a step stands."""
        if self._tty:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\033[K{text[:width]}", end="", flush=True)
        elif time.monotonic() - self._noted >= NOTE_EVERY:
            self.say(text)
            self._noted = time.monotonic()


def clock(seconds: float) -> str:
    """Format seconds as minutes and seconds, such as 6:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def check_python(version: tuple[int, ...]) -> None:
    """Refuse a Python that torch or mmdet cannot use.

    Raises:
        SetupError: it is too old, or lacks the venv module.
    """
    found = ".".join(map(str, version[:3]))
    if tuple(version[:2]) < MIN_PYTHON:
        raise SetupError(
            f"Python {found} is too old: mmthermal needs 3.10 or newer and is tested with 3.11.\n"
            "Install it (Debian, Ubuntu: sudo apt-get install python3.11 python3.11-venv "
            "python3.11-dev), then: make PYTHON=python3.11 …"
        )


def check_venv_module() -> None:
    """Refuse a Python whose venv module was left out, as Debian does.

    Raises:
        SetupError: there is no ensurepip.
    """
    try:
        import ensurepip  # noqa: F401
    except ImportError:
        name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"{sys.executable} cannot make virtual environments (no ensurepip).\n"
            f"Install it: sudo apt-get install {name}-venv"
        ) from None


def check_disk(folder: Path, ops: str) -> None:
    """Refuse to start what the disk cannot hold.

    Raises:
        SetupError: too little space is free.
    """
    free = shutil.disk_usage(folder).free / 1e9
    needed = MIN_FREE_GB[ops]
    if free < needed:
        what = "the environment" if ops == "lite" else "the environment and the build of mmcv"
        raise SetupError(
            f"{free:.1f} GB are free in {folder}, {what} need {needed:g} GB: make room, or give "
            "another place with make VENV=/path …"
        )


def check_compiler() -> None:
    """Compile a small Python extension, before minutes are spent on the way to the first one.

    Raises:
        SetupError: there is no C++ compiler, it does not know C++17, or Python.h is missing.
    """
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    packages = (
        f"  Debian, Ubuntu:  sudo apt-get install g++ python{version}-dev\n"
        f"  Fedora, RHEL:    sudo dnf install gcc-c++ python{version}-devel\n"
        "  macOS:           xcode-select --install"
    )
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    if shutil.which(compiler[0]) is None:
        raise SetupError(
            f"No C++ compiler: {compiler[0]!r} is not on the PATH, and OPS=compiled compiles mmcv "
            f"here; OPS=lite needs none. Install one:\n{packages}"
        )
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "probe.cpp"
        source.write_text("#include <Python.h>\n#include <optional>\nstd::optional<int> x;\n")
        include = sysconfig.get_path("include")
        command = [*compiler, "-std=c++17", "-fPIC", "-c", f"-I{include}", str(source)]
        result = subprocess.run(
            [*command, "-o", f"{folder}/probe.o"], capture_output=True, text=True, check=False
        )
    if result.returncode == 0:
        return
    if "Python.h" in result.stderr:
        raise SetupError(
            f"Python.h is missing (looked in {include}): install Python's headers:\n{packages}"
        )
    raise SetupError(
        f"{compiler[0]} cannot compile a small C++17 program:\n{result.stderr.strip()[-1500:]}\n"
        f"Install a working compiler (g++ 9 or newer):\n{packages}"
    )


class Environment:
    """The virtual environment and the steps that fill it.

    Args:
        folder: of the virtual environment.
        torch: requirement and options for pip. Empty takes that of the last call for this
            environment, or else the default.
        ops: "lite" or "compiled". Empty takes that of the last call, or else "lite".
    """

    def __init__(self, folder: Path, torch: str = "", ops: str = "") -> None:
        self.folder = folder
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        self.log = folder / "setup.log"
        self.state_file = folder / "setup.json"
        self.constraints = folder / "constraints.txt"
        self.console = Console()
        state = self._state()
        self.torch = torch.strip() or state.get("torch") or DEFAULT_TORCH
        # An environment from the time before there was a choice has a compiled mmcv.
        self.ops = ops or state.get("ops") or ("compiled" if state.get("mmcv") else "lite")
        self.facts: dict[str, Any] = {}

    # ----------------------------------------------------------------- state

    def _state(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.state_file.read_text()))
        except (OSError, ValueError):
            return {}

    def _remember(self, **entries: str) -> None:
        state = {**self._state(), **entries}
        draft = self.state_file.with_suffix(".tmp")
        draft.write_text(json.dumps(state, indent=1))
        os.replace(draft, self.state_file)

    def key(self) -> str:
        """Hash of all that decides what is installed."""
        parts = [(ROOT / "setup.py").read_bytes(), Path(__file__).read_bytes()]
        parts += [self.torch.encode(), self.ops.encode(), str(ROOT).encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def stands(self) -> bool:
        """Whether the environment is complete and belongs to this state of the project."""
        return self._state().get("key") == self.key() and self.python.exists()

    # ----------------------------------------------------------------- commands

    def ask(self, code: str, *args: str) -> str:
        """Run Python code in the environment, away from the project folder.

        Returns:
            what it printed.

        Raises:
            SetupError: it failed.
        """
        result = subprocess.run(
            [str(self.python), "-W", "ignore", "-c", code, *args],
            capture_output=True, text=True, cwd=self.folder, check=False,
        )  # fmt: skip
        if result.returncode != 0:
            lines = result.stderr.strip().splitlines()
            raise SetupError("\n".join(lines[-8:]))
        return result.stdout

    def run(
        self,
        what: str,
        command: Sequence[str],
        *,
        env: dict[str, str] | None = None,
        status: Callable[[], str] = str,
        hint: str = "",
    ) -> None:
        """Run a command with its output in the log and a progress line on the terminal.

        Args:
            what: name of the step for people.
            command: program and arguments.
            env: variables on top of the present ones.
            status: gives what the progress line adds to the time passed.
            hint: what to do if it fails.

        Raises:
            SetupError: it failed; the message has the last lines and the log's path.
        """
        start = self.console.start()
        with open(self.log, "ab") as output:
            output.write(f"\n$ {shlex.join(command)}\n".encode())
            output.flush()
            begin = output.tell()
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env={**os.environ, **(env or {})}, start_new_session=True,
            )  # fmt: skip
            try:
                while process.poll() is None:
                    self.console.progress(
                        f"      {what}: {clock(time.monotonic() - start)}{status()}"
                    )
                    time.sleep(0.3)
            except BaseException:
                if hasattr(os, "killpg"):  # the whole session: pip's compilers, too
                    os.killpg(process.pid, signal.SIGTERM)
                else:
                    process.terminate()
                process.wait()
                raise
        self.console.progress("")
        if process.returncode != 0:
            with open(self.log, "rb") as file:
                file.seek(begin)
                text = file.read().decode(errors="replace")
            errors = [line for line in text.splitlines() if re.search(r"\berror\b", line, re.I)]
            tail = "\n".join(f"  | {line[:200]}" for line in text.strip().splitlines()[-12:])
            first = f"  first error: {errors[0].strip()[:300]}\n" if errors else ""
            raise SetupError(
                f"{what} failed (exit code {process.returncode}).\n{tail}\n{first}"
                f"  whole log: {self.log}" + (f"\n{hint}" if hint else "")
            )

    def pip(self, what: str, *args: str, **options: Any) -> None:
        """Run ``pip`` as a step; see ``run``."""
        command = [str(self.python), "-m", "pip", "--disable-pip-version-check", *args]
        options.setdefault("hint", "Is the network there? The same command goes on where it was.")
        self.run(what, command, **options)

    # ----------------------------------------------------------------- steps

    def make_venv(self) -> None:
        """Make the virtual environment, or keep the one that works."""
        self.console.say(f"[1/5] virtual environment in {self.folder}")
        if self.python.exists():
            try:
                self.ask("import pip")
            except SetupError:
                self.console.say("      the one that is there does not work: made anew")
            else:
                return
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run("venv", [sys.executable, "-m", "venv", "--clear", str(self.folder)])

    def install_torch(self) -> None:
        """Install torch; unless another was asked for, the build without CUDA if there is one."""
        self.console.say(f"[2/5] {self.torch}")
        if self.torch == DEFAULT_TORCH and sys.platform == "linux":
            cpu = f"{DEFAULT_TORCH}+cpu"
            index = ["--extra-index-url", CPU_INDEX, "--retries", "1", "--timeout", "20"]
            for options in ([], index):
                try:
                    self.pip("torch without CUDA", "install", cpu, *options)
                except SetupError:
                    continue
                break
            else:
                self.console.say("      no build without CUDA to be had: a download of gigabytes")
                self.pip("torch", "install", DEFAULT_TORCH)
        else:
            self.pip("torch", "install", *shlex.split(self.torch))
        self.facts = json.loads(self.ask(TORCH_FACTS))
        self.constraints.write_text(
            "# Written by tools/setup_env.py: nothing that is installed later may change these.\n"
            f"torch=={self.facts['version']}\n"
            "setuptools<81\n"
            f"mmcv=={MMCV}\n"
            f"mmcv-lite=={MMCV}\n"
        )

    def install_build_tools(self) -> None:
        """Install what builds packages; mmcv's setup.py looks for psutil and ninja, too."""
        tools = ["setuptools<81", "wheel"] + ["ninja", "psutil"] * (self.ops == "compiled")
        self.console.say(f"[3/5] build tools: {', '.join(tools)}")
        self.pip("build tools", "install", *tools)

    def install_mmcv(self) -> None:
        """Install mmcv-lite or a compiled mmcv, and never both."""
        self.console.say(f"[4/5] {'mmcv-lite' if self.ops == 'lite' else 'mmcv'} {MMCV}")
        wanted = "mmcv-lite" if self.ops == "lite" else "mmcv"
        found = json.loads(self.ask(INSTALLED, *OWNERS))
        if set(found) - {wanted}:
            together = " and ".join(found)
            self.console.say(
                f"      {together} removed first: {wanted} writes into the same folder"
            )
            self.pip("removing", "uninstall", "-y", *found)
            self._remember(mmcv="")
        if self.ops == "compiled":
            self._install_compiled()
            return
        self.pip("mmcv-lite", "install", "-c", str(self.constraints), f"mmcv-lite=={MMCV}")
        self._remember(mmcv=f"mmcv-lite{MMCV}")

    def _install_compiled(self) -> None:
        """Install mmcv with its compiled operators: from a wheel made before, or compile it."""
        ops = self._ops()
        key = f"mmcv{MMCV}-torch{self.facts['version']}-{ops}-{self._tag()}"
        if self._state().get("mmcv") == key and not self._mmcv_fault(ops):
            return
        store = cache_folder() / key
        for wheel in [*store.glob("mmcv-*.whl"), *self._pip_cached()]:
            self._install_wheel(wheel)
            if not self._mmcv_fault(ops):
                kept = "mmthermal's" if wheel.parent == store else "pip's"
                self.console.say(f"      compiled before, taken from {kept} cache")
                break
        else:
            check_compiler()
            self._install_wheel(self._build_mmcv(store, ops))
            fault = self._mmcv_fault(ops)
            if fault:
                raise SetupError(f"mmcv was compiled, but does not work:\n{fault}")
        self._remember(mmcv=key)

    def _ops(self) -> str:
        """Decide between operators for the CPU alone and with CUDA.

        Raises:
            SetupError: a GPU is to be used, but the CUDA compiler is missing or does not match.
        """
        cuda, home = self.facts["cuda"], self.facts["cuda_home"]
        if not cuda:
            return "cpu"
        nvcc = Path(home or "/nonexistent") / "bin" / "nvcc"
        wanted = f"the CUDA toolkit {cuda} (it contains nvcc; then set CUDA_HOME to its folder)"
        if not nvcc.exists():
            if self.facts["gpu"]:
                raise SetupError(
                    f"torch {self.facts['version']} uses CUDA and there is a GPU, but no nvcc to "
                    f"compile mmcv's operators for it. Install {wanted}, or take a torch without "
                    f'CUDA: make TORCH="{DEFAULT_TORCH} --index-url {CPU_INDEX}" …'
                )
            self.console.say(
                "      WARNING: this torch has CUDA, but there is no nvcc and no GPU: mmcv gets "
                f"operators for the CPU only. To train on a GPU later install {wanted}."
            )
            return "cpu"
        text = subprocess.run([nvcc, "--version"], capture_output=True, text=True, check=False)
        release = re.search(r"release (\d+)", text.stdout)
        if release and release[1] != cuda.split(".")[0]:
            raise SetupError(
                f"torch {self.facts['version']} was built with CUDA {cuda}, {nvcc} is CUDA "
                f"{release[1]}: install {wanted}, or choose a torch for CUDA {release[1]} (TORCH=…)"
            )
        return "cuda"

    def _tag(self) -> str:
        version = self.ask("import sys; print('cp%d%d' % sys.version_info[:2])").strip()
        return f"{version}-{sys.platform}-{platform.machine()}"

    def _pip_cached(self) -> list[Path]:
        command = ["-m", "pip", "cache", "list", "--format=abspath", f"mmcv-{MMCV}*"]
        listed = subprocess.run(
            [str(self.python), *command], capture_output=True, text=True, check=False
        )
        tag = self._tag().split("-")[0]
        paths = [Path(line) for line in listed.stdout.split("\n") if line.endswith(".whl")]
        return [path for path in paths if f"-{tag}-" in path.name]

    def _install_wheel(self, wheel: Path) -> None:
        common = ["install", "-c", str(self.constraints)]
        self.pip("mmcv", *common, str(wheel))
        self.pip("mmcv", *common, "--force-reinstall", "--no-deps", str(wheel))

    def _mmcv_fault(self, ops: str) -> str:
        """Try the operators: empty if they work, else what went wrong."""
        try:
            self.ask(CHECK_MMCV, ops)
        except SetupError as error:
            return str(error)
        return ""

    def _build_mmcv(self, store: Path, ops: str) -> Path:
        """Compile mmcv and put the wheel into the store.

        Returns:
            the wheel's path in the store.
        """
        work = self.folder / "build" / store.name
        source = work / f"mmcv-{MMCV}"
        if not source.exists():
            self.pip("source of mmcv", "download", "--no-deps", "--no-binary=:all:",
                     "--no-build-isolation", f"mmcv=={MMCV}", "-d", str(work))  # fmt: skip
            with tempfile.TemporaryDirectory(dir=work) as draft:
                with tarfile.open(work / f"mmcv-{MMCV}.tar.gz") as archive:
                    archive.extractall(draft)
                os.replace(Path(draft) / source.name, source)
        csrc = source / "mmcv" / "ops" / "csrc" / "pytorch"
        units = [*csrc.glob("*.cpp"), *csrc.glob("cpu/*.cpp")]
        units += [*csrc.glob("cuda/*.cu"), *csrc.glob("cuda/*.cpp")] if ops == "cuda" else []
        jobs = build_jobs()
        expected = f"about {max(1, round(MMCV_CORE_SECONDS / jobs / 60))} min"
        if ops == "cuda":
            expected = "10 to 40 min with CUDA; TORCH_CUDA_ARCH_LIST=8.6 (your GPU's) shortens it"
        self.console.say(
            f"      compiled here, once: {len(units)} files on {jobs} cores, {expected}; an "
            "interrupted build goes on where it was"
        )

        def compiled() -> int:
            return sum(1 for _ in (source / "build").rglob("*.o"))

        before, start = compiled(), time.monotonic()

        def status() -> str:
            done, passed = compiled(), time.monotonic() - start
            text = f" of {expected.split(';')[0]}, {done} of {len(units)} files compiled"
            if done >= before + 5 and passed > 60:  # a pace to go by
                text += f", {clock(passed / (done - before) * (len(units) - done))} left"
            return text

        flags = "-g0 -O1"
        env = {
            "MMCV_WITH_OPS": "1",
            "FORCE_CUDA": "1" if ops == "cuda" else "0",
            "MAX_JOBS": str(jobs),
            "CFLAGS": f"{os.environ.get('CFLAGS', '')} {flags}".strip(),
            "CXXFLAGS": f"{os.environ.get('CXXFLAGS', '')} {flags}".strip(),
        }
        hint = (
            "Killed or out of memory: run again with MAX_JOBS=1. Anything else: the first error "
            "above names what is missing."
        )
        self.pip("compiling mmcv", "wheel", "-v", "--no-deps", "--no-build-isolation", "-w",
                 str(work), str(source), env=env, status=status, hint=hint)  # fmt: skip
        wheel = next(work.glob("mmcv-*.whl"))
        store.mkdir(parents=True, exist_ok=True)
        part = store / f".{os.getpid()}.part"
        shutil.copyfile(wheel, part)
        os.replace(part, store / wheel.name)
        shutil.rmtree(work)
        return store / wheel.name

    def install_package(self) -> None:
        """Install mmthermal from this folder, with its requirements, and import it all once."""
        self.console.say("[5/5] mmthermal and its requirements")
        self.pip("mmthermal", "install", "--no-build-isolation", "-c", str(self.constraints),
                 "-e", f"{ROOT}[{EXTRAS}]")  # fmt: skip
        try:
            version = self.ask(CHECK_ALL).strip()
        except SetupError as error:
            raise SetupError(f"All is installed, but it cannot be imported:\n{error}") from None
        torch, mmcv = self.facts["version"], self._state()["mmcv"]
        if self.ops == "lite":
            kind = f"mmcv-lite {MMCV} with operators in torch"
        else:
            kind = f"mmcv {MMCV} {'with CUDA operators' if '-cuda-' in mmcv else 'for the CPU'}"
        self.console.say(f"      mmthermal {version}, torch {torch}, {kind}: ready")

    def set_up(self) -> None:
        """Do every step that is not done yet.

        Raises:
            SetupError: a step failed.
        """
        check_venv_module()
        check_disk(next(p for p in (self.folder, *self.folder.parents) if p.exists()), self.ops)
        cached = any(cache_folder().glob(f"mmcv{MMCV}-*/*.whl"))
        if self.ops == "compiled" and not cached and not self.python.exists():
            check_compiler()
        start = time.monotonic()
        self.make_venv()
        self._remember(torch=self.torch, ops=self.ops, key="")
        self.install_torch()
        self.install_build_tools()
        self.install_mmcv()
        self.install_package()
        self._remember(key=self.key())
        self.console.say(f"      took {clock(time.monotonic() - start)}")


def cache_folder() -> Path:
    """Where compiled wheels are kept for further environments."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mmthermal"


def build_jobs() -> int:
    """Compilers at a time: one for each core, as far as the memory goes; MAX_JOBS overrides."""
    if os.environ.get("MAX_JOBS", "").isdigit():
        return max(1, int(os.environ["MAX_JOBS"]))
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    try:
        text = Path("/proc/meminfo").read_text()
        available = int(re.search(r"MemAvailable:\s+(\d+) kB", text)[1]) / 1e6  # type: ignore[index]
    except (OSError, TypeError):
        return cores
    return max(1, min(cores, int(available / MMCV_GB_PER_JOB)))


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Let one set-up at a time work on an environment; others wait for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / f"{folder.name}.lock", "w") as lock:
        if not locked(lock.fileno()):
            print("another set-up of this environment is under way: waiting for it", flush=True)
            while not locked(lock.fileno()):
                time.sleep(0.2)
        yield


def locked(file: int) -> bool:
    """Try to lock an open file for this process; closing it, or the process's end, unlocks it.

    Args:
        file: its descriptor.

    Returns:
        whether it is locked now.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Set the environment up.

    Returns:
        exit status.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--venv", type=Path, default=ROOT / ".venv", help="its folder")
    parser.add_argument(
        "--torch",
        default=os.environ.get("TORCH", ""),
        help="requirement and options for pip, as in TORCH; default: as before, or "
        + DEFAULT_TORCH,
    )
    parser.add_argument(
        "--ops",
        default=os.environ.get("OPS", ""),
        help=f"operators of mmcv, {' or '.join(OPS)}; default: as before, or {OPS[0]}",
    )
    args = parser.parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        check_python(sys.version_info[:3])
        if args.ops not in ("", *OPS):
            raise SetupError(f"OPS={args.ops}: choose {' or '.join(OPS)}")
        folder = args.venv.absolute()
        if Environment(folder, args.torch, args.ops).stands():
            return 0
        with only_one(folder):
            environment = Environment(folder, args.torch, args.ops)
            if not environment.stands():
                environment.set_up()
    except SetupError as error:
        print(f"\nSET-UP FAILED: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on where it was.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
