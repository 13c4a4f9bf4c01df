"""Train or take runs of several configs, compare them with paired statistics, write a report."""

import argparse
import sys
from pathlib import Path

from mmthermal.common.interrupts import says_how_to_go_on
from mmthermal.studies.command import compare_command
from mmthermal.studies.differences import METRIC_NAMES


def parse_args() -> argparse.Namespace:
    """Parse the arguments; either configs to train or finished runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--configs", nargs="+", help="configs to train, the baseline first")
    what.add_argument(
        "--runs",
        nargs="+",
        action="append",
        help="run folders of one config, or one folder of seed<k> folders; once per config, the "
        "baseline first",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--names", nargs="+", help="one name per config for the report")
    parser.add_argument("--work-dir", default="work_dirs/compare", help="runs and report")
    parser.add_argument("--cfg-options", nargs="+", default=[], help="key=value for every run")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time on the CPU")
    parser.add_argument("--gpus", default="", help="such as 0,1: one run at a time on each")
    parser.add_argument("--primary", default=METRIC_NAMES[0], choices=METRIC_NAMES)
    parser.add_argument("--resamples", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--level", type=float, default=0.95, help="confidence of the claims")
    parser.add_argument(
        "--group-by",
        help="field of the image records (flight, video); images that share it are resampled "
        "together",
    )
    parser.add_argument("--gallery-size", type=int, default=48, help="images in the report")
    return parser.parse_args()


def main() -> None:
    """Compare, print the table, write comparison.json, comparison.csv and report.html."""
    args = parse_args()
    try:
        compare_command(
            configs=args.configs,
            runs=args.runs,
            seeds=args.seeds,
            names=args.names,
            work_dir=args.work_dir,
            tools_dir=Path(__file__).resolve().parent,
            cfg_options=args.cfg_options,
            jobs=args.jobs,
            gpus=[gpu for gpu in args.gpus.split(",") if gpu],
            primary=args.primary,
            resamples=args.resamples,
            level=args.level,
            group_key=args.group_by,
            gallery_size=args.gallery_size,
        )
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    with says_how_to_go_on("the same command goes on where it stopped"):
        main()
