"""Hard negatives of the whole data set, mined and used within one training run."""

import os.path as osp
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmthermal.common.checks import InputError, check_count
from mmthermal.common.processes import without_wrapper
from mmthermal.datasets.mined_image_sampler import MinedImageSampler, pack_geometry, region_sums
from mmthermal.mining.finding import MiningSettings
from mmthermal.mining.inference import find_in_all
from mmthermal.mining.mined_regions import MinedRegions
from mmthermal.mining.region_file import Region, RegionFile, drop_excluded, read_exclusions
from mmthermal.mining.rounds import check_decay, drop_covered, mine_round
from mmthermal.mining.same_set import check_excluded, check_same_set, images_of
from mmthermal.mining.training_set import TrainingSet, training_set, truths_of

_STATE = "hard_negatives"


@HOOKS.register_module()
class HardNegativeMiningHook(Hook):
    """Trains harder on what the detector takes for an object and is none.

    Two forms. With ``file``, the regions come from ``tools/mine_hard_negatives.py``::

        custom_hooks = [dict(type='HardNegativeMiningHook', file='hard_negatives.json')]

    With ``interval``, the hook mines by itself: after epoch ``begin`` and every ``interval``
    epochs from there on, it runs the detector on the training images, keeps the hardest false
    regions, lets those of earlier rounds fade, and goes on. Both may be combined: the file gives
    the regions to start from. Each mining writes ``hard_negatives/round_N.json`` in the work
    directory.

    Background anchors on a region get a higher ``weight`` and, with ``mine_first``, are mined
    before all others; ``MinedImageSampler`` at ``train_dataloader.sampler`` draws images with
    many regions more often. Regions and rounds are part of the checkpoint, so that a resumed run
    goes on with them.

    Args:
        file: file of hard negatives to start with.
        exclude: list of regions that are objects without a label, as the contact sheet saves it.
        begin: epochs of warm-up before the first mining, >= 1.
        interval: epochs between minings, >= 1; None mines never.
        weight: factor on the classification loss of anchors on a region, >= 1; 1 switches it off.
        mine_first: whether anchors on regions are mined before all others. They then take the
            place of the hard ones around objects, which cost more than they gained
            (docs/mining.md).
        anchor_iou: an anchor lies on a region from this IoU on, in (0, 1].
        decay: factor on a region's weight for every round that doesn't find it, in [0, 1).
        floor: regions of less weight are forgotten, in (0, 1].
        batch_size: images per batch while mining; that of the training if None.
        settings: how regions are found, see :class:`~mmthermal.mining.MiningSettings`.

    Raises:
        FileNotFoundError: if a file is missing.
        TypeError: for a setting of the wrong type, or one that does not exist.
        ValueError: for a setting out of range, or neither a file nor an interval.

    Source: paper, algorithm 2 and the section on hard-negative mining.
    """

    priority = "BELOW_NORMAL"  # behind PipelineSwitchHook, before CheckpointHook (VERY_LOW)

    def __init__(
        self,
        *,
        file: str | None = None,
        exclude: str | None = None,
        begin: int = 1,
        interval: int | None = None,
        weight: float = 2.0,
        mine_first: bool = False,
        anchor_iou: float = 0.5,
        decay: float = 0.5,
        floor: float = 0.2,
        batch_size: int | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if file is None and interval is None:
            raise InputError(
                "HardNegativeMiningHook has nothing to do: give file='hard_negatives.json', or "
                "interval=1 to mine after every epoch"
            )
        check_count("begin", begin, 1)
        if interval is not None:
            check_count("interval", interval, 1)
        if batch_size is not None:
            check_count("batch_size", batch_size, 1)
        check_decay(decay, floor)
        self.begin, self.interval = begin, interval
        self.decay, self.floor = decay, floor
        self.batch_size = batch_size
        self.settings = MiningSettings(**(settings or {}))
        self.lookup = MinedRegions(weight=weight, mine_first=mine_first, iou_thr=anchor_iou)
        self.exclusions = {} if exclude is None else read_exclusions(exclude)
        self.regions: tuple[Region, ...] = ()
        self.round = -1
        self._given: RegionFile | None = None
        self._sources = dict(regions=f"file={file!r}", exclude=f"exclude={exclude!r}")
        if file is not None:
            self._given = RegionFile.read(file)
            self.regions, self.round = self._given.regions, self._given.round
        self._saved: dict[str, Any] | None = None
        self._images: TrainingSet | None = None

    def before_train(self, runner: Runner) -> None:
        """Hand the regions to the heads and to the sampler.

        Args:
            runner: the runner, its checkpoint loaded.

        Raises:
            TypeError: if no head takes regions, or the loop counts no epochs though it must.
            ValueError: if another hook mines, too, the training pipeline hides where pixels go,
                images can't be mined, or regions or exclusions are of another data set.
        """
        if sum(isinstance(hook, HardNegativeMiningHook) for hook in runner.hooks) > 1:
            raise InputError(
                "custom_hooks has more than one HardNegativeMiningHook, of which only the last "
                "would reach the loss: give file, begin and interval to one"
            )
        model = without_wrapper(runner.model)
        heads = [module for module in model.modules() if hasattr(module, "mined_regions")]
        if not heads:
            raise TypeError(
                "no head of the model takes mined regions: use a head of mmthermal, such as "
                "CompositeRetinaHead (w_cls=0 leaves focal loss)"
            )
        if self.interval is not None and not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise TypeError(
                "interval counts epochs: HardNegativeMiningHook needs an EpochBasedTrainLoop to "
                "mine. With interval=None any loop is right"
            )
        augments = getattr(model.data_preprocessor, "batch_augments", None)
        if augments:
            raise InputError(
                "model.data_preprocessor.batch_augments moves pixels after the pipeline, so that "
                "mined regions can't follow: remove it"
            )
        for head in heads:
            head.mined_regions = self.lookup
        pack_geometry(runner.train_dataloader.dataset)
        if self._saved is not None and runner.iter > 0:  # else it was loaded, not resumed
            self._sources["regions"] = "the checkpoint"
            self._given = RegionFile.from_coco(self._saved, source="the checkpoint")
            self.regions, self.round = self._given.regions, self._given.round
        self._saved = None
        truths = truths_of(runner.train_dataloader.dataset)
        self._check_given(runner.train_dataloader.dataset, truths)
        kept = drop_covered(self.regions, truths, self.settings)
        self._use(runner, tuple(drop_excluded(kept, self.exclusions)))
        if self.interval is not None:
            self._images = training_set(runner.cfg)
        if hasattr(runner.train_loop, "dataloader_iterator"):
            _restart_workers(runner.train_loop)

    def before_train_epoch(self, runner: Runner) -> None:
        """See to it that another pipeline, of ``PipelineSwitchHook``, tells how pixels move, too.

        Args:
            runner: the runner.
        """
        pack_geometry(runner.train_dataloader.dataset)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Announce the images of the batch.

        Args:
            runner: not used.
            batch_idx: not used.
            data_batch: the batch.
        """
        self.lookup.begin_batch([sample.metainfo for sample in (data_batch or {})["data_samples"]])

    def after_train_epoch(self, runner: Runner) -> None:
        """Mine, where it is time.

        Args:
            runner: the runner.
        """
        epoch = runner.epoch + 1
        if self.interval is None or epoch < self.begin or epoch >= runner.max_epochs:
            return
        if (epoch - self.begin) % self.interval == 0:
            self.mine(runner)

    def mine(self, runner: Runner) -> None:
        """Find the hardest false regions of the training set and go on with them.

        Args:
            runner: the runner.
        """
        start = time.perf_counter()
        if self._images is None:
            self._images = training_set(runner.cfg)
        images = self._images
        batch_size = self.batch_size or runner.cfg.train_dataloader.batch_size
        rows = find_in_all(runner.model, images, self.settings, batch_size=batch_size)
        self.round += 1
        mined = mine_round(
            rows,
            images,
            self.regions,
            self.settings,
            round_number=self.round,
            exclusions=self.exclusions,
            decay=self.decay,
            floor=self.floor,
        )
        merged = mined.merged
        self._use(runner, merged.regions)
        runner.logger.info(
            f"Mined hard negatives, round {self.round}: {merged.num_found} of "
            f"{mined.num_false_regions} false regions (mean loss {mined.mean_loss or 0.0:.4g}), "
            f"{merged.num_again} of them known; of earlier rounds {merged.num_decayed} decay, "
            f"{merged.num_faded} faded, {merged.num_covered} lie on objects. "
            f"{time.perf_counter() - start:.0f} s"
        )
        runner.message_hub.update_scalar("train/num_hard_negatives", merged.num_found)
        if is_main_process():
            self._content(images).write(
                osp.join(runner.work_dir, "hard_negatives", f"round_{self.round}.json")
            )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the regions into the checkpoint.

        Args:
            runner: not used.
            checkpoint: what will be saved.
        """
        checkpoint[_STATE] = self._content(self._images).to_coco()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember a checkpoint's regions, for the case that the run resumes from it.

        Args:
            runner: not used.
            checkpoint: what was loaded.
        """
        self._saved = checkpoint.get(_STATE)

    def _check_given(self, dataset: Any, image_ids: Iterable[int | str]) -> None:
        """Raise if the regions or the exclusions are of another data set."""
        known = dict.fromkeys(image_ids)
        if self._given is not None:
            check_same_set(self._given, images_of(dataset), self._sources["regions"])
            known.update((image["id"], None) for image in self._given.images)
        check_excluded(self.exclusions, known, self._sources["exclude"])

    def _use(self, runner: Runner, regions: Sequence[Region]) -> None:
        """Train with these regions from now on."""
        self.regions = tuple(regions)
        self.lookup.replace(self.regions)
        sampler = getattr(runner.train_dataloader, "sampler", None)
        if isinstance(sampler, MinedImageSampler):
            weights: dict[int | str, float] = {}
            for region in self.regions:
                weights[region.image_id] = weights.get(region.image_id, 0.0) + region.weight
            sampler.set_regions(region_sums(runner.train_dataloader.dataset, weights))

    def _content(self, images: TrainingSet | None) -> RegionFile:
        """The regions as a file."""
        info = dict(round=self.round, settings=self.settings.to_dict())
        if images is not None:
            return images.region_file(self.regions, info)
        used = sorted({region.image_id for region in self.regions}, key=str)
        return RegionFile(self.regions, tuple(dict(id=image) for image in used), (), info)


def _restart_workers(loop: Any) -> None:
    """Let the loader's processes see a changed data set: an iter-based loop starts them at once."""
    loop.dataloader._iterator = None  # of persistent workers
    loop.dataloader_iterator = type(loop.dataloader_iterator)(loop.dataloader)
