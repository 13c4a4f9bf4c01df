"""Words that mean a split, as folders and keys of data sets are called."""

SPLIT_WORDS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
"""Names of folders and keys that mean a split, in small letters."""


def split_of(word: str) -> str | None:
    """The split that a folder or key of this name means; None for any other."""
    return next((split for split, words in SPLIT_WORDS.items() if word.lower() in words), None)
