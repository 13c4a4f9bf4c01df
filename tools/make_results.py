"""Make the tables and the plot of the results pages from benchmarks/results/runs.jsonl.

Example: python tools/make_results.py --add work_dirs/accuracy/results.jsonl --precision bfloat16
"""

import argparse
import sys
from pathlib import Path

from mmthermal.studies.result_pages import add_runs, make, stale

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Read the arguments, add runs, write what is stale."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", type=Path, default=ROOT / "benchmarks" / "results" / "tables.py")
    parser.add_argument("--add", nargs="+", type=Path, default=[], help="results of a queue")
    parser.add_argument("--precision", help="of added runs that do not tell: bfloat16 or float32")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if stale")
    args = parser.parse_args()
    try:
        if args.add and not args.check:
            print(f"{add_runs(args.spec, ROOT, args.add, precision=args.precision)} runs added")
        paths = stale(args.spec, ROOT) if args.check else make(args.spec, ROOT)
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    print("\n".join(paths) if paths else "tables and plots show what the runs say")
    if args.check and paths:
        sys.exit("stale: run python tools/make_results.py")


if __name__ == "__main__":
    main()
