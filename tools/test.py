"""Test a detector: mmdet's tools/test.py without its TTA; pictures of the detections are drawn."""

import argparse
import sys

import mmthermal  # noqa: F401 (first: mmdet finds mmcv's operators by it)

# isort: split
from mmdet.engine.hooks.utils import trigger_visualization_hook
from mmdet.evaluation import DumpDetResults

from mmthermal.common.checks import InputError
from mmthermal.common.child_processes import end_with_parent
from mmthermal.engine.launch import (
    add_common_arguments,
    build_loops,
    build_runner,
    load_config,
)


def parse_args() -> argparse.Namespace:
    """Parse mmdet's arguments."""
    parser = argparse.ArgumentParser(description="Test (and evaluate) a detector")
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--out", help="write the predictions to this .pkl file, too")
    parser.add_argument("--show", action="store_true", help="show the detections in a window")
    parser.add_argument(
        "--show-dir", help="folder of the drawn pictures, below WORK_DIR/<time stamp>"
    )
    parser.add_argument("--wait-time", type=float, default=2, help="seconds between shown pictures")
    add_common_arguments(parser)
    args = parser.parse_args()
    if args.out is not None and not args.out.endswith((".pkl", ".pickle")):
        parser.error(f"--out {args.out}: the file must end in .pkl or .pickle")
    return args


def main() -> None:
    """Test."""
    end_with_parent()
    args = parse_args()
    try:
        cfg = load_config(args)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    cfg.load_from = args.checkpoint
    if args.show or args.show_dir:
        cfg = trigger_visualization_hook(cfg, args)
    try:
        runner = build_runner(cfg)
        build_loops(runner, "test")
        if args.out is not None:
            runner.test_evaluator.metrics.append(DumpDetResults(out_file_path=args.out))
        runner.test()
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
