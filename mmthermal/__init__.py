"""mmthermal: overlapping objects in low-resolution thermal images, on top of MMDetection."""

from mmthermal.version import __version__

__all__ = ["__version__"]
