"""What ``tools/mine_hard_negatives.py`` does with its arguments."""

import hashlib
import json
import os.path as osp
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import (
    barrier,
    broadcast_object_list,
    get_dist_info,
    is_main_process,
)
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmengine.utils import ProgressBar
from torch import nn

from mmthermal.common.checkpoints import check_fit
from mmthermal.common.checks import InputError, check_count
from mmthermal.common.files import file_sha256
from mmthermal.common.launchers import start_processes
from mmthermal.common.safe_loading import read_checkpoint
from mmthermal.mining.contact_sheet import write_contact_sheet
from mmthermal.mining.finding import MiningSettings
from mmthermal.mining.inference import batches_left, false_regions
from mmthermal.mining.partial import PartialResults, Row
from mmthermal.mining.region_file import RegionFile, read_exclusions
from mmthermal.mining.rounds import MinedRound, check_decay, mine_round
from mmthermal.mining.same_set import check_excluded, check_same_set
from mmthermal.mining.training_set import TrainingSet, training_set
from mmthermal.version import __version__


def mine_command(
    cfg: Config,
    checkpoint: str | Path,
    out: str | Path,
    *,
    settings: MiningSettings,
    previous: str | Path | None = None,
    exclude: str | Path | None = None,
    round_number: int | None = None,
    decay: float = 0.5,
    floor: float = 0.2,
    batch_size: int | None = None,
    num_workers: int = 2,
    sheet: int = 60,
) -> RegionFile:
    """Find the hard negatives of a trained detector on its training set and write them to a file.

    With a launcher, every process takes a share of the images; they need a common file system.
    After a kill, the same call goes on where it was.

    Args:
        cfg: config of the detector.
        checkpoint: its weights.
        out: file to write; finished images are kept in ``OUT.partial`` meanwhile, and the
            contact sheet goes beside it, unless ``sheet`` is 0.
        settings: what counts as a false region, and how many are kept.
        previous: file of the round before, whose regions are carried on.
        exclude: list of regions that are objects without a label.
        round_number: written into the file; one more than ``previous``, or 0, if None.
        decay: see :func:`~mmthermal.mining.rounds.merge_rounds`.
        floor: see there.
        batch_size: images per batch; the test data loader's if None.
        num_workers: processes that load images.
        sheet: how many regions the contact sheet shows.

    Returns:
        what was written; on other processes than the first, what they read from the file.

    Raises:
        FileNotFoundError: if a file is missing.
        ValueError: if a file or a setting is wrong, ``previous`` or ``exclude`` is of another
            training set, or ``out`` is a file of something else.
    """
    if not osp.isfile(checkpoint):
        raise FileNotFoundError(f"the checkpoint {checkpoint} doesn't exist")
    _check_out(Path(out))
    check_decay(decay, floor)
    check_count("sheet", sheet)
    batch_size = batch_size or cfg.test_dataloader.batch_size
    check_count("batch_size", batch_size, 1)
    before = RegionFile.read(previous) if previous is not None else None
    exclusions = read_exclusions(exclude) if exclude is not None else {}
    round_number = _round_number(round_number, before)
    start_processes(cfg)

    images = training_set(cfg)
    _check_given(images, before, exclusions, f"--previous {previous}", f"--exclude {exclude}")
    sources = _sources(cfg, checkpoint, images)
    partial = PartialResults(f"{out}.partial", _key(sources, settings, batch_size))
    _infer(cfg, checkpoint, images, partial, settings, batch_size, num_workers)
    if is_main_process():
        mined = mine_round(
            _finished(partial, images),
            images,
            before.regions if before is not None else (),
            settings,
            round_number=round_number,
            exclusions=exclusions,
            decay=decay,
            floor=floor,
        )
        carried = dict(settings.to_dict(), decay=decay, floor=floor)
        info = dict(round=round_number, **_counts(mined), settings=carried, **sources)
        _write(images.region_file(mined.merged.regions, info), images, out, sheet)
        partial.remove()
    barrier()
    return RegionFile.read(out)


def _check_out(path: Path) -> None:
    """Raise, before hours of work, if the file can't be written or is another's."""
    if path.is_dir():
        raise InputError(f"--out {path} is a folder: give a file, such as {path}/mined.json")
    if path.exists():
        try:
            RegionFile.read(path)
        except ValueError as error:
            raise InputError(
                f"--out {path} is there and is not replaced, as it is no file of hard negatives: "
                "give another name"
            ) from error


def _check_given(
    images: TrainingSet,
    before: RegionFile | None,
    exclusions: Mapping[int | str, Any],
    previous: str,
    exclude: str,
) -> None:
    """Raise, before hours of work, if the round before or the exclusions are of another set."""
    own = {row["id"]: {**row, "file_name": images.paths[row["id"]]} for row in images.records}
    earlier = before.images if before is not None else ()
    if before is not None:
        check_same_set(before, own, previous)
    check_excluded(exclusions, {**own, **{row["id"]: row for row in earlier}}, exclude)


