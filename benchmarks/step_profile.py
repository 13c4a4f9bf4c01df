"""Where the time of a training goes: a step and a validation of a config, part by part.

Per part: the smallest of several rounds, in milliseconds of the processor (of all threads) and of
the clock; indented parts belong to the one above them. Pictures are loaded in the main process
here; a training does it in its workers. The columns are the config as it is and, with --compare,
with other settings.

Example: python benchmarks/step_profile.py configs/thermal/retina_composite.py
    --compare default_hooks.channels_last.enabled=False
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmthermal.common.config import OptionAction

Times = dict[str, list[tuple[float, float]]]


class Clock:
    """Times of parts by name, in the order in which they were first met."""

    def __init__(self) -> None:
        self.times: Times = defaultdict(list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        self.times.setdefault(name, [])  # before the parts inside it
        start = time.process_time(), time.perf_counter()
        yield
        end = time.process_time(), time.perf_counter()
        self.times[name].append((end[0] - start[0], end[1] - start[1]))

    def watch(self, owner: Any, method: str, name: str) -> None:
        """Time every call of a method."""
        inner: Callable = getattr(owner, method)

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return inner(*args, **kwargs)

        setattr(owner, method, timed)


def build(config: str, options: dict[str, Any], work_dir: str, images: int) -> Runner:
    """A runner whose data come from the main process."""
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(options)
    cfg.work_dir, cfg.log_level = work_dir, "ERROR"
    cfg.experiment_name = f"profile{time.time()}"
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        loader.update(num_workers=0, persistent_workers=False)
    cfg.val_dataloader.dataset.indices = images  # the metric still reads the whole file
    cfg.train_dataloader.sampler = dict(type="InfiniteSampler", shuffle=True)
    runner = Runner.from_cfg(cfg)
    runner.train_loop  # noqa: B018 (built when it is read)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner._init_model_weights()
    runner.call_hook("before_run")
    runner.call_hook("before_train")
    return runner


def profile(runner: Runner, rounds: int) -> Times:
    """Times of the parts of training steps, of predictions and of a checkpoint."""
    clock, model, wrapper = Clock(), runner.model, runner.optim_wrapper
    head = model.bbox_head if hasattr(model, "bbox_head") else model.rpn_head
    for part in ("backbone", "neck"):
        clock.watch(getattr(model, part), "forward", f"  {part}")
    clock.watch(head, "forward", "  dense head")
    clock.watch(head, "loss_by_feat", "  loss of the dense head")
    clock.watch(head, "get_targets", "    targets")
    batches = iter(runner.train_dataloader)
    model.train()
    for _ in range(rounds + 2):
        with clock.part("training: load and augment the images"):
            batch = next(batches)
        with clock.part("stack them"):
            data = model.data_preprocessor(batch, True)
        with clock.part("forward"), wrapper.optim_context(model):
            loss, _ = model.parse_losses(model(**data, mode="loss"))
        with clock.part("backward"):
            wrapper.backward(loss)
        with clock.part("optimizer"):
            wrapper.step()
            wrapper.zero_grad()
    with clock.part("checkpoint"):
        runner.save_checkpoint(runner.work_dir, "profile.pth", save_param_scheduler=False)
    found = {name: times[-rounds:] for name, times in clock.times.items()}
    clock.times.clear()
    clock.watch(head, "predict_by_feat", "  boxes and nms")
    model.eval()
    for batch in runner.val_dataloader:
        with clock.part("validation: a batch"), torch.no_grad():
            model.val_step(batch)
    name_of = "{}, validation".format
    return found | {
        name_of(name) if name in found else name: times for name, times in clock.times.items()
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("config", nargs="?", default="configs/thermal/retina_composite.py")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compare", nargs="+", action=OptionAction, metavar="KEY=VALUE")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    columns = []
    with TemporaryDirectory() as folder:
        for options in [{}] + ([args.compare] if args.compare else []):
            runner = build(args.config, options, folder, images=16 * args.rounds)
            columns.append(profile(runner, args.rounds))
    print(f"{'':42}" + "   processor      clock" * len(columns))
    for name in columns[0]:
        cells = [min(values) for times in columns for values in zip(*times[name], strict=True)]
        print(f"{name:42}" + "".join(f"{cell * 1e3:9.1f} ms" for cell in cells))


if __name__ == "__main__":
    main()
