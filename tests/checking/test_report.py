"""The check's terminal text, JSON and page, and the tool."""

import json
from html.parser import HTMLParser

import pytest
from helpers_data import CONFIGS, as_arguments, data_options, run_tool, write_coco

import mmthermal  # noqa: F401 (registers)
from mmthermal.checking.command import check_data
from mmthermal.checking.report import to_text, write_json_report, write_page

CONFIG = CONFIGS / "thermal" / "retina_composite.py"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = write_coco(tmp_path_factory.mktemp("report") / "data", splits=dict(train=6, val=5))
    path = folder / "annotations" / "train.json"
    content = json.loads(path.read_text())
    content["categories"][0]["name"] = "<script>alert(1)</script>"
    content["images"].append(dict(id=99, file_name="<b>no</b>.png", width=96, height=64))
    path.write_text(json.dumps(content))
    return folder


def test_the_text_starts_with_the_figures_and_the_worst_finding(root) -> None:
    lines = to_text(check_data(root)).splitlines()
    assert lines[0].startswith("train: 7 images, ")
    assert lines[1].startswith("val: 5 images, ")
    assert lines[3].startswith("ERROR   ")
    assert lines[-1].startswith(f"{root}: ") and "errors" in lines[-1]
    assert all(len(line) <= 100 for line in lines[2:-1])


def test_a_split_that_can_not_be_read_has_its_line(tmp_path) -> None:
    folder = write_coco(tmp_path / "data", splits=dict(train=5, val=5))
    (folder / "annotations" / "val.json").write_text('{"images": []}')
    lines = to_text(check_data(folder, images=False)).splitlines()
    assert lines[1].startswith("val: not measured")


def test_json_holds_findings_and_figures(root, tmp_path) -> None:
    report = check_data(root, images=False)
    content = json.loads(write_json_report(report, tmp_path / "a.json").read_text())
    assert content["errors"] == sum(f["severity"] == "error" for f in content["findings"]) > 0
    assert content["figures"]["val"]["images"] == 5


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_escaped_and_needs_no_other_file(root, tmp_path) -> None:
    text = write_page(check_data(root), tmp_path / "a.html", number=4).read_text()
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    kinds = [tag for tag, _ in tags.seen]
    assert "script" not in kinds and "b" in kinds
    assert "&lt;b&gt;no&lt;/b&gt;.png" in text
    pictures = [attrs["src"] for tag, attrs in tags.seen if tag == "img"]
    assert len(pictures) >= 7 and all(src.startswith("data:image/png;base64,") for src in pictures)
    assert kinds.count("svg") == 4


def test_a_pipeline_that_fails_is_said_on_the_page(tmp_path) -> None:
    folder = write_coco(tmp_path / "data", splits=dict(train=5, val=5))
    options = {
        **data_options(folder),
        "train_dataloader.dataset.pipeline": [dict(type="LoadThermalImage"), dict(type="NoSuch")],
    }
    report = check_data(CONFIG, cfg_options=options)
    text = write_page(report, tmp_path / "a.html", number=2).read_text()
    assert "as the network gets it" in text and "NoSuch" in text


@pytest.mark.slow
def test_the_tool_prints_and_its_status_says_whether_to_train(root, tmp_path) -> None:
    done = run_tool("check_data.py", root, "--json", "a.json", cwd=tmp_path, ok=False)
    assert done.returncode == 1 and "ERROR" in done.stdout
    assert (tmp_path / "a.json").is_file()
    good = write_coco(tmp_path / "good", splits=dict(train=5, val=5))
    options = as_arguments(data_options(good))
    run_tool("check_data.py", CONFIG, "--html", "a.html", *options, cwd=tmp_path)
    assert "<svg" in (tmp_path / "a.html").read_text()
    done = run_tool("check_data.py", tmp_path / "nowhere", cwd=tmp_path, ok=False)
    assert done.returncode == 2 and "neither a config nor a folder" in done.stderr
