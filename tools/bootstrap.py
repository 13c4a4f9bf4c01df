"""Train, mine hard negatives, train on with them, in rounds; see docs/mining.md."""

import argparse
import sys
from pathlib import Path

from mmthermal.common.config import parse_options
from mmthermal.common.interrupts import says_how_to_go_on
from mmthermal.studies.bootstrap import STARTS, bootstrap, format_table


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("config", help="config file, with a head of mmthermal")
    parser.add_argument("--rounds", type=int, default=3, help="trainings in all (3)")
    parser.add_argument("--work-dir", help="folder of the rounds (work_dirs/bootstrap_CONFIG)")
    parser.add_argument("--start", choices=STARTS, default="previous", help="weights of a round")
    parser.add_argument("--plain", action="store_true", help="control: don't use the regions")
    parser.add_argument(
        "--draw-more",
        nargs="*",
        metavar="KEY=VALUE",
        help="draw images with many regions more often, with settings of MinedImageSampler",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the training (0)")
    parser.add_argument("--recall", type=float, default=0.8, help="of the false positives (0.8)")
    parser.add_argument(
        "--hook", nargs="+", default=[], metavar="KEY=VALUE", help="for HardNegativeMiningHook"
    )
    parser.add_argument(
        "--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="for the config"
    )
    parser.epilog = "What follows a lone -- goes to tools/mine_hard_negatives.py."
    words = sys.argv[1:] if argv is None else argv
    end = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:end])
    args.mining = words[end + 1 :]
    return args


def main(argv: list[str] | None = None) -> int:
    """Carry out the rounds and print the table."""
    args = parse_args(argv)
    work_dir = args.work_dir or Path("work_dirs") / f"bootstrap_{Path(args.config).stem}"
    try:
        rows = bootstrap(
            args.config,
            work_dir,
            tools_dir=Path(__file__).parent,
            rounds=args.rounds,
            start=args.start,
            plain=args.plain,
            draw_more=None if args.draw_more is None else parse_options(args.draw_more),
            seed=args.seed,
            recall=args.recall,
            hook=parse_options(args.hook),
            mining=args.mining,
            cfg_options=args.cfg_options,
        )
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(format_table(rows, args.recall))
    print(f"{work_dir}: rounds.txt, rounds.csv, rounds.json")
    return 0


if __name__ == "__main__":
    with says_how_to_go_on("the same command goes on where it stopped"):
        sys.exit(main())
