"""Before a run starts: do its data sets, its evaluators and its checkpoint agree?"""

import os.path as osp
from collections.abc import Iterator, Sequence
from typing import Any

from mmdet.engine.hooks import NumClassCheckHook
from mmdet.evaluation import CocoMetric
from mmdet.registry import HOOKS
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.runner import Runner
from numpy.typing import NDArray

from mmthermal.checking.agreement import (
    CODES,
    check_files,
    check_joined,
    check_num_classes,
    check_text_ids,
    compare_classes,
    compare_images,
)
from mmthermal.checking.fills import check_fills
from mmthermal.checking.finding import Finding
from mmthermal.checking.held_out import check_held_out
from mmthermal.checking.network_values import check_training_sets, places
from mmthermal.checking.pipelines import compare_pipelines, pipelines_of, switched
from mmthermal.checking.settling import known_codes, settle
from mmthermal.checking.warm_up import check_warm_up
from mmthermal.common.config_variables import check_variables
from mmthermal.common.processes import without_wrapper
from mmthermal.datasets.one_channel import check_counts
from mmthermal.datasets.transforms import LoadThermalImage
from mmthermal.datasets.wrapped import innermost_sets, with_wrapped, wrapped
from mmthermal.engine.rehearsal import rehearse_validation
from mmthermal.engine.watched_figures import check_watched


@HOOKS.register_module()
class AgreementHook(Hook):
    """Stops a run whose parts speak of different classes or images, before the first iteration.

    Compared are the classes of training and validation, of a checkpoint and the set that it is
    tested on, of the sets that a ``ConcatDataset`` joins, and of a data set and its evaluator's
    file; and the images of a loader and of its evaluator. Pictures that are not there, figures
    that ``save_best`` waits for and no metric gives, and variables of the config file that change
    nothing are refused, too; and one image goes through the validation, so that an error there
    does not come an epoch late. Pipelines that normalise otherwise in training than in validation
    and test, values that no network can take, fills far from the values of the first picture, a
    validation on the training's pictures, and a warm-up of more than a third of the training, are
    said. Transforms for 8-bit colour are refused where that picture has more.

    Args:
        accept: codes of findings to go on with, such as ``['classes-differ']``; they stand in
            brackets at the end of each message.

    Raises:
        ValueError: for an unknown code; when the run starts, with all that does not agree.
    """

    priority = "VERY_HIGH"

    def __init__(self, *, accept: Sequence[str] = ()) -> None:
        self.accept = known_codes(accept, CODES, "default_hooks.agreement.accept")
        self._learnt: Sequence[str] | None = None

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remember the classes that the checkpoint was trained on.

        Args:
            runner: not used.
            checkpoint: its content.
        """
        meta = (checkpoint.get("meta") or {}).get("dataset_meta") or {}
        self._learnt = meta.get("classes", meta.get("CLASSES"))

    def before_train(self, runner: Runner) -> None:
        """Check training and validation.

        Args:
            runner: the runner.
        """
        check_variables(runner.cfg)
        train = runner.train_loop.dataloader.dataset
        findings = _joined(train, "train") + _missing(train, "train") + _heads(runner, train)
        findings += compare_pipelines(runner.cfg) + _values(runner.cfg, train)
        findings += check_held_out(runner.cfg) + _network_values(runner, train)
        findings += check_warm_up(runner.cfg, getattr(runner.train_loop, "max_iters", 0))
        if runner._resume:
            findings += self._checkpoint(train, "train")
        if runner.val_loop is not None:
            findings += _evaluation(runner, runner.val_loop, "val")
            val = _dataset(runner.val_loop)
            findings += _classes_of(train, val, ("train", "val"))
            if type(runner.val_loop.evaluator) is Evaluator:
                metrics = runner.val_loop.evaluator.metrics
                findings += check_watched(runner.hooks, metrics, _classes(val) or ())
        self._settle(findings)
        if runner.val_loop is not None:
            rehearse_validation(runner)

    def before_val(self, runner: Runner) -> None:
        """Check a validation by itself.

        Args:
            runner: the runner.
        """
        if runner._train_loop is None:
            self._before_evaluation(runner, runner.val_loop, "val")

    def before_test(self, runner: Runner) -> None:
        """Check a test.

        Args:
            runner: the runner.
        """
        self._before_evaluation(runner, runner.test_loop, "test")

    def _before_evaluation(self, runner: Runner, loop: Any, name: str) -> None:
        check_variables(runner.cfg)
        found = [*_evaluation(runner, loop, name), *self._checkpoint(_dataset(loop), name)]
        self._settle(found)

    def _checkpoint(self, dataset: Any, name: str) -> list[Finding]:
        """Compare the checkpoint's classes with a data set's."""
        classes = _classes(dataset)
        if self._learnt is None or classes is None:
            return []
        return compare_classes(self._learnt, classes, ("the checkpoint", name))

    def _settle(self, findings: Sequence[Finding]) -> None:
        settle(findings, accept=self.accept, setting="default_hooks.agreement.accept")


def _dataset(loop: Any) -> Any:
    """The data set of a loop; None without any."""
    return getattr(getattr(loop, "dataloader", None), "dataset", None)


def _evaluation(runner: Runner, loop: Any, name: str) -> list[Finding]:
    """Compare a loader with the files of its evaluators."""
    dataset = _dataset(loop)
    evaluator = getattr(loop, "evaluator", None)
    metrics = getattr(evaluator, "metrics", ())
    findings = _joined(dataset, name) + _missing(dataset, name)
    settings = runner.cfg.get(f"{name}_evaluator") or {}
    listed = settings if isinstance(settings, (list, tuple)) else [settings]
    # mmdet's MultiDatasetsEvaluator judges each of the joined sets by a metric of its own
    parts = wrapped(dataset) if hasattr(evaluator, "dataset_prefixes") else []
    for number, metric in enumerate(metrics):
        coco = getattr(metric, "_coco_api", None)
        if len(parts) == len(metrics):
            dataset = parts[number]
        if coco is None or not hasattr(dataset, "get_data_info"):
            continue
        ann_file = listed[number].get("ann_file") if number < len(listed) else None
        findings += compare_images(
            _images(dataset),
            coco.imgs,
            name=name,
            same_file=ann_file is not None and osp.realpath(ann_file) in _files(dataset),
        )
        if type(metric) is CocoMetric:
            findings += check_text_ids(coco.anns, name)
        classes = _classes(dataset)
        if classes is not None:
            names = [row["name"] for row in coco.cats.values() if row["name"] in classes]
            where = (f"{name}_dataloader", f"the file of {name}_evaluator")
            findings += compare_classes(classes, names, where)
    return findings


def _heads(runner: Runner, train: Any) -> list[Finding]:
    """Compare the model with the classes.

    Where mmdet's hook would stop the first epoch, any difference is an error. That one passes over
    VGG and HTC's semantic branch.
    """
    classes = _classes(train)
    if classes is None:
        return []
    strict = any(isinstance(hook, NumClassCheckHook) for hook in runner.hooks)
    model = without_wrapper(runner.model)
    heads = {
        name: module.num_classes
        for name, module in model.named_modules()
        if isinstance(getattr(module, "num_classes", None), int)
        and not name.startswith("backbone")
        and not name.endswith(("rpn_head", "semantic_head"))
    }
    return check_num_classes(heads, classes, "train", more_is_error=strict)


def _values(cfg: Any, train: Any) -> list[Finding]:
    """Compare transforms with the first picture; raise for those that need 8 bits."""
    picture = _first_picture(train)
    if picture is None:
        return check_fills(cfg, {})
    for pipeline in [*pipelines_of(cfg, "train"), *switched(cfg)]:
        check_counts(pipeline, float(picture.max()))
    return check_fills(cfg, dict(level=float(picture.mean()), spread=float(picture.std())))


def _network_values(runner: Runner, train: Any) -> list[Finding]:
    """Compare what the network gets with what it can take."""
    parts = innermost_sets(train)
    records = [
        [part.get_data_info(place) for place in places(len(part))]
        if hasattr(part, "get_data_info")
        else []
        for part in parts
    ]
    sets = list(zip(pipelines_of(runner.cfg, "train"), records, strict=False))
    return check_training_sets(
        sets, getattr(without_wrapper(runner.model), "data_preprocessor", None)
    )


def _first_picture(dataset: Any) -> NDArray | None:
    """As it is loaded; None without LoadThermalImage, or where it can't be read."""
    for part in innermost_sets(dataset):
        transforms = getattr(getattr(part, "pipeline", None), "transforms", ())
        load = next((t for t in transforms if isinstance(t, LoadThermalImage)), None)
        if load is None or not hasattr(part, "get_data_info") or not len(part):
            continue
        try:
            results = load(part.get_data_info(0))
        except (OSError, ValueError):  # said by the other checks, or when it is needed
            return None
        return None if results is None else results["img"]
    return None


