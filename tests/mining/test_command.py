"""The tool's work: one file, whole or not at all, the same after any kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from helpers_data import ROOT

from mmthermal.common.checks import InputError
from mmthermal.mining import command
from mmthermal.mining.command import mine_command
from mmthermal.mining.finding import MiningSettings
from mmthermal.mining.region_file import RegionFile

SETTINGS = MiningSettings(score_thr=0.4, iou_thr=0.2, ratio=2.0)


def mine(small, out, **settings):
    cfg, checkpoint = small
    options = dict(settings=SETTINGS, batch_size=2, num_workers=0, sheet=0)
    return mine_command(cfg, checkpoint, out, **{**options, **settings})


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """The file of an undisturbed run."""
    out = tmp_path_factory.mktemp("whole") / "regions.json"
    mine(small, out)
    return out


def test_file_says_where_it_comes_from(small, whole):
    content = RegionFile.read(whole)
    info = content.info
    assert info["num_found"] == len(content.regions) == min(30, info["num_false_regions"])
    assert info["round"] == 0
    assert len(info["checkpoint_sha256"]) == len(info["config_sha256"]) == 64
    assert info["data"]["num_objects"] == 15
    assert info["settings"]["score_thr"] == 0.4
    losses = [region.loss for region in content.regions]
    assert losses == sorted(losses, reverse=True)
    assert not list(whole.parent.glob("*.partial"))


def test_interrupted_run_goes_on_where_it_was(small, whole, tmp_path, monkeypatch):
    out = tmp_path / "regions.json"
    inferred = []
    real = command.false_regions

    def counting(model, images, batches, settings, **kwargs):
        for batch, results in zip(
            batches, real(model, images, batches, settings, **kwargs), strict=False
        ):
            if len(inferred) == 2:
                raise KeyboardInterrupt
            inferred.append(batch)
            yield results

    monkeypatch.setattr(command, "false_regions", counting)
    with pytest.raises(KeyboardInterrupt):
        mine(small, out)
    assert not out.exists()
    assert inferred == [[0, 1], [2, 3]]
    monkeypatch.setattr(command, "false_regions", real)
    asked = []
    monkeypatch.setattr(
        command, "false_regions", lambda m, i, b, s, **k: asked.extend(b) or real(m, i, b, s, **k)
    )
    mine(small, out)
    assert asked == [[4, 5], [6]]
    assert out.read_bytes() == whole.read_bytes()


def test_other_settings_start_anew(small, tmp_path, monkeypatch):
    out = tmp_path / "regions.json"
    real = command.false_regions

    def failing(*args, **kwargs):
        yield next(real(*args, **kwargs))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "false_regions", failing)
    with pytest.raises(KeyboardInterrupt):
        mine(small, out)
    asked = []
    monkeypatch.setattr(
        command, "false_regions", lambda m, i, b, s, **k: asked.extend(b) or real(m, i, b, s, **k)
    )
    mine(small, out, settings=MiningSettings(score_thr=0.5))
    assert asked == [[0, 1], [2, 3], [4, 5], [6]]


def test_ratio_and_count_need_no_new_inference(small, tmp_path, monkeypatch):
    """They only choose among what was found."""
    counts = {}
    for count in ("objects", "images"):
        content = mine(
            small,
            tmp_path / f"{count}.json",
            settings=MiningSettings(score_thr=0.4, iou_thr=0.2, ratio=0.5, count=count),
        )
        counts[count] = len(content.regions)
    assert counts == dict(objects=7, images=3)  # floor(15 / 2), floor(6 / 2)


def test_exclusions_and_the_round_before(small, whole, tmp_path):
    first = RegionFile.read(whole)
    marked = first.regions[0]
    exclude = tmp_path / "exclude.json"
    exclude.write_text(
        json.dumps(dict(exclude=[dict(image_id=marked.image_id, bbox=list(marked.bbox))]))
    )
    second = mine(small, tmp_path / "second.json", previous=whole, exclude=exclude)
    assert second.round == 1
    assert second.info["num_excluded"] >= 1
    assert marked.bbox not in {region.bbox for region in second.regions}
    # the same detector finds the rest again
    assert second.info["num_found_again"] == second.info["num_found"] == len(second.regions)
    assert {(r.round, r.first_round, r.weight) for r in second.regions} == {(1, 0, 1.0)}


def test_a_round_or_exclusions_of_another_set_are_refused_before_the_work(
    small, whole, tmp_path, monkeypatch
):
    monkeypatch.setattr(command, "false_regions", None)  # would fail
    content = json.loads(whole.read_text())
    for image in content["images"]:
        image["file_name"] = f"night/other_{image['id']}.png"
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    with pytest.raises(InputError, match="^--previous .*other.json is of another data set"):
        mine(small, tmp_path / "out.json", previous=other)
    exclude = tmp_path / "exclude.json"
    exclude.write_text(json.dumps(dict(exclude=[dict(image_id="7", bbox=[0, 0, 9, 9])])))
    with pytest.raises(InputError, match="^--exclude .*exclude.json: 1 of its 1 .* '7'. An id in"):
        mine(small, tmp_path / "out.json", exclude=exclude)
    content["info"] = None
    other.write_text(json.dumps(content))
    with pytest.raises(InputError, match="not a file of hard negatives"):
        mine(small, tmp_path / "out.json", previous=other)


def test_sheet_is_written_beside_the_file(small, tmp_path):
    mine(small, tmp_path / "regions.json", sheet=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "regions.html",
        "regions.json",
        "regions.png",
    ]


def test_missing_checkpoint(small, tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        mine_command(small[0], tmp_path / "nothing.pth", tmp_path / "out.json", settings=SETTINGS)


def test_a_folder_or_a_file_of_something_else_is_not_replaced(small, tmp_path):
    with pytest.raises(InputError, match="is a folder: give a file"):
        mine(small, tmp_path)
    for content in ('{"images": [], "annotations": [], "categories": []}', "no JSON"):
        file = tmp_path / "train.json"
        file.write_text(content)
        with pytest.raises(InputError, match="is not replaced"):
            mine(small, file)
        assert file.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["train.json"]


def tool(small, out, *launcher):
    cfg, checkpoint = small
    words = [sys.executable, *launcher, str(ROOT / "tools" / "mine_hard_negatives.py")]
    words += [cfg.filename, str(checkpoint), "--out", str(out), "--batch-size", "2"]
    words += ["--workers", "0", "--sheet", "0", "--score-thr", "0.4", "--iou-thr", "0.2"]
    words += ["--ratio", "2", "--cfg-options", "env_cfg.dist_cfg.backend=gloo"]
    return [*words, "--launcher", "pytorch"] if launcher else words


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


@pytest.mark.slow
def test_two_processes_write_the_file_of_one(small, whole, tmp_path):
    out = tmp_path / "two.json"
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2")
    done = subprocess.run(
        tool(small, out, *launcher), env=environment(), capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    alone, two = json.loads(whole.read_text()), json.loads(out.read_text())
    assert two["annotations"] == alone["annotations"]
    assert two == alone


@pytest.mark.slow
def test_killed_tool_goes_on_and_writes_the_same(small, whole, tmp_path):
    out = tmp_path / "killed.json"
    process = subprocess.Popen(
        tool(small, out), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    folder = tmp_path / "killed.json.partial"
    start = time.monotonic()
    while process.poll() is None and not any(folder.glob("*.jsonl")):
        assert time.monotonic() - start < 300
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not out.exists()
    shutil.copytree(folder, tmp_path / "kept")
    subprocess.run(tool(small, out), env=environment(), check=True, timeout=600)
    assert json.loads(out.read_text()) == json.loads(whole.read_text())
    assert not folder.exists()


@pytest.mark.parametrize("name", ["score_thr", "iou_thr", "nms_iou", "crowd_thr"])
def test_each_threshold_starts_anew(name):
    sources = dict(checkpoint_sha256="0", config_sha256="1", data={})
    keys = [command._key(sources, MiningSettings(**{name: value}), 2) for value in (0.3, 0.4)]
    assert keys[0] != keys[1]
