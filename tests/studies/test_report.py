"""The page: escaped, self-contained, accessible; its filter works in a browser."""

import copy
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from helpers_comparison import compare_skills
from helpers_runs import write_comparison_runs

from mmthermal.studies.comparison import compare
from mmthermal.studies.comparison_files import write_comparison
from mmthermal.studies.ground_truth import shared_test_set
from mmthermal.studies.report import load_comparison, render, write_report
from mmthermal.studies.run_folder import collect_runs

EVIL_CLASS = "<script>alert(1)</script>"
EVIL_CONFIG = '</script><img src=x onerror="alert(2)">'
VOID = {"meta", "link", "br", "img", "input", "hr"}


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Three seeds of two models, one class and one model with names that attack."""
    names = ["focal", EVIL_CONFIG]
    _, folders = write_comparison_runs(
        tmp_path_factory.mktemp("runs"), {"a": 0.4, "b": 0.8}, classes=("person", EVIL_CLASS)
    )
    groups = collect_runs(folders, names=names)
    return compare(groups, shared_test_set(groups), resamples=100, say=lambda line: None)


@pytest.fixture(scope="module")
def page(comparison: dict[str, Any]) -> str:
    return render(comparison)


class Tree(HTMLParser):
    """Collects tags with their attributes and checks that they nest."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def tree(page: str) -> Tree:
    found = Tree()
    found.feed(page)
    found.close()
    assert found.open == []
    return found


def test_names_never_become_markup(page: str, tree: Tree) -> None:
    assert EVIL_CLASS not in page
    assert EVIL_CONFIG not in page
    assert sum(tag == "script" for tag, _ in tree.tags) == 2  # the figures, and the page's own
    assert not any(tag == "img" for tag, _ in tree.tags)
    assert not any(key.startswith("on") for _, attrs in tree.tags for key in attrs)
    assert any(EVIL_CLASS in text for text in tree.texts)  # shown as text
    assert any(EVIL_CONFIG in text for text in tree.texts)


def test_the_figures_in_the_page_are_the_comparison(page: str, comparison: dict[str, Any]) -> None:
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    assert "<" not in text and ">" not in text and "&" not in text
    expected = {key: value for key, value in comparison.items() if key != "gallery"}
    assert json.loads(text) == json.loads(json.dumps(expected))


