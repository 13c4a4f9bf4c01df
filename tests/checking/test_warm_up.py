"""A warm-up that is as long as the training is said."""

import pytest
from mmengine.config import Config

from mmthermal.checking.warm_up import check_warm_up

LINEAR = dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=100)
COSINE = dict(type="CosineAnnealingLR", by_epoch=True, convert_to_iter_based=True)


def check(schedulers, iterations: int, **train_cfg):
    return check_warm_up(Config(dict(param_scheduler=schedulers, train_cfg=train_cfg)), iterations)


def test_a_training_that_ends_within_its_warm_up() -> None:
    (finding,) = check([LINEAR, COSINE], 12)
    assert (finding.severity, finding.code) == ("warning", "long-warm-up")
    assert "the training has 12 iterations, the warm-up 100" in finding.message
    assert finding.remedy == "raise train_cfg.max_epochs or set param_scheduler.0.end=2"


def test_a_third_of_the_training_is_the_limit() -> None:
    assert check([COSINE, LINEAR], 300) == []
    (finding,) = check([COSINE, LINEAR], 299, max_iters=299)
    assert finding.remedy == "raise train_cfg.max_iters or set param_scheduler.1.end=29"
    (single,) = check(LINEAR, 200)
    assert "set param_scheduler.end=20" in single.remedy


@pytest.mark.parametrize(
    "changes",
    [
        dict(by_epoch=True),
        dict(begin=50),
        dict(start_factor=1.0, end_factor=0.1),
        dict(type="CosineAnnealingLR"),
        dict(type="ConstantLR", factor=1.0),
        dict(end=None),
    ],
)
def test_what_is_no_warm_up(changes) -> None:
    assert check([{**LINEAR, **changes}], 12) == []


def test_nothing_without_a_schedule_or_a_length() -> None:
    assert check_warm_up(Config(dict()), 12) == []
    assert check([LINEAR], 0) == []
    assert len(check([{**LINEAR, "type": "mmengine.ConstantLR", "factor": 0.1}], 12)) == 1
