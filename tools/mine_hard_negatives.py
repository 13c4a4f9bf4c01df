"""Find what a trained detector takes for objects in its training images; see docs/mining.md."""

import argparse
import sys
from pathlib import Path

from mmthermal.common.child_processes import end_with_parent
from mmthermal.common.interrupts import says_how_to_go_on
from mmthermal.engine.launch import add_common_arguments, load_config
from mmthermal.mining.command import mine_command
from mmthermal.mining.finding import COUNTS, MiningSettings


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments; defaults of the settings stand in ``MiningSettings``."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("config", help="config file of the detector")
    parser.add_argument("checkpoint", help="its weights")
    parser.add_argument("--out", help="file to write; hard_negatives.json in the work directory")
    parser.add_argument("--previous", help="file of the round before, to carry on")
    parser.add_argument("--exclude", help="list of objects without a label, from the contact sheet")
    parser.add_argument("--round", type=int, help="number of the round (one more than --previous)")
    parser.add_argument("--batch-size", type=int, help="images per batch (the test loader's)")
    parser.add_argument("--workers", type=int, default=2, help="processes that load images (2)")
    parser.add_argument("--sheet", type=int, default=60, help="regions on the contact sheet (60)")
    parser.add_argument("--decay", type=float, default=0.5, help="of regions not found again (0.5)")
    parser.add_argument("--floor", type=float, default=0.2, help="regions below it go (0.2)")
    add = parser.add_argument_group("what is found").add_argument
    add("--ratio", type=float, help="r: regions kept per object or image (1)")
    add("--count", choices=COUNTS, help="what r multiplies (objects)")
    add("--iou-thr", type=float, help="false: IoU with every object below this (0.1)")
    add("--score-thr", type=float, help="false: score at least this (0.1)")
    add("--nms-iou", type=float, help="duplicates: IoU above this (0.5)")
    add("--crowd-thr", type=float, help="no false region: this share inside a crowd region (0.5)")
    add("--alpha", type=float, help="of the focal loss that ranks (0.25)")
    add("--gamma", type=float, help="of the focal loss that ranks (2)")
    add_common_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Mine and write the file."""
    end_with_parent()
    args = parse_args(argv)
    names = MiningSettings.__dataclass_fields__
    chosen = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    try:
        cfg = load_config(args)
        out = args.out or Path(cfg.work_dir) / "hard_negatives.json"
        content = mine_command(
            cfg,
            args.checkpoint,
            out,
            settings=MiningSettings(**chosen),
            previous=args.previous,
            exclude=args.exclude,
            round_number=args.round,
            decay=args.decay,
            floor=args.floor,
            batch_size=args.batch_size,
            num_workers=args.workers,
            sheet=args.sheet,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    info = content.info
    print(
        f"{out}: round {info['round']}, {info['num_found']} hard negatives of "
        f"{info['num_false_regions']} false regions"
    )
    return 0


if __name__ == "__main__":
    with says_how_to_go_on("the same command goes on where it stopped"):
        sys.exit(main())