def test_it_needs_no_network(page: str, tree: Tree) -> None:
    for _, attrs in tree.tags:
        for key in ("src", "href", "xlink:href", "action", "poster", "srcset"):
            value = attrs.get(key)
            assert value is None or value.startswith(("#", "data:")), value
    assert "@import" not in page
    assert not re.search(r"url\((?!data:)", page)
    assert "http" not in re.sub(r"http-equiv", "", page)
    policy = next(a["content"] for t, a in tree.tags if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_the_verdict_comes_first(page: str, comparison: dict[str, Any]) -> None:
    from markupsafe import escape

    headline = str(escape(comparison["comparisons"][0]["words"]["headline"]))
    assert "is better than focal on overlapped objects (AP50)" in headline
    assert page.index(headline) < page.index('id="metrics"')


def test_pictures_have_texts_tables_have_headers(tree: Tree) -> None:
    for tag, attrs in tree.tags:
        if tag == "svg":
            assert attrs.get("aria-hidden") == "true" or (
                attrs["role"] == "img" and attrs["aria-label"]
            )
        if tag == "th":
            assert attrs["scope"] in ("col", "row", "colgroup")
        if tag == "button":
            assert attrs["type"] == "button"
    names = [tag for tag, _ in tree.tags]
    assert names.count("table") == names.count("caption") > 3
    assert names.count("h1") == 1
    ids = [attrs["id"] for _, attrs in tree.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [a["href"][1:] for t, a in tree.tags if t == "a"]
    assert set(links) <= set(ids)


def test_one_section_for_every_subject(tree: Tree) -> None:
    ids = {attrs.get("id") for tag, attrs in tree.tags if tag == "section"}
    assert ids >= {"metrics", "overlap", "pr", "training", "errors", "confusion", "gallery"}


def test_every_gallery_image_is_embedded_once(tree: Tree, comparison: dict[str, Any]) -> None:
    images = [attrs for tag, attrs in tree.tags if tag == "image"]
    assert len(images) == len(comparison["gallery"]) > 5
    assert all(attrs["href"].startswith("data:image/png;base64,") for attrs in images)


def test_missing_images_are_left_out_and_counted(
    comparison: dict[str, Any], tmp_path: Path
) -> None:
    page = render(comparison, img_dir=tmp_path)
    assert 'id="gallery"' not in page
    kept = comparison["gallery"][0]["file_name"]
    shutil.copy(Path(comparison["data"]["img_dir"]) / kept, tmp_path / kept)
    page = render(comparison, img_dir=tmp_path)
    assert f"{len(comparison['gallery']) - 1} images are left out" in page


def test_pictures_stop_before_the_page_grows_too_large(
    comparison: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmthermal.studies.report.MAX_PICTURE_BYTES", 40_000)
    page = render(comparison)
    assert 0 < page.count("<image ") < len(comparison["gallery"])
    assert "left out" in page


@pytest.mark.parametrize("change", ["one seed", "no overlap", "no curves", "no gallery", "wide"])
def test_incomplete_comparisons_have_a_page(change: str, tmp_path: Path) -> None:
    seeds = (0,) if change == "one seed" else (0, 1)
    _, folders = write_comparison_runs(
        tmp_path, {"a": 0.4, "b": 0.8}, seeds=seeds, overlap=change != "no overlap"
    )
    groups = collect_runs(folders, names=["a", "b"])
    found = compare(groups, shared_test_set(groups), resamples=100, say=lambda line: None)
    if change == "no curves":
        found["training_curves"] = {}
    if change == "no gallery":
        found["gallery"] = []
    if change == "wide":  # Student's, of two seeds that are far apart
        found["comparisons"][0]["metrics"]["AP50"]["interval"].update(low=-1.33, high=1.68)
    page = render(found)
    tree = Tree()
    tree.feed(page)
    assert "no difference shown" in page or "better" in page
    assert ('id="training"' in page) == (change != "no curves")
    assert ('id="gallery"' in page) == (change != "no gallery")
    assert "nan" not in " ".join(tree.texts).lower().split()


def test_three_models_have_a_page_with_three_panels(tmp_path: Path) -> None:
    _, folders = write_comparison_runs(tmp_path, {"a": 0.4, "b": 0.8, "c": 0.6}, seeds=(0, 1))
    groups = collect_runs(folders, names=["a", "b", "c"])
    found = compare(groups, shared_test_set(groups), resamples=100, say=lambda line: None)
    page = render(found)
    assert page.count('<div class="card verdict') == 2
    assert "Holm" in page
    assert page.count('class="photo"') == 4 * len(found["gallery"])


def test_each_of_eight_models_has_a_style_of_its_own(tmp_path: Path) -> None:
    skills = {name: 0.3 + 0.05 * k for k, name in enumerate("abcdefgh")}
    page = render(compare_skills(tmp_path, skills, seeds=(0,)))
    assert {f"s{k}" for k in range(8)} == set(re.findall(r'class="line (s\d+)"', page))
    lines, bars = [], []
    for k in range(8):
        rules = {mark: style_of(page, f".{mark}.s{k}") for mark in ("line", "bar", "band", "mark")}
        assert "stroke" in rules["line"] and all(
            "fill" in rules[m] for m in ("bar", "band", "mark")
        )
        for colour in re.findall(r"var\((--s\d+)\)", str(rules)):
            assert page.count(f" {colour}: #") == 2  # light and dark
        lines.append(tuple(rules["line"].items()))
        bars.append(tuple(rules["bar"].items()))
    assert len(set(lines)) == len(set(bars)) == 8


def style_of(page: str, selector: str) -> dict[str, str]:
    """What the page's rules of one class say together."""
    found = re.findall(
        rf"(?:^|[}},]) *{re.escape(selector)}(?:,[^{{}}]*)? {{([^}}]*)}}", page, re.M
    )
    return dict(
        part.strip().split(": ") for rule in found for part in rule.split(";") if part.strip()
    )


@pytest.mark.parametrize(("level", "text"), [(0.95, "95"), (0.975, "97.5"), (0.999, "99.9")])
def test_the_level_is_not_rounded(comparison: dict[str, Any], level: float, text: str) -> None:
    settings = {**comparison["settings"], "level": level}
    page = render({**comparison, "settings": settings})
    assert set(re.findall(r"([\d.]+) % interval of the difference", page)) == {text}


def test_the_figures_that_best_f1_thresholds_serve_are_named(page: str) -> None:
    serve = re.search(r"<li>Best-F1 thresholds.*?</li>", page)[0]
    for words in ("error counts", "confusion", "gallery", "pairs found", "duplicates", "best F1"):
        assert words in serve


def test_a_file_that_the_page_saved_makes_a_page_without_pictures(
    page: str, comparison: dict[str, Any], tmp_path: Path
) -> None:
    saved = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    (tmp_path / "saved_comparison.json").write_text(saved)
    again = render(load_comparison(tmp_path / "saved_comparison.json"))
    assert again == render({**comparison, "gallery": []})


def test_round_trip_through_the_file(comparison: dict[str, Any], page: str, tmp_path: Path) -> None:
    json_path, _ = write_comparison(comparison, tmp_path)
    path = write_report(load_comparison(json_path), tmp_path / "page.html")
    assert path.read_text(encoding="utf-8") == page


def test_other_files_are_refused(comparison: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"schema": "else"}')
    with pytest.raises(ValueError, match="is not a comparison of schema"):
        load_comparison(tmp_path / "a.json")
    with pytest.raises(FileNotFoundError):
        load_comparison(tmp_path / "none.json")


BROWSER = next(
    (p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))),
    None,
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=5000",
]
PROBE = """
<script>
window.problems = [];
window.onerror = message => { window.problems.push(String(message)); };
document.addEventListener(
  "securitypolicyviolation", e => window.problems.push(e.violatedDirective));
</script>
"""
STEPS = """
<script>
addEventListener("load", () => {
  const get = id => document.getElementById(id);
  const visible = list => [...document.querySelectorAll(list)].filter(e => !e.hidden);
  const out = {};
  const set = (id, value) => { get(id).value = value; get(id).dispatchEvent(new Event("change")); };
  const key = name => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
  out.all = visible(".strip button").length;
  out.shots = visible(".shot").length;
  set("f-class", "1");
  out.evil = visible(".strip button").length;
  out.evilOption = get("f-class").selectedOptions[0].text;
  set("f-class", "");
  set("f-overlap", "-1"); out.none = visible(".strip button").length;
  out.message = get("g-count").textContent;
  set("f-overlap", "0");
  set("f-side", "1"); out.side1 = visible(".strip button").length;
  set("f-side", "0"); out.side0 = visible(".strip button").length;
  set("f-side", "");
  document.querySelector(".strip button[tabindex='0']").focus();
  key("ArrowRight"); key("ArrowRight"); key("ArrowLeft");
  out.after = get("g-count").textContent;
  out.focus = document.activeElement.dataset.n;
  out.outline = getComputedStyle(document.activeElement).outlineStyle;
  key("End"); out.end = get("g-count").textContent; out.next = get("g-next").disabled;
  key("Home"); out.home = get("g-count").textContent;
  get("f-boxes").click();
  out.boxes = getComputedStyle(document.querySelector(".shot .box")).visibility;
  out.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  out.dark = getComputedStyle(document.body).backgroundColor;
  out.problems = window.problems;
  document.title = JSON.stringify(out);
});
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (500, False), (1280, True)])
def test_in_a_browser(
    page: str, comparison: dict[str, Any], tmp_path: Path, width: int, dark: bool
) -> None:
    path = tmp_path / "page.html"
    path.write_text(
        page.replace("<head>", "<head>" + PROBE, 1).replace("</body>", STEPS + "</body>")
    )
    flags = [f"--window-size={width},900", f"--user-data-dir={tmp_path / 'profile'}"]
    if dark:
        flags.append("--blink-settings=preferredColorScheme=0")
    done = subprocess.run(
        [BROWSER, *FLAGS, *flags, "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.S)[1]
    found = json.loads(title.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    gallery = comparison["gallery"]
    assert found["problems"] == []
    assert found["all"] == len(gallery)
    assert found["shots"] == 1
    assert found["evil"] == sum(EVIL_CLASS in item["classes"] for item in gallery)
    assert found["evilOption"] == EVIL_CLASS
    assert found["none"] == 0
    assert found["message"] == "No image fits these filters"
    assert found["side1"] == sum(item["gain"] > 0 for item in gallery)
    assert found["side0"] == sum(item["gain"] < 0 for item in gallery)
    assert found["after"] == f"2 of {len(gallery)}"
    assert found["focus"] == "1"
    assert found["end"] == f"{len(gallery)} of {len(gallery)}"
    assert found["next"] is True
    assert found["home"] == f"1 of {len(gallery)}"
    assert found["boxes"] == "hidden"
    assert found["overflow"] <= 0
    assert found["dark"] == ("rgb(18, 22, 27)" if dark else "rgb(246, 247, 249)")


def test_templates_are_shipped_with_the_package() -> None:
    root = Path(__file__).parents[2]
    shipped = (root / "setup.py").read_text(encoding="utf-8")
    for template in root.glob("mmthermal/**/*.j2"):
        package = ".".join(template.relative_to(root).parts[:-2])
        assert f'"{package}": ["templates/*.j2"]' in shipped


def test_dates_and_counts_do_not_depend_on_the_gallery(comparison: dict[str, Any]) -> None:
    changed = copy.deepcopy(comparison)
    changed["gallery"] = []
    assert "120 objects" in render(changed)
