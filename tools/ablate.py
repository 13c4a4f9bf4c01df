"""Train the variants of an ablation file and compare each with its first."""

import argparse
import sys
from pathlib import Path

from mmthermal.studies.variants import ablate


def parse_args() -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ablation", help="such as configs/ablations/retina.py")
    parser.add_argument("--work-dir", default="work_dirs/ablation", help="runs and report")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=[], help="variants to train beside the first")
    parser.add_argument("--cfg-options", nargs="+", default=[], help="key=value for every run")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time on the CPU")
    parser.add_argument("--gpus", default="", help="such as 0,1: one run at a time on each")
    return parser.parse_args()


def main() -> None:
    """Train, compare, print the table and write the report."""
    args = parse_args()
    try:
        ablate(
            args.ablation,
            work_dir=args.work_dir,
            tools_dir=Path(__file__).resolve().parent,
            seeds=args.seeds,
            only=args.only,
            cfg_options=args.cfg_options,
            jobs=args.jobs,
            gpus=[gpu for gpu in args.gpus.split(",") if gpu],
        )
    except (ValueError, TypeError, FileNotFoundError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
