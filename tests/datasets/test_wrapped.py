"""Data sets within wrappers."""

from types import SimpleNamespace

from mmthermal.datasets.wrapped import innermost_sets, with_wrapped, wrapped


def test_wrappers_at_any_depth() -> None:
    first, second = SimpleNamespace(name="first"), SimpleNamespace(name="second")
    repeated = SimpleNamespace(dataset=second)
    joined = SimpleNamespace(datasets=[first, repeated])
    assert wrapped(joined) == [first, repeated]
    assert wrapped(repeated) == [second]
    assert wrapped(first) == wrapped(None) == []
    assert list(with_wrapped(joined)) == [joined, first, repeated, second]
    assert innermost_sets(joined) == [first, second]
    assert innermost_sets(first) == [first]
