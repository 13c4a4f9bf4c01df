"""Templates escape and are complete; data URIs hold the file."""

import base64

import pytest
from jinja2 import UndefinedError

from mmthermal.common.pages import data_uri, templates


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("mmthermal.checking", "check_data.html.j2"),
        ("mmthermal.mining", "contact_sheet.html.j2"),
        ("mmthermal.studies", "report.html.j2"),
    ],
)
def test_a_page_is_found_and_lacks_no_value(package: str, name: str) -> None:
    with pytest.raises(UndefinedError):
        templates(package).get_template(name).render()


def test_values_are_escaped() -> None:
    text = templates("mmthermal.mining").from_string("{{ name }}").render(name="<b>&")
    assert text == "&lt;b&gt;&amp;"


def test_a_picture_comes_out_as_it_went_in() -> None:
    head, _, body = data_uri(b"\x89PNG\x00\xff", "jpeg").partition(",")
    assert head == "data:image/jpeg;base64"
    assert base64.b64decode(body) == b"\x89PNG\x00\xff"
