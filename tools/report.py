"""Write the HTML report of a comparison.json again, for instance with another image folder."""

import argparse
import sys
from pathlib import Path

from mmthermal.studies.report import load_comparison, write_report


def main() -> None:
    """Read a comparison and write its page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comparison", help="comparison.json that tools/compare.py wrote")
    parser.add_argument("--out", help="HTML file; report.html beside the comparison by default")
    parser.add_argument("--img-dir", help="folder of the images, if it has moved")
    args = parser.parse_args()
    out = args.out or Path(args.comparison).with_name("report.html")
    try:
        print(write_report(load_comparison(args.comparison), out, img_dir=args.img_dir))
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