def _round_number(given: int | None, before: RegionFile | None) -> int:
    """The number that was given, or that of the next round."""
    number = given if given is not None else 0 if before is None else before.round + 1
    check_count("round_number", number)
    return number


def _write(content: RegionFile, images: TrainingSet, out: str | Path, sheet: int) -> None:
    """Write the contact sheet, if there is to be one, and then the file."""
    if sheet:
        prefix = Path(out).with_suffix("")
        write_contact_sheet(content, images.paths, images.truths, prefix, number=sheet)
    content.write(out)


def _sources(cfg: Config, checkpoint: str | Path, images: TrainingSet) -> dict[str, Any]:
    """Where the regions of a file come from."""
    return dict(
        version=__version__,
        checkpoint=str(checkpoint),
        checkpoint_sha256=file_sha256(checkpoint),
        config=str(cfg.filename or ""),
        config_sha256=hashlib.sha256(_model_text(cfg).encode()).hexdigest(),
        data=dict(
            num_images=len(images.image_ids),
            num_images_with_objects=images.num_images,
            num_objects=images.num_objects,
            annotations_sha256=_annotations_hash(images),
        ),
    )


def _key(sources: dict[str, Any], settings: MiningSettings, batch_size: int) -> dict[str, Any]:
    """All that the false regions of an image depend on."""
    finding = {
        key: value for key, value in settings.to_dict().items() if key not in ("ratio", "count")
    }
    return dict(
        checkpoint=sources["checkpoint_sha256"],
        config=sources["config_sha256"],
        data=sources["data"],
        settings=finding,
        batch_size=batch_size,
    )


def _finished(partial: PartialResults, images: TrainingSet) -> dict[int, list[Row]]:
    """The false regions of all images, by index."""
    rows = partial.read()
    missing = len(images.image_ids) - len(rows)
    if missing:
        raise RuntimeError(
            f"{missing} images have no result in {partial.folder}: all processes must see one "
            "file system"
        )
    return rows


def _counts(mined: MinedRound) -> dict[str, Any]:
    """What became of the regions, as the file's info has it."""
    return dict(
        num_false_regions=mined.num_false_regions,
        num_found=mined.merged.num_found,
        num_found_again=mined.merged.num_again,
        num_decayed=mined.merged.num_decayed,
        num_faded=mined.merged.num_faded,
        num_covered=mined.merged.num_covered,
        num_excluded=mined.num_excluded,
        mean_loss=mined.mean_loss,
    )


def _infer(
    cfg: Config,
    checkpoint: str | Path,
    images: TrainingSet,
    partial: PartialResults,
    settings: MiningSettings,
    batch_size: int,
    num_workers: int,
) -> None:
    """Run the detector on the images that no process has finished yet."""
    rank, world_size = get_dist_info()
    shared: list[Any] = [sorted(partial.read()) if rank == 0 else None]
    broadcast_object_list(shared)  # one list, read before any process writes
    done = set(shared[0])
    batches = batches_left(len(images.image_ids), batch_size, done)
    if not batches:
        return
    bar = ProgressBar(sum(map(len, batches))) if rank == 0 else None
    model = load_model(cfg, checkpoint)
    mine = batches[rank::world_size]
    with partial.writer(rank) as writer:
        for results in false_regions(model, images, mine, settings, num_workers=num_workers):
            writer.append(results)
            if bar is not None:
                left = bar.task_num - bar.completed
                bar.update(min(len(results) * world_size, left))
    if bar is not None:
        print()
    barrier()


def load_model(cfg: Config, checkpoint: str | Path) -> nn.Module:
    """A detector for inference.

    Args:
        cfg: its config.
        checkpoint: its weights.

    Returns:
        the detector in evaluation mode, on the device of this process.

    Raises:
        CheckpointError: if the weights cannot be read, or are not those of this detector.
    """
    init_default_scope(cfg.get("default_scope", "mmdet"))
    model = MODELS.build(cfg.model)
    check_fit(model, read_checkpoint(checkpoint), name=str(checkpoint))
    load_checkpoint(model, str(checkpoint), map_location="cpu")
    return model.to(get_device()).eval()  # of several GPUs that which the launcher selected


def _model_text(cfg: Config) -> str:
    """All of a config that detections depend on."""
    parts = dict(
        model=cfg.model, train=cfg.train_dataloader.dataset, test=cfg.test_dataloader.dataset
    )
    return json.dumps(parts, sort_keys=True, default=str)


def _annotations_hash(images: TrainingSet) -> str:
    """Hash of ids and boxes of the training set, wherever they came from."""
    digest = hashlib.sha256()
    for image in images.image_ids:
        truth = images.truths[image]
        digest.update(repr((image, truth.boxes.tolist(), truth.crowd.tolist())).encode())
    return digest.hexdigest()
