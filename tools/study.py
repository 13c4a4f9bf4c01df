"""Train the variants of a study, compare them, print its tables; see docs/recipes.md."""

import argparse
import sys
from pathlib import Path

from mmthermal.common.config import parse_options
from mmthermal.common.interrupts import says_how_to_go_on
from mmthermal.studies.run_record import read_results, where
from mmthermal.studies.study_command import compare_study, train_study
from mmthermal.studies.study_tables import errors_table, metrics_table
from mmthermal.studies.variants import read_study


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments of the command and its sub-commands."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    about = {
        "list": "print the variants, their configs and groups",
        "train": "train variants, one JSON line per finished run; again to go on",
        "compare": "train variants and compare each with the baseline: a table and a report",
    }
    seeds = {"train": [0], "compare": [0, 1, 2]}
    for name, text in about.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("study", help="such as configs/studies/hituav160.py")
        command.add_argument("--only", nargs="+", default=[], help="names of variants or groups")
        if name == "list":
            continue
        command.add_argument("--seeds", nargs="+", type=int, default=seeds[name])
        command.add_argument("--jobs", type=int, default=1, help="runs at a time on the CPU")
        command.add_argument("--gpus", default="", help="such as 0,1: one run at a time on each")
        command.add_argument(
            "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="for every run"
        )
        command.add_argument("--work-dir", help="configs and runs; work_dirs/STUDY if not given")
        if name == "train":
            command.add_argument("--results", help="WORK_DIR/results.jsonl if not given")
    table = commands.add_parser("table", help="print mean, deviation and paired differences")
    table.add_argument("results", nargs="+", type=Path, help="files that train wrote")
    table.add_argument("--only", nargs="+", metavar="NAME", help="these variants, in this order")
    table.add_argument("--where", nargs="+", default=[], metavar="FIELD=VALUE", help="of a line")
    table.add_argument("--baseline", help="the first variant if not given")
    table.add_argument("--level", type=float, default=0.95, help="of the intervals")
    errors = commands.add_parser("errors", help="print what becomes of the objects")
    errors.add_argument("folders", nargs="+", type=Path, help="of variants, in train's WORK_DIR")
    errors.add_argument("--subset", default="overlapped", help="as in docs/evaluation.md")
    return parser.parse_args(argv)


def carry_out(args: argparse.Namespace) -> None:
    """Do what the sub-command says."""
    if args.command == "errors":
        print(errors_table(args.folders, subset=args.subset))
        return
    if args.command == "table":
        lines = [line for path in args.results for line in read_results(path, required=True)]
        lines = where(lines, parse_options(args.where))
        print(metrics_table(lines, only=args.only, baseline=args.baseline, level=args.level))
        return
    study = read_study(args.study)
    if args.command == "list":
        print(study.select(args.only).as_text())
        return
    settings = dict(
        seeds=args.seeds,
        work_dir=args.work_dir or Path("work_dirs") / study.name,
        tools_dir=Path(__file__).resolve().parent,
        cfg_options=args.cfg_options,
        jobs=args.jobs,
        gpus=[gpu for gpu in args.gpus.split(",") if gpu],
    )
    if args.command == "train":
        train_study(study.select(args.only), results=args.results, **settings)
    else:
        only = [study.baseline, *args.only] if args.only else []
        compare_study(study.select(only), **settings)


def main() -> None:
    """Read the arguments and work."""
    try:
        carry_out(parse_args())
    except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    with says_how_to_go_on("the same command goes on where it stopped"):
        main()
