"""Names of splits."""

import pytest

from mmthermal.common.split_words import SPLIT_WORDS, split_of


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("train", "train"),
        ("Valid", "val"),
        ("validation", "val"),
        ("TESTING", "test"),
        ("ir", None),
    ],
)
def test_the_split_that_a_name_means(word: str, split: str | None) -> None:
    assert split_of(word) == split


def test_each_word_means_one_split() -> None:
    for split, words in SPLIT_WORDS.items():
        assert {split_of(word) for word in words} == {split}
