"""setup.py, the Makefile, .ci/run and the script that makes the environment."""

import ast
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import mmthermal

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def setup_env() -> ModuleType:
    """tools/setup_env.py as a module."""
    spec = importlib.util.spec_from_file_location("setup_env", ROOT / "tools" / "setup_env.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clean_env() -> dict[str, str]:
    """The environment without what an outer make or pytest left there."""
    outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTEST_ADDOPTS", "TORCH", "OPS", "CXX")
    return {key: value for key, value in os.environ.items() if key not in outer}


# ------------------------------------------------------------------ setup.py


def top_level_imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in names}


def test_setup_imports_nothing_heavy() -> None:
    assert top_level_imports(ROOT / "setup.py") - sys.stdlib_module_names == {"setuptools"}


def test_set_up_script_needs_the_standard_library_only() -> None:
    assert top_level_imports(ROOT / "tools" / "setup_env.py") <= sys.stdlib_module_names


def test_setup_reads_the_version_as_text(clean_env: dict[str, str]) -> None:
    command = [sys.executable, "-W", "ignore", "setup.py", "--name", "--version"]
    result = subprocess.run(
        command, cwd=ROOT, env=clean_env, capture_output=True, text=True, check=True
    )
    assert result.stdout.split()[-2:] == ["mmthermal", mmthermal.__version__]


def test_every_upper_bound_has_its_reason_beside_it() -> None:
    lines = (ROOT / "setup.py").read_text(encoding="utf-8").splitlines()
    bounded = [i for i, line in enumerate(lines) if re.match(r'\s*"[\w-]+[^"]*<', line)]
    assert len(bounded) >= 5
    for number in bounded:
        above = number - 1
        while re.match(r'\s*"', lines[above]):  # a reason may stand above several pins
            above -= 1
        assert "#" in lines[number] or lines[above].strip().startswith("#"), lines[number]


# ------------------------------------------------------------------ Makefile


def dry_run(target: str, env: dict[str, str], *variables: str) -> str:
    command = ["make", "-n", target, *variables]
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, check=True
    ).stdout


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


def test_help_is_the_default_and_lists_all_targets(clean_env: dict[str, str]) -> None:
    result = subprocess.run(
        ["make"], cwd=ROOT, env=clean_env, capture_output=True, text=True, check=True
    )
    for target in ("train", "test", "test-slow", "lint", "bench", "clean", "help"):
        assert re.search(rf"^  {target} +\w", result.stdout, re.MULTILINE), target


def test_train_sets_up_generates_trains_draws_and_summarises(clean_env: dict[str, str]) -> None:
    text = dry_run("train", clean_env, "ARGS=--amp")
    assert in_order(
        text,
        "tools/setup_env.py",
        "tools/make_synthetic.py",
        'tools/train.py "configs/thermal/retina_composite.py"',
        "--amp",
        'tools/test.py "work_dirs/retina_composite/retina_composite.py"',
        'tools/summarize_run.py "work_dirs/retina_composite"',
    )


def test_test_sets_up_and_runs_every_check(clean_env: dict[str, str]) -> None:
    text = dry_run("test", clean_env)
    checks = ("-m ruff check .", "-m ruff format --check .", "-m mypy", "-m pytest")
    assert in_order(text, "tools/setup_env.py", *checks)


def test_one_make_sets_up_once(clean_env: dict[str, str]) -> None:
    command = ["make", "-n", "-j4", "train", "test", "test-slow", "bench"]
    result = subprocess.run(
        command, cwd=ROOT, env=clean_env, capture_output=True, text=True, check=True
    )
    assert result.stdout.count("tools/setup_env.py") == 1


def test_clean_keeps_data_and_results(clean_env: dict[str, str]) -> None:
    text = dry_run("clean", clean_env)
    assert ".venv" in text
    assert "work_dirs" not in text
    assert "data" not in text


# ------------------------------------------------------------------ .ci/run


