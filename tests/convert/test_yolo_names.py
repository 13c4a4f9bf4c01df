"""A data.yaml that can't be understood is an error that names it; so is a file of names."""

import pytest
from helpers_convert import text

from mmthermal.convert.yolo_names import (
    names_of_text,
    names_of_yaml,
    read_data_yaml,
    values_of_keypoints,
)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("person", r"names='person': write a list"),
        (None, r"names=None: write a list"),
        (3, r"names=3: write a list"),
        ([], "names no class"),
        ({}, "names no class"),
        (["a", "b", "a"], "classes 0 and 2 are both called 'a'.*--rename"),
        ({0: "a", 5: "a"}, "classes 0 and 5 are both called 'a'"),
        ({"person": 0}, "the key 'person': write the class number"),
        ({-1: "a"}, "the key -1"),
        ({1.5: "a"}, r"the key 1\.5"),
        ({True: "a"}, "the key True"),
        ([True, "b"], "class 0 has the name True: write a word, in quotes"),
        (["a", None], "class 1 has the name None"),
        (["a", " "], "class 1 has the name ' '"),
        ([["a"]], "class 0 has the name"),
    ],
)
def test_names_that_are_none(tmp_path, names, why) -> None:
    with pytest.raises(ValueError, match=rf"data\.yaml'.*{why}"):
        names_of_yaml(tmp_path / "data.yaml", names)


def test_names_by_number(tmp_path) -> None:
    path = tmp_path / "data.yaml"
    assert names_of_yaml(path, ["a", 7]) == {0: "a", 1: "7"}
    assert names_of_yaml(path, {"1": "a", 3: "b"}) == {1: "a", 3: "b"}


def test_values_of_keypoints(tmp_path) -> None:
    path = tmp_path / "data.yaml"
    assert values_of_keypoints(path, None) == 0
    assert values_of_keypoints(path, [17, 3]) == 51
    for shape in (17, [], [17], [17, 0], [17, "3"], [True, 3], [1.5, 2], "17, 3"):
        with pytest.raises(ValueError, match=r"data\.yaml': kpt_shape=.*as in 'kpt_shape: \[17, 3"):
            values_of_keypoints(path, shape)


def test_names_of_a_text_file(tmp_path) -> None:
    assert names_of_text(tmp_path) == {}
    file = text(tmp_path / "classes.txt", "a\n\n b \n")
    assert names_of_text(tmp_path) == {0: "a", 2: "b"}
    for content, why in (("\n", "names no class"), ("a\nb\na\n", "0 and 2 are both called 'a'")):
        file.write_text(content)
        with pytest.raises(ValueError, match=rf"classes\.txt'.*{why}"):
            names_of_text(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("train: [a\nnames: b", r"data\.yaml', line 2 is not valid YAML \(.*\): correct it"),
        ("train: a\nnames: {0: a, 0: b}", r"line 2 is not valid YAML \('0' is given twice\)"),
        ("train: \x07", r"data\.yaml' is not valid YAML \(.*not allowed"),
        ("", r"data\.yaml' names no images: add 'train'"),
        ("# nothing", "names no images"),
        ("- train", "names no images"),
        ("names: [a]", "names no images"),
        ("train: a", r"data\.yaml' has no 'names'"),
    ],
)
def test_a_file_that_describes_no_set(tmp_path, content, why) -> None:
    text(tmp_path / "data.yaml", content)
    with pytest.raises(ValueError, match=why):
        read_data_yaml(tmp_path)


def test_other_yaml_files_may_lie_beside_it(tmp_path) -> None:
    text(tmp_path / "args.yaml", "mode: train\nval: true\n")
    text(tmp_path / "empty.yml", "")
    assert read_data_yaml(tmp_path) is None
    for content in ("train: a\nnames: [a]", "test: a\nnames: [a]", "valid: a\nnames: [a]"):
        path = text(tmp_path / "mine.yaml", content)
        assert (read_data_yaml(tmp_path) or ("",))[0] == path
