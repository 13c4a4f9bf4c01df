"""Print what a training reached, and draw its curves into its folder."""

import argparse
import sys

from mmthermal.studies.summary import summarize_run


def main() -> None:
    """Print the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work_dir", help="folder that tools/train.py wrote")
    args = parser.parse_args()
    try:
        print(summarize_run(args.work_dir))
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
