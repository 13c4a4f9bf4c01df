"""Convert a set's labels to COCO files, from the folder as it was shipped; see docs/convert.md."""

import argparse
import sys

from mmthermal.convert.command import FORMATS, convert, to_text
from mmthermal.convert.outputs import named_once
from mmthermal.convert.to_coco import Classes


def pair(word: str) -> tuple[str, str]:
    """``KEY=VALUE`` as two words."""
    key, sign, value = word.partition("=")
    if not (key and sign and value):
        raise argparse.ArgumentTypeError(f"{word!r}: write OLD=NEW")
    return key, value


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("format", choices=tuple(FORMATS), help="of the set")
    parser.add_argument("source", help="its folder")
    parser.add_argument("out", help="folder for train.json and so on")
    parser.add_argument("--classes", nargs="+", default=[], help="to keep, in this order")
    parser.add_argument("--rename", nargs="+", default=[], type=pair, metavar="OLD=NEW")
    parser.add_argument("--ignore", nargs="+", default=[], help="classes that become crowd regions")
    parser.add_argument(
        "--lists", nargs="+", default=[], type=pair, metavar="SPLIT=FILE", help="images of a split"
    )
    parser.add_argument("--bits", type=int, choices=(8, 16), help="for FLIR ADAS (8)")
    parser.add_argument("--copy", action="store_true", help="copy the images to OUT/images")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Convert and print what was written and left out."""
    args = parse_args(argv)
    try:
        rename = named_once("--rename", args.rename)
        classes = Classes(tuple(args.classes), rename, tuple(args.ignore))
        converted = convert(
            args.format,
            args.source,
            args.out,
            classes=classes,
            lists=named_once("--lists", args.lists),
            bits=args.bits,
            copy=args.copy,
            overwrite=args.overwrite,
        )
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(to_text(converted, args.source, args.out, args.copy))
    return 0


if __name__ == "__main__":
    sys.exit(main())
