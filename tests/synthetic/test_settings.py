"""Settings of the embedded data set: their ranges, and their form in info.json."""

import json
from typing import Any

import pytest
from helpers_synthetic import settings

from mmthermal.synthetic.settings import SceneSettings


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dict(num_train=-1), "num_train=-1: must be at least 0"),
        (dict(num_train=0, num_val=0, num_test=0), "all 0"),
        (dict(seed=-3), "seed=-3: must be at least 0"),
        (dict(netd=-0.1), r"netd=-0.1: must lie in \[0, 5\]"),
        (dict(bad_pixels=0.5), r"bad_pixels=0.5"),
        (dict(cameras=0), "cameras=0"),
        (dict(box="whole"), "box='whole': choose one of 'visible', 'full'"),
        (dict(min_visible=2), "min_visible=2"),
        (dict(min_side=-1), "min_side=-1"),
    ],
)
def test_a_setting_out_of_its_range_is_named(bad: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**bad).check()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (dict(size=(160,)), r"size=\(160,\)"),
        (dict(size=(16, 120)), r"size=16: must lie in \[32, 1280\]"),
        (dict(classes=()), r"classes=\(\)"),
        (dict(classes=("person", "cat")), "classes='cat'.*'dog'"),
        (dict(classes=("dog", "dog")), "different names"),
        (dict(objects=0.5), r"objects=0.5: must lie in \[1, 20\]"),
        (dict(overlap=0.9), r"overlap=0.9: must lie in \[0, 0.8\]"),
        (dict(overlap=float("nan")), "overlap=nan"),
        (dict(empty=1.5), r"empty=1.5"),
        (dict(clutter=-1), "clutter=-1"),
        (dict(clutter_share=2), "clutter_share=2"),
        (dict(supersample=0), "supersample=0"),
        (dict(supersample=9), r"supersample=9: must lie in \[1, 8\]"),
    ],
)
def test_a_setting_of_the_scene_out_of_its_range_is_named(
    bad: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        settings(scene=SceneSettings(**bad)).check()


@pytest.mark.parametrize("bad", [dict(seed=0.5), dict(cameras="8"), dict(num_val=True)])
def test_a_setting_of_the_wrong_type_is_named(bad: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(bad))):
        settings(**bad).check()


def test_good_settings_pass() -> None:
    settings().check()
    settings(scene=SceneSettings(size=(32, 1280), objects=1, overlap=0.8, clutter=20)).check()


def test_plain_settings_are_flat_and_what_json_gives_back() -> None:
    plain = settings(scene=SceneSettings(size=(96, 64))).plain()
    assert plain["size"] == [96, 64] and plain["netd"] == 0.05 and "scene" not in plain
    assert json.loads(json.dumps(plain)) == plain
