"""The processes of a training."""

from mmengine.dist import get_world_size


def several_processes() -> bool:
    """Whether this process trains together with others."""
    return get_world_size() > 1
