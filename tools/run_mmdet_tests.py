"""Does mmdet's own test suite pass with our classes in the place of mmdet's?

Runs mmdet's unit tests of dense heads, RoI heads, bbox heads, detectors, the COCO data set and the
COCO metric twice, with mmdet's classes and with ours under their names, and lists the tests that
pass with mmdet's only. mmdet's tests are not in its wheel: give the folder `tests` of a source tree
of the installed version.

    python tools/run_mmdet_tests.py path/to/mmdetection/tests

What differs on purpose is adapted, so that the rest is compared:

- heads return a scalar for each part of the loss where mmdet's return a list over levels;
- they refuse a `loss_cls` that the composite loss has no form of, and have box forms of their own
  (here `box_form=None` keeps `loss_bbox`); the RPN refuses a sampler that draws at random;
- `ThermalCocoDataset` refuses an image folder that is missing, and doubled annotation ids by a
  ValueError when the file is opened (mmdet: an AssertionError); its `get_cat_ids`, by which classes
  are balanced, leaves crowd regions out;
- `OverlapCocoMetric` adds figures, gives 0 where mmdet's gives nothing, and refuses metrics without
  boxes.

Exit status 1 if a
test that passes with mmdet's classes fails with ours.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

FOLDERS = (
    "test_models/test_dense_heads",
    "test_models/test_roi_heads",
    "test_models/test_detectors",
    "test_datasets/test_coco.py",
    "test_evaluation/test_metrics/test_coco_metric.py",
    "test_evaluation/test_metrics/test_coco_occluded_metric.py",
)
OURS = {
    "RetinaHead": "CompositeRetinaHead",
    "ATSSHead": "CompositeATSSHead",
    "FCOSHead": "CompositeFCOSHead",
    "RPNHead": "CompositeRPNHead",
    "Shared2FCBBoxHead": "CompositeBBoxHead",
    "Shared4Conv1FCBBoxHead": "CompositeConvBBoxHead",
    "SingleRoIExtractor": "Float32RoIExtractor",
    "VFNetHead": "Float32VFNetHead",
    "OHEMSampler": "HardNegativeSampler",
    "CocoDataset": "ThermalCocoDataset",
    "CocoMetric": "OverlapCocoMetric",
}
"""Class of ours by the mmdet class whose place it takes."""
_FLAG = "MMTHERMAL_IN_PLACE_OF_MMDET"


def adapted(kind: type, theirs: type) -> type:
    """A class of ours as mmdet's tests call it.

    Args:
        kind: the class.
        theirs: that it stands for.
    """
    if kind.__name__ == "ThermalCocoDataset":
        members = _data_set(theirs)
    elif kind.__name__ == "OverlapCocoMetric":
        members = _metric(theirs)
    elif "Composite" in kind.__name__:
        members = _head(kind)
    else:
        return kind
    members = {name: value(kind) for name, value in members.items()}
    return type(theirs.__name__, (kind,), members)


def _head(kind: type) -> dict[str, Any]:
    """Losses as lists; without the settings that are refused."""

    def init(base: Any) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("loss_cls", None)
            if "BBox" not in kind.__name__:
                kwargs.setdefault("loss_composite", dict(type="CompositeLoss", box_form=None))
            train_cfg = kwargs.get("train_cfg") or {}
            if (train_cfg.get("sampler") or {}).get("type") == "RandomSampler":
                kwargs["train_cfg"] = {**train_cfg, "sampler": dict(type="HardNegativeMiner")}
                kwargs["train_cfg"] = type(train_cfg)(kwargs["train_cfg"])
            base.__init__(self, *args, **kwargs)

        return __init__

    def listed(base: Any) -> Any:
        def loss_by_feat(self: Any, *args: Any, **kwargs: Any) -> dict:
            losses = base.loss_by_feat(self, *args, **kwargs)
            return {key: [value] if "loss" in key else value for key, value in losses.items()}

        return loss_by_feat

    lists = ("CompositeRetinaHead", "CompositeATSSHead", "CompositeRPNHead")
    return dict(__init__=init, **(dict(loss_by_feat=listed) if kind.__name__ in lists else {}))


def _data_set(theirs: Any) -> dict[str, Any]:
    """Any image folder; doubled annotation ids as mmdet says them."""

    def init(base: Any) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            try:
                base.__init__(self, *args, **kwargs)
            except ValueError as error:
                if "duplicate-annotation-id" not in str(error):
                    raise
                raise AssertionError(f"annotation ids are not unique! {error}") from error

        return __init__

    own = ("_join_prefix", "get_cat_ids")
    return dict(__init__=init, **{name: lambda base, n=name: getattr(theirs, n) for name in own})


def _metric(theirs: Any) -> dict[str, Any]:
    """Metrics without boxes by mmdet's own; the figures that mmdet's has."""

    def new(base: Any) -> Any:
        def __new__(cls: type, *args: Any, **kwargs: Any) -> Any:
            metric = kwargs.get("metric", "bbox")
            asked = [metric] if isinstance(metric, str) else metric
            without = {"segm", "proposal", "proposal_fast"}.issuperset(asked)
            return theirs(*args, **kwargs) if without else object.__new__(cls)

        return __new__

    def init(base: Any) -> Any:
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
            base.__init__(self, *args, **kwargs)
            self.mmdets = [f"bbox_{item}" for item in ("mAP", "mAP_50", "mAP_75")]
            self.mmdets += [f"bbox_mAP_{size}" for size in "sml"]

        return __init__

    def compute(base: Any) -> Any:
        def compute_metrics(self: Any, results: list) -> dict:
            found = base.compute_metrics(self, results)
            own = [*self.mmdets, *(f"bbox_{item}" for item in self.metric_items or ())]
            names = [f"{name}_precision" for name in self.dataset_meta["classes"]]
            kept = {k: v for k, v in found.items() if "bbox" not in k and "segm" in k}
            return {k: v for k, v in found.items() if k in own or k in names} | kept

        return compute_metrics

    return dict(__new__=new, __init__=init, compute_metrics=compute)


def substitute() -> None:
    """Put our classes into mmdet's registries and modules, under mmdet's names."""
    import mmthermal  # noqa: F401 (first, as mmdet finds operators by it)

    # isort: split
    import mmdet.registry as registry

    registries = [registry.MODELS, registry.TASK_UTILS, registry.DATASETS, registry.METRICS]
    # packages only: a module of mmdet goes on with its own class, as super(VFNetHead, self) needs
    packages = [
        m for n, m in sys.modules.items() if n.startswith("mmdet.") and "__path__" in vars(m)
    ]
    for theirs, ours in OURS.items():
        place = next(r for r in registries if ours in r.module_dict)
        old, new = place.get(theirs), adapted(place.get(ours), place.get(theirs))
        place.register_module(name=theirs, module=new, force=True)
        for module in packages:
            if vars(module).get(theirs) is old:
                setattr(module, theirs, new)


def pytest_configure() -> None:
    """Prepare mmdet before its tests are imported (this file is a plugin of pytest, too)."""
    import mmthermal  # noqa: F401 (mmcv's operators, and our classes)

    # isort: split
    import mmdet
    import mmdet.testing._utils as utils

    configs = Path(mmdet.__file__).parent / ".mim" / "configs"
    utils._get_config_directory = lambda: str(configs)  # the wheel keeps them there
    if os.environ.get(_FLAG):
        substitute()


def run(folder: Path, arguments: list[str], *, ours: bool) -> dict[str, str]:
    """Run the tests in a process of their own.

    Args:
        folder: mmdet's tests.
        arguments: for pytest.
        ours: whether with our classes.

    Returns:
        outcome by test: passed, failed or skipped.
    """
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        paths = [str(folder / name) for name in FOLDERS]
        command = [sys.executable, "-m", "pytest", "-q", "-p", Path(__file__).stem]
        command += [
            "--continue-on-collection-errors",
            "-p",
            "no:cacheprovider",
            f"--rootdir={folder}",
            f"--junitxml={report}",
        ]
        search = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*search, os.environ.get("PYTHONPATH", "")]),
            _FLAG: "1" if ours else "",
        }
        subprocess.run(
            [*command, *paths, *arguments], cwd=folder.parent, env=environment, check=False
        )
        if not report.is_file():
            raise FileNotFoundError(f"pytest wrote no report: is {folder} mmdet's folder of tests?")
        return dict(outcomes(ElementTree.parse(report).getroot()))


def outcomes(report: ElementTree.Element) -> Iterator[tuple[str, str]]:
    """Name and outcome of each test of a report in JUnit's form."""
    for case in report.iter("testcase"):
        kinds = {child.tag for child in case}
        bad, skipped = kinds & {"failure", "error"}, "skipped" in kinds
        name = f"{case.get('classname')}::{case.get('name')}"
        yield name, "failed" if bad else "skipped" if skipped else "passed"


def main() -> int:
    """Run both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, help="folder of mmdet's tests")
    parser.add_argument("arguments", nargs="*", help="for pytest, such as -- -k coco")
    args = parser.parse_args()
    theirs = run(args.folder.resolve(), args.arguments, ours=False)
    ours = run(args.folder.resolve(), args.arguments, ours=True)
    for name, found in (("mmdet's classes", theirs), ("ours", ours)):
        counts = {
            kind: list(found.values()).count(kind) for kind in ("passed", "failed", "skipped")
        }
        print(f"{name}: " + ", ".join(f"{n} {kind}" for kind, n in counts.items()))
    worse = [name for name, kind in theirs.items() if kind == "passed" and ours.get(name) != kind]
    print("\n".join(["Pass with mmdet's classes only:", *worse] if worse else ["No test is lost."]))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
