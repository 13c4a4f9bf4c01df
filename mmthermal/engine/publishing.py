"""A checkpoint for others: weights and class names, without what only a training needs."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import torch

from mmthermal.common.files import write_bytes
from mmthermal.common.safe_loading import not_finite, read_checkpoint

SAVED_KEYS = ("meta", "state_dict")


def publish(checkpoint: str | Path, out: str | Path, *, keys: Sequence[str] = SAVED_KEYS) -> Path:
    """Write the parts of a checkpoint that a prediction needs.

    mmdet's ``publish_model.py`` fails on checkpoints of mmengine 0.10 under torch >= 2.6, whose
    safe loading refuses classes of mmengine; importing mmthermal lets these through.

    Args:
        checkpoint: as the training wrote it.
        out: the new file; the first eight digits of its SHA-256 go into its name.
        keys: the parts to keep.

    Returns:
        path of the new file, ``<out without .pth>-<digits>.pth``.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if it can't be read, lacks one of the parts, or has weights that are not finite.
    """
    content = read_checkpoint(checkpoint)
    missing = [key for key in keys if key not in content]
    if missing:
        raise ValueError(
            f"{checkpoint} has no {', '.join(missing)}: it has {', '.join(map(str, content))}"
        )
    if bad := not_finite(content.get("state_dict", {}).items()):
        raise ValueError(f"{checkpoint} has weights that are not finite: {', '.join(bad[:5])}")
    whole = io.BytesIO()
    torch.save({key: content[key] for key in keys}, whole)
    digits = hashlib.sha256(whole.getvalue()).hexdigest()[:8]
    return write_bytes(f"{str(out).removesuffix('.pth')}-{digits}.pth", whole.getvalue())
