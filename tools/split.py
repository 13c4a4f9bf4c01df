"""Split COCO files so that no scene is in two parts; see docs/split.md."""

import argparse
import sys

from mmthermal.convert.outputs import named_once
from mmthermal.convert.split import BY_NAME, split_set, to_text


def share(word: str) -> tuple[str, float]:
    """``NAME=SHARE`` as a name and a number."""
    name, _, value = word.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r}: write NAME=SHARE, as in val=1") from None


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ann_file", nargs="+", help="COCO files of the whole set, joined first")
    parser.add_argument("out", help="folder for train.json and so on")
    parser.add_argument(
        "--by",
        default="",
        help="field of the image records, or name, block-of-frames, near-copies (a field that "
        "names sequences, else name)",
    )
    parser.add_argument(
        "--prefixes",
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="for each file the folder of its images, put before their names",
    )
    parser.add_argument("--img-dir", help="folder of the images, for near-copies")
    parser.add_argument(
        "--parts",
        nargs="+",
        type=share,
        metavar="NAME=SHARE",
        help="(train=8 val=1 test=1)",
    )
    parser.add_argument("--block", type=int, default=50, help="frames of a block (50)")
    parser.add_argument("--seed", type=int, default=0, help="(0)")
    parser.add_argument("--workers", type=int, default=2, help="threads that read pictures (2)")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Split, and print how evenly."""
    args = parse_args(argv)
    try:
        parts = split_set(
            args.ann_file,
            args.out,
            prefixes=args.prefixes,
            img_dir=args.img_dir,
            by=args.by,
            parts=named_once("--parts", args.parts) if args.parts else None,
            block=args.block,
            seed=args.seed,
            workers=args.workers,
            overwrite=args.overwrite,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(to_text(parts))
    images = sum(part.figures["images"] for part in parts)
    alone = sum(part.units for part in parts) > 0.9 * images
    if alone and args.by in ("", BY_NAME):
        print(
            "warning: nothing was kept together: by their names nearly all images are of different "
            "scenes. If they are frames of videos, give --by near-copies (with --img-dir) or, for "
            "one video, --by block-of-frames"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
