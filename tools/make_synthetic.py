"""Make the embedded synthetic thermal data set; see docs/synthetic.md."""

import argparse
import json
import sys
import time

from mmthermal.synthetic.dataset import make_synthetic


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Arguments of the command line; defaults stand in `make_synthetic`."""
    parser = argparse.ArgumentParser(
        description=__doc__, argument_default=argparse.SUPPRESS, allow_abbrev=False
    )
    parser.add_argument("--out", dest="out_dir", default="data/synthetic", help="folder to make")
    parser.add_argument("--num-train", type=int, help="training images (1200)")
    parser.add_argument("--num-val", type=int, help="validation images (300)")
    parser.add_argument("--num-test", type=int, help="test images (300)")
    parser.add_argument("--seed", type=int, help="root of all random numbers (0)")
    parser.add_argument("--size", type=int, nargs=2, metavar=("W", "H"), help="pixels (160 120)")
    parser.add_argument("--classes", nargs="+", help="out of person bicycle car dog (all)")
    parser.add_argument("--objects", type=float, help="mean objects per image (3.6)")
    parser.add_argument("--overlap", type=float, help="share of overlapping objects (0.4)")
    parser.add_argument("--empty", type=float, help="share of images without objects (0.04)")
    parser.add_argument("--clutter", type=float, help="mean hard negatives per image (2.2)")
    parser.add_argument("--clutter-share", type=float, help="share of images with them (1)")
    parser.add_argument("--supersample", type=int, help="subpixels along a pixel's side (3)")
    parser.add_argument("--netd", type=float, help="temporal noise in kelvin (0.05)")
    parser.add_argument("--bad-pixels", type=float, help="share of stuck pixels (1e-5)")
    parser.add_argument("--cameras", type=int, help="fixed patterns of each split (8)")
    parser.add_argument("--box", choices=["visible", "full"], help="what bbox holds (visible)")
    parser.add_argument("--min-visible", type=float, help="less visible becomes crowd (0.25)")
    parser.add_argument("--min-side", type=float, help="smaller becomes crowd, pixels (3)")
    parser.add_argument("--workers", type=int, help="processes (1)")
    parser.add_argument("--preview", action="store_true", help="also write preview.png")
    parser.add_argument("--overwrite", action="store_true", help="replace other settings' data")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Make the data set and print its statistics."""
    args = vars(parse_args(argv))
    start = time.perf_counter()
    try:
        info = make_synthetic(**args)
    except (TypeError, ValueError, OSError) as error:
        print(f"make_synthetic: {error}", file=sys.stderr)
        return 2
    print(json.dumps(info["statistics"], indent=1))
    print(f"{args['out_dir']} is ready ({time.perf_counter() - start:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
