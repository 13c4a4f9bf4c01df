"""Does a training come out of its warm-up?"""

from collections.abc import Mapping
from typing import Any

from mmthermal.checking.agreement import LONG_WARM_UP
from mmthermal.checking.finding import Finding

SHARE = 1 / 3
"""Share of a training's iterations from which a warm-up counts as long."""
# mmengine's schedules that warm up, and the name of the factor that they begin with.
_FACTORS = {"ConstantLR": "factor", "LinearLR": "start_factor"}


def check_warm_up(cfg: Any, iterations: int) -> list[Finding]:
    """Compare the warm-up by iterations with the length of the training.

    Args:
        cfg: the whole config.
        iterations: of the training; 0 where that is not known.

    Returns:
        a warning if the warm-up covers more than a third of it.
    """
    listed = cfg.get("param_scheduler") or []
    single = isinstance(listed, Mapping)
    for number, schedule in enumerate([listed] if single else listed):
        end = schedule.get("end") if isinstance(schedule, Mapping) and _warms_up(schedule) else None
        if not isinstance(end, int) or not iterations or end <= SHARE * iterations:
            continue
        length = "max_iters" if "max_iters" in (cfg.get("train_cfg") or {}) else "max_epochs"
        place = "param_scheduler" if single else f"param_scheduler.{number}"
        return [
            Finding(
                "warning",
                LONG_WARM_UP,
                f"the training has {iterations} iterations, the warm-up {end}: few or none of "
                "them have the full learning rate",
                f"raise train_cfg.{length} or set {place}.end={max(2, iterations // 10)}",
                where=place,
            )
        ]
    return []


def _warms_up(schedule: Mapping[str, Any]) -> bool:
    """Whether a schedule of iterations begins with the training, and rises."""
    kind = str(schedule.get("type")).rpartition(".")[2]
    if kind not in _FACTORS or schedule.get("by_epoch", True) or schedule.get("begin", 0) != 0:
        return False
    return bool(schedule.get(_FACTORS[kind], 1 / 3) < schedule.get("end_factor", 1.0))