def _joined(dataset: Any, name: str) -> list[Finding]:
    """Check the sets that a wrapper joins."""
    joined = (getattr(part, "datasets", None) for part in with_wrapped(dataset))
    parts: Any = next(filter(None, joined), [])
    return check_joined([part.metainfo for part in parts], name) if parts else []


def _classes_of(train: Any, val: Any, names: tuple[str, str]) -> list[Finding]:
    first, other = _classes(train), _classes(val)
    return [] if first is None or other is None else compare_classes(first, other, names)


def _classes(dataset: Any) -> Sequence[str] | None:
    """Classes of a data set; None if it has none, or several lists of them."""
    metainfo = getattr(dataset, "metainfo", None)
    return metainfo.get("classes") if isinstance(metainfo, dict) else None


def _images(dataset: Any) -> Iterator[tuple[Any, str]]:
    """Id and path of each image."""
    for number in range(len(dataset)):
        info = dataset.get_data_info(number)
        yield info.get("img_id"), str(info.get("img_path", ""))


def _missing(dataset: Any, name: str) -> list[Finding]:
    """Check that the pictures are there, where they are files and none may be missing."""
    found: list[Finding] = []
    for part in innermost_sets(dataset):
        transforms = getattr(getattr(part, "pipeline", None), "transforms", ())
        local = not any(getattr(t, "backend_args", None) for t in transforms)
        needed = not any(getattr(t, "ignore_empty", False) for t in transforms)
        if transforms and local and needed and hasattr(part, "get_data_info"):
            found += check_files((path for _, path in _images(part)), name)
    return found


def _files(dataset: Any) -> set[str]:
    """Annotation files of a data set and of what it wraps."""
    found = (getattr(part, "ann_file", None) for part in with_wrapped(dataset))
    return {osp.realpath(path) for path in found if isinstance(path, str) and path}
