"""Train a detector: mmdet's tools/train.py, with --amp on the CPU, too."""

import argparse
import sys

from mmthermal.common.checks import InputError
from mmthermal.common.child_processes import end_with_parent
from mmthermal.common.interrupts import says_how_to_go_on
from mmthermal.common.run_state import RunBusyError
from mmthermal.engine.launch import (
    add_common_arguments,
    load_config,
    scale_lr,
    train,
    use_amp,
)


def parse_args() -> argparse.Namespace:
    """Parse mmdet's arguments."""
    parser = argparse.ArgumentParser(description="Train a detector")
    parser.add_argument("config", help="config file")
    parser.add_argument("--amp", action="store_true", help="mixed precision, on a GPU or a CPU")
    parser.add_argument(
        "--auto-scale-lr", action="store_true", help="scale the learning rate with the batch size"
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        help="go on from this checkpoint, or from the latest of the work directory",
    )
    add_common_arguments(parser)
    return parser.parse_args()


def main() -> None:
    """Train."""
    end_with_parent()
    args = parse_args()
    try:
        cfg = load_config(args)
        if args.amp:
            use_amp(cfg)
        if args.auto_scale_lr:
            scale_lr(cfg)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    if args.resume == "auto":
        cfg.resume = "auto"
    elif args.resume is not None:
        cfg.resume, cfg.load_from = True, args.resume
    try:
        train(cfg)
    except (FloatingPointError, InputError, OSError, RunBusyError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    with says_how_to_go_on("with --resume the same command goes on from its last checkpoint"):
        main()
