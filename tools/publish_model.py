"""Write the weights and class names of a checkpoint into a smaller file, as mmdet's tool does."""

import argparse
import sys

from mmthermal.engine.publishing import SAVED_KEYS, publish


def main() -> None:
    """Publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("in_file", help="checkpoint of a training")
    parser.add_argument("out_file", help="new file; digits of its SHA-256 go into its name")
    parser.add_argument(
        "--save-keys", nargs="+", default=SAVED_KEYS, help="parts to keep (default: %(default)s)"
    )
    args = parser.parse_args()
    try:
        print(publish(args.in_file, args.out_file, keys=args.save_keys))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
