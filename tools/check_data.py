"""Check a data set before training: what would spoil it, worst first; see docs/check_data.md."""

import argparse
import sys

from mmengine.config import DictAction

import mmthermal  # noqa: F401 (registers what a config may name)
from mmthermal.checking.command import check_data
from mmthermal.checking.report import to_text, write_json_report, write_page


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="config, folder of a COCO data set, or its file")
    parser.add_argument("--ann", nargs="+", default=[], help="annotation files in the folder")
    parser.add_argument("--img-dir", help="folder of the images in the folder")
    parser.add_argument("--html", help="write a page with plots and pictures")
    parser.add_argument("--json", help="write everything that was measured")
    parser.add_argument("--no-images", action="store_true", help="don't open the pictures")
    parser.add_argument("--samples", type=int, default=24, help="pictures on a sheet (24)")
    parser.add_argument("--workers", type=int, default=2, help="threads that read pictures (2)")
    parser.add_argument("--cfg-options", nargs="+", action=DictAction, help="for the config")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Check, print, write; 1 if something would spoil a training."""
    args = parse_args(argv)
    try:
        report = check_data(
            args.source,
            ann_files=args.ann,
            img_dir=args.img_dir,
            cfg_options=args.cfg_options,
            images=not args.no_images,
            workers=args.workers,
            say=lambda line: print(line, file=sys.stderr, flush=True),
        )
        print(to_text(report))
        if args.json:
            print(write_json_report(report, args.json))
        if args.html:
            print(write_page(report, args.html, number=args.samples))
    except (ImportError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return report.exit_status


if __name__ == "__main__":
    sys.exit(main())
