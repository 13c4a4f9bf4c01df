"""Where the config files of the first layout are now. To be removed after one release."""

import re
from pathlib import Path

from mmengine.config import Config

# Old stem below configs/thermal, for the embedded set, and with hituav160_ before it for HIT-UAV:
# folder and stem of the new name.
_BOTH_SETS = {
    "retina_focal": "retinanet/retina_focal",
    "retina_composite": "retinanet/retina_composite",
    "retina_composite_mined": "retinanet/retina_composite_mined",
    "retina_ghm": "retinanet/retina_ghm",
    "retina_ohem": "retinanet/retina_ohem",
    "retina_qfl": "gfl/gfl_qfl",
    "retina_varifocal": "vfnet/vfnet_varifocal",
    "atss_focal": "atss/atss_focal",
    "atss_composite": "atss/atss_composite",
    "fcos_focal": "fcos/fcos_focal",
    "fcos_composite": "fcos/fcos_composite",
    "faster_rcnn_ce": "faster_rcnn/faster_rcnn_ce",
    "faster_rcnn_ohem": "faster_rcnn/faster_rcnn_ohem",
    "faster_rcnn_composite": "faster_rcnn/faster_rcnn_composite",
    "faster_rcnn_composite_rpn": "faster_rcnn/faster_rcnn_composite_rpn",
    "faster_rcnn_composite_paper": "faster_rcnn/faster_rcnn_composite_paper",
    "cascade_rcnn_ce": "cascade_rcnn/cascade_rcnn_ce",
    "cascade_rcnn_composite": "cascade_rcnn/cascade_rcnn_composite",
}
_OTHERS = {
    "thermal/retina_r50_composite_coco": "retinanet/retina_r50_composite_coco",
    "thermal/retina_r50_focal_hituav160": "retinanet/retina_r50_focal_hituav160",
    "thermal/retina_r50_composite_hituav160": "retinanet/retina_r50_composite_hituav160",
    "thermal/atss_r50_composite_coco": "atss/atss_r50_composite_coco",
    "thermal/fcos_r50_composite_coco": "fcos/fcos_r50_composite_coco",
    "thermal/faster_rcnn_r50_composite_coco": "faster_rcnn/faster_rcnn_r50_composite_coco",
    "thermal/cascade_rcnn_r50_composite_coco": "cascade_rcnn/cascade_rcnn_r50_composite_coco",
    "mining/retina_hituav160": "retinanet/retina_composite_3e_hituav160",
    "mining/retina_clutter": "retinanet/retina_composite_1e_clutter",
}
RENAMED = {
    **{f"thermal/{old}": f"{new}_synthetic" for old, new in _BOTH_SETS.items()},
    **{f"thermal/hituav160_{old}": f"{new}_hituav160" for old, new in _BOTH_SETS.items()},
    **_OTHERS,
}
del RENAMED["thermal/retina_composite"]  # stays where it was


def new_place(text: str) -> str | None:
    """Find the name of a renamed config in a path or an error message.

    Args:
        text: such as ``configs/thermal/retina_focal.py``.

    Returns:
        the file's path today, from the root of the project; None if no renamed file is named.
    """
    for old in re.findall(r"(\w+[/\\]\w+)\.py\b", text):
        new = RENAMED.get(old.replace("\\", "/"))
        if new is not None:
            return f"configs/{new}.py"
    return None


def config_from_file(path: str | Path) -> Config:
    """Read a config; where it, or a base of it, was renamed, the error names the new file.

    Args:
        path: the config file.

    Returns:
        the config.

    Raises:
        FileNotFoundError: if the file or one of its bases does not exist.
    """
    try:
        return Config.fromfile(str(path))
    except FileNotFoundError as error:
        new = new_place(str(error))
        if new is None:
            raise
        raise FileNotFoundError(f"{error}: it is now {new}, see docs/recipes.md") from None
