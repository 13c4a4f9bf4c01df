"""Classes are read as the training reads them, from a list, a text file or a single name."""

from pathlib import Path

import pytest

from mmthermal.common.class_names import class_names


@pytest.mark.parametrize(
    "content",
    [
        "person\ntraffic light\n",
        "person\ntraffic light",
        "\ufeffperson\r\ntraffic light\r\n",
        "person \ntraffic light\n\n  \n",
    ],
)
def test_a_text_file_as_editors_write_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "classes.txt"
    path.write_bytes(content.encode())
    assert class_names(str(path)) == ("person", "traffic light")


def test_lists_and_a_single_name() -> None:
    assert class_names(["person", "car"]) == ("person", "car")
    assert class_names("person") == ("person",)
    assert class_names("") == ("",)
