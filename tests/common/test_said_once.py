"""A doubt is said once for its kind."""

import pytest

from mmthermal.common import said_once


def test_once_for_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(said_once, "_said", set())
    monkeypatch.setattr(said_once, "print_log", lambda text, **kwargs: said.append(text))
    for name in ("a.tiff", "b.tiff"):
        said_once.warn_once("pages", f"{name} has 3 pages")
    said_once.warn_once("size", "b.tiff is small")
    assert said == [
        "a.tiff has 3 pages (said once) [pages]",
        "b.tiff is small (said once) [size]",
    ]
