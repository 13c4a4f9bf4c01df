"""Detect objects in images, folders and videos; write pictures with boxes and COCO JSON."""

import argparse
import sys

from mmthermal.common.config import OptionAction
from mmthermal.predict.command import predict_command


def parse_args() -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("inputs", nargs="+", help="images, folders and videos")
    parser.add_argument("config", help="config file of the model")
    parser.add_argument("checkpoint", help="its weights")
    parser.add_argument("--out", required=True, help="folder of the results")
    parser.add_argument("--score-thr", type=float, default=0.3, help="of the boxes that are drawn")
    parser.add_argument("--batch-size", type=int, default=8, help="pictures at a time")
    parser.add_argument("--device", help="such as cuda:0 or cpu; CUDA where there is one")
    parser.add_argument("--min-side", type=int, default=960, help="pixels of a drawn picture")
    parser.add_argument("--no-pictures", action="store_true", help="write the JSON only")
    parser.add_argument("--cfg-options", nargs="+", action=OptionAction, help="key=value")
    return parser.parse_args()


def main() -> int:
    """Predict; 1 where something could not be read."""
    args = parse_args()
    try:
        report = predict_command(
            args.inputs,
            args.config,
            args.checkpoint,
            out=args.out,
            score_thr=args.score_thr,
            batch_size=args.batch_size,
            device=args.device,
            cfg_options=args.cfg_options,
            pictures=not args.no_pictures,
            min_side=args.min_side,
        )
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if report.json_path is not None:
        drawn = ""
        if not args.no_pictures and report.num_drawn != report.num_detections:
            drawn = f" ({report.num_drawn} above --score-thr {args.score_thr:g} are drawn)"
        print(
            f"{report.num_detections} detections in {report.num_images} pictures{drawn}: "
            f"{report.json_path}, {report.results_path}"
        )
    if report.failures:
        listed = "\n  ".join(report.failures)
        print(f"error: {len(report.failures)} could not be read:\n  {listed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
