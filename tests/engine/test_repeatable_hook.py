"""A resumed training equals one without a stop, bit by bit."""

from pathlib import Path
from typing import Any

import pytest
from helpers_trust import differing, tiny, train, tree
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmthermal.common.safe_loading import load_file
from mmthermal.engine.launch import choose_checkpoint


class StopBefore(Hook):
    """Ends a training as a kill would, before an iteration."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        if runner.iter == self.iteration:
            raise KeyboardInterrupt


def stopped(root: Path, work: Path, iteration: int, **options: Any) -> None:
    cfg = tiny(root, work, **options)
    choose_checkpoint(cfg)
    runner = Runner.from_cfg(cfg)
    runner.register_hook(StopBefore(iteration))
    with pytest.raises(KeyboardInterrupt):
        runner.train()


def final(work: Path, name: str) -> dict[str, Any]:
    content = load_file(work / name)
    kept = ("state_dict", "ema_state_dict", "optimizer", "param_schedulers")
    return {key: content[key] for key in kept if key in content}


HALF = dict(default_hooks__checkpoint__by_epoch=False, default_hooks__checkpoint__interval=1)
NAMES = ("retinanet/retina_composite_synthetic.py", "faster_rcnn/faster_rcnn_ce_synthetic.py")


@pytest.mark.parametrize(
    ("by_epoch", "iteration", "workers"),
    [
        (False, 4, 2),
        *(
            pytest.param(by_epoch, iteration, workers, marks=pytest.mark.slow)
            for by_epoch in (True, False)
            for iteration in (3, 4, 5, 6)
            for workers in (0, 2)
        ),
    ],
)
def test_resumed_equals_uninterrupted(
    root: Path, tmp_path: Path, workers: int, iteration: int, by_epoch: bool
) -> None:
    options = dict(epochs=3, workers=workers, **({} if by_epoch else HALF))
    options["train_dataloader__batch_size"] = 3  # 3, 3 and 2 images an epoch
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(root, whole, **options)
    stopped(root, parts, iteration, **options)
    runner = train(root, parts, resume=True, **options)
    assert (runner.epoch, runner.iter) == (3, 9)
    name = "epoch_3.pth" if by_epoch else "iter_9.pth"
    assert differing(final(whole, name), final(parts, name)) == []


@pytest.mark.parametrize("figures", [None, [0.1, 0.3, 0.2]])
def test_averaged_weights_are_resumed_too(
    root: Path, tmp_path: Path, figures: list[float] | None
) -> None:
    """The recipe of 24 epochs; a validation swaps the weights for their averages and back."""
    name = "retinanet/retina_composite_24e_hituav160.py"
    options: dict[str, Any] = dict(name=name, epochs=3)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(root, whole, figures=figures, **options)
    stopped(root, parts, 5, figures=figures, **options)
    train(root, parts, resume=True, figures=figures and figures[2:], **options)
    content = final(whole, "epoch_3.pth")
    assert differing(content, final(parts, "epoch_3.pth")) == []
    trained, averaged = content["ema_state_dict"], content["state_dict"]
    weight = "bbox_head.retina_cls.weight"  # averages are what is tested
    assert differing(trained[f"module.{weight}"], averaged[weight])


@pytest.mark.slow
def test_without_the_hook_it_differs(root: Path, tmp_path: Path) -> None:
    """So that the tests above can fail: flips and contrast are random."""
    found = []
    for folder in ("whole", "parts"):
        work = tmp_path / folder
        options: dict[str, Any] = dict(
            epochs=3, default_hooks__repeatable=dict(type="EmptyCacheHook", _delete_=True)
        )
        if folder == "parts":
            stopped(root, work, 3, **options)
            options["resume"] = True
        train(root, work, **options)
        found.append(final(work, "epoch_3.pth"))
    assert differing(*found)


@pytest.mark.slow
def test_processes_that_load_change_nothing(root: Path, tmp_path: Path) -> None:
    for workers in (0, 1, 2):
        train(root, tmp_path / str(workers), epochs=1, workers=workers)
    found = [final(tmp_path / str(workers), "epoch_1.pth") for workers in (0, 1, 2)]
    assert differing(found[0], found[1]) == differing(found[0], found[2]) == []


def test_a_validation_between_changes_nothing(root: Path, tmp_path: Path) -> None:
    train(root, tmp_path / "a", epochs=2)
    train(root, tmp_path / "b", epochs=2, figures=[0.2, 0.1])
    a, b = (final(tmp_path / name, "epoch_2.pth") for name in "ab")
    assert differing(a, b) == []


@pytest.mark.slow
def test_epochs_and_seeds_draw_differently(root: Path, tmp_path: Path) -> None:
    train(root, tmp_path / "a", epochs=1)
    train(root, tmp_path / "b", epochs=1, randomness__seed=1)
    a, b = (final(tmp_path / name, "epoch_1.pth") for name in "ab")
    assert differing(a, b)


@pytest.mark.slow
def test_without_a_seed_the_checkpoint_brings_it(root: Path, tmp_path: Path) -> None:
    """The data loader is built before, with a seed of its own."""
    options: dict[str, Any] = dict(epochs=3, randomness=dict(seed=None, _delete_=True))
    work = tmp_path / "work"
    stopped(root, work, 5, **options)
    seed = load_file(work / "epoch_2.pth")["meta"]["seed"]
    train(root, work, resume=True, **options)
    train(root, tmp_path / "whole", epochs=3, randomness__seed=seed)
    ours, whole = (final(path, "epoch_3.pth") for path in (work, tmp_path / "whole"))
    assert differing(ours["state_dict"], whole["state_dict"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_random_samplers_of_a_second_stage_are_resumed_too(
    root: Path, tmp_path: Path, workers: int
) -> None:
    from test_config_training import small

    found = []
    for parts in (False, True):
        work = tmp_path / str(parts)
        for resume in (False, True) if parts else (False,):
            cfg = small(NAMES[1], root, work, epochs=2, resume=resume)
            cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
            cfg.default_hooks.checkpoint.save_best = None
            cfg.train_dataloader.num_workers = workers
            cfg.optim_wrapper.enabled = False
            choose_checkpoint(cfg)
            runner = Runner.from_cfg(cfg)
            if parts and not resume:
                runner.register_hook(
                    StopBefore(len(runner.build_dataloader(cfg.train_dataloader)) + 1)
                )
                with pytest.raises(KeyboardInterrupt):
                    runner.train()
            else:
                runner.train()
        found.append(final(work, "epoch_2.pth"))
    assert differing(*found) == []


@pytest.mark.slow
def test_checkpoints_amid_an_epoch_keep_their_number(root: Path, tmp_path: Path) -> None:
    options = dict(epochs=2, default_hooks__checkpoint__max_keep_ckpts=2, **HALF)
    stopped(root, tmp_path, 3, **options)
    assert tree(tmp_path, "*.pth") == ["iter_2.pth", "iter_3.pth"]
    train(root, tmp_path, resume=True, **options)
    assert tree(tmp_path, "*.pth") == ["iter_3.pth", "iter_4.pth"]


@pytest.mark.parametrize(
    ("stop", "lengths", "iterations"),
    [
        (3, [2], 5),  # one epoch of 3 batches is done: the second has all of its 2
        (5, [2], 6),  # 2 of 3 batches of the second: it has 1 of 2 left
        (5, [2, 2], 8),  # and again, at its end: nothing is left out of the third
    ],
)
def test_another_number_of_batches(
    root: Path, tmp_path: Path, stop: int, lengths: list[int], iterations: int
) -> None:
    batch_sizes = {2: 4, 4: 2}  # of 8 images
    options = dict(epochs=2, train_dataloader__batch_size=3, **HALF)
    if stop == 3:
        options = dict(epochs=2, train_dataloader__batch_size=3)
    stopped(root, tmp_path, stop if stop != 3 else 4, **options)
    for epochs, length in enumerate(lengths, 2):
        options.update(epochs=epochs, train_dataloader__batch_size=batch_sizes[length])
        runner = train(root, tmp_path, resume=True, **options)
    assert runner.iter == iterations