@pytest.fixture
def ci_run(
    tmp_path: Path, clean_env: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """.ci/run in a folder of its own with a make that only writes reports of tests."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()

    def run(fast: str | None, slow: str | None, code: int = 0) -> subprocess.CompletedProcess[str]:
        reports = {"test": ("tests.xml", fast), "test-slow": ("tests-slow.xml", slow)}
        cases = "".join(
            f"{target}) echo '{report}' > build/{name};;\n"
            for target, (name, report) in reports.items()
            if report is not None
        )
        fake = f'echo "make $1" >> calls\nmkdir -p build\ncase $1 in\n{cases}esac\nexit {code}\n'
        (bin_folder / "make").write_text("#!/bin/sh\n" + fake)
        (bin_folder / "make").chmod(0o755)
        env = {**clean_env, "PATH": f"{bin_folder}:{clean_env['PATH']}"}
        return subprocess.run(
            [str(tmp_path / ".ci" / "run")], env=env, capture_output=True, text=True, check=False
        )

    return run


def report(tests: int, skipped: int = 0) -> str:
    counts = f'tests="{tests}" skipped="{skipped}"'
    return f'<testsuites name="pytest tests"><testsuite name="pytest" {counts}/></testsuites>'


def test_ci_runs_fast_and_slow_tests(
    ci_run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    result = ci_run(report(9, 2), report(3))
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "calls").read_text().splitlines() == ["make test", "make test-slow"]
    assert "7 tests ran, 2 skipped" in result.stdout


@pytest.mark.parametrize(
    ("fast", "slow"),
    [
        (report(0), report(3)),
        (report(4, skipped=4), report(3)),
        (None, report(3)),
        ("", report(3)),
        (report(4), report(0)),
        (report(4), None),
    ],
    ids=["none", "all skipped", "no report", "empty report", "none slow", "no slow report"],
)
def test_ci_fails_if_no_test_ran(
    ci_run: Callable[..., subprocess.CompletedProcess[str]], fast: str | None, slow: str | None
) -> None:
    result = ci_run(fast, slow)
    assert result.returncode != 0
    assert "FAILED: no" in result.stderr


def test_ci_fails_where_make_fails(
    ci_run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    assert ci_run(report(9), report(3), code=2).returncode == 2
    assert (tmp_path / "calls").read_text().splitlines() == ["make test"]


# ------------------------------------------------------------------ set-up script: refusals


def run_script(tmp_path: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "setup_env.py"), "--venv"]
    env = {**env, "OPS": "compiled", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return subprocess.run(
        [*command, str(tmp_path / "venv")], env=env, capture_output=True, text=True, check=False
    )


def test_without_a_compiler_it_says_what_to_install(
    tmp_path: Path, clean_env: dict[str, str]
) -> None:
    (tmp_path / "bin").mkdir()
    result = run_script(tmp_path, {**clean_env, "PATH": str(tmp_path / "bin")})
    assert result.returncode == 1
    assert "No C++ compiler: 'c++'" in result.stderr
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"sudo apt-get install g++ python{version}-dev" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "venv").exists()


def test_a_compiler_that_fails_is_shown(tmp_path: Path, clean_env: dict[str, str]) -> None:
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho 'unrecognized option -std=c++17' >&2\nexit 1\n")
    compiler.chmod(0o755)
    result = run_script(tmp_path, {**clean_env, "CXX": str(compiler)})
    assert result.returncode == 1
    assert "cannot compile a small C++17 program" in result.stderr
    assert "unrecognized option -std=c++17" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_missing_python_headers_are_named(
    setup_env: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "c++"
    compiler.write_text("#!/bin/sh\necho 'fatal error: Python.h: No such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    with pytest.raises(setup_env.SetupError, match=r"Python\.h is missing.*\n.*python3\.\d+-dev"):
        setup_env.check_compiler()


def test_the_real_compiler_passes(setup_env: ModuleType) -> None:
    if shutil.which(os.environ.get("CXX", "c++")) is None:
        pytest.skip("no C++ compiler here")
    setup_env.check_compiler()


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 8, 10), (3, 9, 19)])
def test_an_old_python_is_refused(setup_env: ModuleType, version: tuple[int, int, int]) -> None:
    with pytest.raises(setup_env.SetupError, match=r"too old.*3\.10 or newer"):
        setup_env.check_python(version)


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 11, 7), (3, 12, 1)])
def test_a_newer_python_passes(setup_env: ModuleType, version: tuple[int, int, int]) -> None:
    setup_env.check_python(version)


def test_an_old_python_ends_the_script_before_anything_is_made(
    setup_env: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(setup_env.sys, "version_info", (3, 9, 1, "final", 0))
    monkeypatch.setattr(setup_env.signal, "signal", lambda *_: None)
    assert setup_env.main(["--venv", str(tmp_path / "venv")]) == 1
    assert "SET-UP FAILED: Python 3.9.1 is too old" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_refused(setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(setup_env.shutil, "disk_usage", lambda _: usage(10e9, 9e9, 1e9))
    with pytest.raises(setup_env.SetupError, match=r"1\.0 GB are free.* 4 GB"):
        setup_env.check_disk(ROOT, "compiled")
    with pytest.raises(setup_env.SetupError, match=r"1\.0 GB are free.* 2\.5 GB"):
        setup_env.check_disk(ROOT, "lite")


def test_unknown_operators_are_refused(
    setup_env: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup_env.main(["--venv", str(tmp_path / "venv"), "--ops", "full"]) == 1
    assert "OPS=full: choose lite or compiled" in capsys.readouterr().err
    assert not (tmp_path / "venv").exists()


# ------------------------------------------------------------------ set-up script: state


@pytest.fixture
def environment(setup_env: ModuleType, tmp_path: Path) -> object:
    """An environment's folder with a python that is never run."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    return setup_env.Environment(folder)


def forbid_commands(setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"ran {args}")

    monkeypatch.setattr(setup_env.subprocess, "run", refuse)
    monkeypatch.setattr(setup_env.subprocess, "Popen", refuse)
    monkeypatch.setattr(setup_env.signal, "signal", lambda *_: None)
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.delenv("OPS", raising=False)


def test_a_second_call_runs_nothing(
    setup_env: ModuleType,
    environment: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment._remember(torch=environment.torch, key=environment.key())
    forbid_commands(setup_env, monkeypatch)
    assert setup_env.main(["--venv", str(environment.folder)]) == 0
    assert capsys.readouterr().out == ""


def test_an_interrupted_set_up_does_not_count_as_done(environment: object) -> None:
    environment._remember(torch=environment.torch, key="")
    assert not environment.stands()


def test_another_torch_needs_another_set_up(setup_env: ModuleType, environment: object) -> None:
    environment._remember(torch=environment.torch, key=environment.key())
    assert environment.stands()
    assert not setup_env.Environment(environment.folder, "torch==2.5.1").stands()


def test_the_torch_of_the_last_call_stays(setup_env: ModuleType, environment: object) -> None:
    assert environment.torch == setup_env.DEFAULT_TORCH
    chosen = "torch==2.5.1 --index-url https://example.org/cu121"
    setup_env.Environment(environment.folder, chosen)._remember(torch=chosen)
    assert setup_env.Environment(environment.folder, "").torch == chosen


def test_the_operators_of_the_last_call_stay(setup_env: ModuleType, environment: object) -> None:
    assert environment.ops == "lite"
    setup_env.Environment(environment.folder, ops="compiled")._remember(ops="compiled")
    assert setup_env.Environment(environment.folder).ops == "compiled"
    assert setup_env.Environment(environment.folder, ops="lite").ops == "lite"


def test_other_operators_need_another_set_up(setup_env: ModuleType, environment: object) -> None:
    environment._remember(ops="lite", key=environment.key())
    assert setup_env.Environment(environment.folder).stands()
    assert not setup_env.Environment(environment.folder, ops="compiled").stands()


def test_an_environment_of_before_the_choice_keeps_its_compiled_mmcv(
    setup_env: ModuleType, environment: object
) -> None:
    environment._remember(mmcv="mmcv2.1.0-torch2.13.0+cpu-cpu-cp311-linux-x86_64")
    assert setup_env.Environment(environment.folder).ops == "compiled"


def test_a_changed_requirement_needs_another_set_up(
    setup_env: ModuleType, environment: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment._remember(key=environment.key())
    shutil.copy(ROOT / "setup.py", tmp_path / "setup.py")
    monkeypatch.setattr(setup_env, "ROOT", tmp_path)
    moved = environment.key()
    (tmp_path / "setup.py").write_text("# other requirements")
    assert (
        len({json.loads(environment.state_file.read_text())["key"], moved, environment.key()}) == 3
    )


def test_a_second_set_up_waits_for_the_first(setup_env: ModuleType, tmp_path: Path) -> None:
    order = []

    def second() -> None:
        with setup_env.only_one(tmp_path / "venv"):
            order.append("second")

    with setup_env.only_one(tmp_path / "venv"):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.2)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]


# ------------------------------------------------------------------ set-up script: steps


def test_a_failed_step_shows_its_end_its_first_error_and_its_log(
    setup_env: ModuleType, environment: object
) -> None:
    script = (
        "echo nms.cpp:3: fatal error: no cake; for i in $(seq 20); do echo line $i; done; exit 3"
    )
    with pytest.raises(setup_env.SetupError) as caught:
        environment.run("compiling", ["sh", "-c", script], hint="bake one")
    message = str(caught.value)
    assert "compiling failed (exit code 3)" in message
    assert "  | line 20" in message
    assert "line 3\n" not in message
    assert "first error: nms.cpp:3: fatal error: no cake" in message
    assert f"whole log: {environment.log}" in message
    assert message.endswith("bake one")


def test_an_interrupt_ends_the_whole_step(
    setup_env: ModuleType, environment: object, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"

    def interrupt() -> str:
        if pid_file.exists() and pid_file.read_text().strip():
            raise KeyboardInterrupt
        return ""

    script = f"sleep 60 & echo $! > {pid_file}; wait"
    with pytest.raises(KeyboardInterrupt):
        environment.run("sleeping", ["sh", "-c", script], status=interrupt)
    pid = int(pid_file.read_text())
    stat = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 5
    while stat.exists() and ") Z " not in stat.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not stat.exists() or ") Z " in stat.read_text()


def test_in_a_log_the_progress_is_a_line_each_half_minute(
    setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr(setup_env.time, "monotonic", lambda: now[0])
    console = setup_env.Console()
    console.start()
    for second in range(0, 65, 5):
        now[0] = 100.0 + second
        console.progress(f"at {second}")
    assert capsys.readouterr().out.splitlines() == ["at 30", "at 60"]


def record_pip(
    setup_env: ModuleType, environment: object, monkeypatch: pytest.MonkeyPatch, failing: int
) -> list[tuple[str, ...]]:
    """Replace pip by a record of its calls, of which the first ones fail."""
    calls: list[tuple[str, ...]] = []

    def pip(what: str, *args: str, **options: object) -> None:
        calls.append(args)
        if len(calls) <= failing:
            raise setup_env.SetupError("no such version")

    facts = {"version": "2.13.0+cpu", "cuda": None, "cuda_home": None, "gpu": False}
    monkeypatch.setattr(environment, "pip", pip)
    monkeypatch.setattr(environment, "ask", lambda code, *args: json.dumps(facts))
    monkeypatch.setattr(setup_env.sys, "platform", "linux")
    return calls


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_by_default_torch_without_cuda_is_looked_for_first(
    setup_env: ModuleType, environment: object, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    calls = record_pip(setup_env, environment, monkeypatch, failing)
    environment.install_torch()
    wanted = [call[1] for call in calls]
    cpu = "torch==2.13.0+cpu"
    assert wanted == [[cpu], [cpu, cpu], [cpu, cpu, "torch==2.13.0"]][failing]
    assert (setup_env.CPU_INDEX in calls[-1]) == (failing == 1)
    pins = environment.constraints.read_text().splitlines()
    assert pins[1:] == [
        "torch==2.13.0+cpu", "setuptools<81", "mmcv==2.1.0", "mmcv-lite==2.1.0"
    ]  # fmt: skip


def test_a_chosen_torch_is_installed_as_it_was_given(
    setup_env: ModuleType, environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = record_pip(setup_env, environment, monkeypatch, 0)
    environment.torch = "torch==2.5.1 --index-url https://example.org/cu121"
    environment.install_torch()
    assert calls == [("install", "torch==2.5.1", "--index-url", "https://example.org/cu121")]


def fake_nvcc(folder: Path, release: str) -> str:
    (folder / "bin").mkdir(parents=True)
    nvcc = folder / "bin" / "nvcc"
    nvcc.write_text(f"#!/bin/sh\necho 'Cuda compilation tools, release {release}, V{release}.9'\n")
    nvcc.chmod(0o755)
    return str(folder)


def test_mmcv_gets_cuda_operators_exactly_where_torch_and_nvcc_have_cuda(
    setup_env: ModuleType, environment: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = fake_nvcc(tmp_path / "cuda", "12.4")

    def ops(cuda: str | None, cuda_home: str | None, gpu: bool) -> str:
        environment.facts = {"version": "2", "cuda": cuda, "cuda_home": cuda_home, "gpu": gpu}
        return environment._ops()

    assert ops(None, home, False) == "cpu"
    assert ops("12.1", home, True) == "cuda"
    assert ops("12.1", home, False) == "cuda"
    assert "WARNING" not in capsys.readouterr().out
    assert ops("12.1", None, False) == "cpu"
    assert "WARNING: this torch has CUDA, but there is no nvcc" in capsys.readouterr().out
    with pytest.raises(setup_env.SetupError, match="there is a GPU, but no nvcc"):
        ops("12.1", None, True)
    with pytest.raises(setup_env.SetupError, match=r"built with CUDA 11\.8, .* is CUDA 12"):
        ops("11.8", home, True)


@pytest.mark.parametrize(
    ("works", "installed", "compiled"),
    [
        ({"own.whl", "pip.whl", "new.whl"}, ["own.whl"], False),
        ({"pip.whl", "new.whl"}, ["own.whl", "pip.whl"], False),
        ({"new.whl"}, ["own.whl", "pip.whl", "new.whl"], True),
        (set(), ["own.whl", "pip.whl", "new.whl"], True),
    ],
    ids=["own cache", "pip's cache", "cached ones are of another torch", "nothing works"],
)
def test_mmcv_is_compiled_only_if_no_cached_wheel_works(
    setup_env: ModuleType,
    environment: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    works: set[str],
    installed: list[str],
    compiled: bool,
) -> None:
    tried: list[str] = []
    built: list[str] = []
    environment.facts = {"version": "2.13.0+cpu", "cuda": None, "cuda_home": None, "gpu": False}
    monkeypatch.setattr(setup_env, "cache_folder", lambda: tmp_path)
    store = tmp_path / "mmcv2.1.0-torch2.13.0+cpu-cpu-tag"
    store.mkdir()
    (store / "mmcv-2.1.0-own.whl").touch()
    monkeypatch.setattr(environment, "_tag", lambda: "tag")
    monkeypatch.setattr(environment, "_pip_cached", lambda: [Path("mmcv-2.1.0-pip.whl")])
    monkeypatch.setattr(
        environment, "_install_wheel", lambda wheel: tried.append(wheel.name.split("-")[-1])
    )
    monkeypatch.setattr(
        environment, "_mmcv_fault", lambda ops: "" if tried and tried[-1] in works else "undefined"
    )
    monkeypatch.setattr(setup_env, "check_compiler", lambda: built.append("checked"))

    def build(store: Path, ops: str) -> Path:
        assert built == ["checked"]
        built.append(ops)
        return store / "mmcv-2.1.0-new.whl"

    monkeypatch.setattr(environment, "_build_mmcv", build)
    if works:
        environment._install_compiled()
        assert environment._state()["mmcv"] == store.name
    else:
        with pytest.raises(setup_env.SetupError, match="does not work:\nundefined"):
            environment._install_compiled()
        assert "mmcv" not in environment._state()
    assert tried == installed
    assert bool(built) == compiled


@pytest.mark.parametrize(
    ("ops", "found", "removed"),
    [
        ("lite", [], []),
        ("lite", ["mmcv-lite"], []),
        ("lite", ["mmcv"], ["mmcv"]),
        ("lite", ["mmcv", "mmcv-lite"], ["mmcv", "mmcv-lite"]),
        ("compiled", ["mmcv-lite"], ["mmcv-lite"]),
        ("compiled", ["mmcv"], []),
    ],
)
def test_mmcv_and_mmcv_lite_are_never_both_there(
    setup_env: ModuleType,
    environment: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ops: str,
    found: list[str],
    removed: list[str],
) -> None:
    """What is there is removed as a whole: each package has overwritten files of the other."""
    calls: list[tuple[str, ...]] = []
    environment.ops = ops
    monkeypatch.setattr(environment, "ask", lambda code, *args: json.dumps(found))
    monkeypatch.setattr(environment, "pip", lambda what, *args: calls.append(args))
    monkeypatch.setattr(environment, "_install_compiled", lambda: calls.append(("compiled",)))
    environment.install_mmcv()
    assert calls[:-1] == ([("uninstall", "-y", *removed)] if removed else [])
    assert calls[-1][-1] == ("mmcv-lite==2.1.0" if ops == "lite" else "compiled")
    assert ("removed first" in capsys.readouterr().out) == bool(removed)


def test_the_installed_packages_are_looked_up(setup_env: ModuleType) -> None:
    command = [sys.executable, "-c", setup_env.INSTALLED, "no-such-thing", "pytest", "mmengine"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["pytest", "mmengine"]


def test_lite_needs_no_compiler(
    setup_env: ModuleType, environment: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All steps, with the commands left out and every look for a compiler forbidden."""
    facts = {"version": "2.13.0+cpu", "cuda": None, "cuda_home": None, "gpu": False}
    answers = {setup_env.TORCH_FACTS: json.dumps(facts), setup_env.INSTALLED: "[]"}

    def refuse() -> None:
        raise AssertionError("looked for a compiler")

    monkeypatch.setattr(setup_env, "check_compiler", refuse)
    monkeypatch.setattr(environment, "ask", lambda code, *args: answers.get(code, "0.1.0"))
    monkeypatch.setattr(environment, "run", lambda *args, **options: None)
    environment.set_up()
    assert environment.stands()
    assert environment._state()["ops"] == "lite"
    with pytest.raises(AssertionError, match="looked for a compiler"):
        environment.ops = "compiled"
        monkeypatch.setattr(setup_env, "cache_folder", lambda: environment.folder / "none")
        monkeypatch.setattr(environment, "_tag", lambda: "tag")
        monkeypatch.setattr(environment, "_pip_cached", lambda: [])
        environment.install_mmcv()


def test_jobs_follow_the_memory_and_max_jobs(
    setup_env: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAX_JOBS", raising=False)
    assert 1 <= setup_env.build_jobs() <= os.cpu_count()
    monkeypatch.setattr(setup_env, "MMCV_GB_PER_JOB", 1e6)
    assert setup_env.build_jobs() == 1
    monkeypatch.setenv("MAX_JOBS", "7")
    assert setup_env.build_jobs() == 7


def test_this_environment_has_operators(setup_env: ModuleType) -> None:
    code = f"import mmthermal\n{setup_env.CHECK_MMCV}"
    command = [sys.executable, "-W", "ignore", "-c", code, "cpu"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
