"""The data of trainings that take seconds."""

from pathlib import Path

import pytest
from helpers_data import write_coco


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight training images and two for validation."""
    return write_coco(tmp_path_factory.mktemp("trust") / "data", splits={"train": 8, "val": 2})
