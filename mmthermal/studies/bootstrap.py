"""Train, mine, train on: rounds in folders of their own, for ``tools/bootstrap.py``.

Folder of a bootstrapping::

    round_0/ config.py run.json train.log … done.json predictions.bbox.json
             hard_negatives.json .html .png mine.log      for the round that follows
    round_1/ …
    rounds.json rounds.csv rounds.txt                     the table
"""

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmdet.registry import HOOKS
from mmengine.config import Config
from torch.utils.data import TensorDataset

from mmthermal.common.checkpoints import last_checkpoint
from mmthermal.common.checks import check_choice, check_count, check_range
from mmthermal.common.child_processes import start_child
from mmthermal.common.config import read_config
from mmthermal.common.files import read_json, write_json, write_text
from mmthermal.datasets.mined_image_sampler import MinedImageSampler
from mmthermal.evaluation.operating_point import fppi_at_recall
from mmthermal.evaluation.precision import average_precision
from mmthermal.mining.region_file import RegionFile
from mmthermal.studies.ground_truth import match_run
from mmthermal.studies.run_folder import Run, config_hash, gives_seed
from mmthermal.studies.run_queue import carry_out, say_line, work_dir_lock
from mmthermal.studies.training_setup import check_same_labels, has_hook, training_digests

STARTS = ("previous", "scratch")
HARD_NEGATIVES = "hard_negatives.json"

COLUMNS = (
    ("round", "round", "d"),
    ("num_hard_negatives", "hard negatives", "d"),
    ("mean_loss", "mean loss", ".4g"),
    ("num_regions", "regions in use", "d"),
    ("fppi", "false pos./image", ".3f"),
    ("threshold", "at score", ".3f"),
    ("max_recall", "max recall", ".3f"),
    ("ap", "AP", ".3f"),
    ("ap50", "AP50", ".3f"),
)


def bootstrap(
    config: str | Path,
    work_dir: str | Path,
    *,
    tools_dir: str | Path,
    rounds: int = 3,
    start: str = "previous",
    plain: bool = False,
    draw_more: Mapping[str, Any] | None = None,
    seed: int = 0,
    recall: float = 0.8,
    hook: Mapping[str, Any] | None = None,
    mining: Sequence[str] = (),
    cfg_options: Sequence[str] = (),
    say: Callable[[str], None] = say_line,
) -> list[dict[str, Any]]:
    """Train in rounds, each on the hard negatives of those before.

    What is finished stays: the same call takes up the round that failed, at its last checkpoint.

    Args:
        config: config of a detector whose head takes mined regions.
        work_dir: folder of the rounds.
        tools_dir: folder of train.py, test.py and mine_hard_negatives.py.
        rounds: trainings in all, >= 1; the first one without mined regions.
        start: ``'previous'``: a round goes on from the weights of the one before;
            ``'scratch'``: it starts anew.
        plain: train the rounds without mined regions, as a control of as many epochs. The
            regions are mined and reported nevertheless.
        draw_more: draw images with many regions more often: settings of ``MinedImageSampler``,
            empty for its defaults; None draws all alike.
        seed: of the training; a round adds its number, so that the images come in a new order.
        recall: where false positives per image are counted.
        hook: further settings of ``HardNegativeMiningHook``.
        mining: further arguments of tools/mine_hard_negatives.py.
        cfg_options: raw ``key=value`` strings for the config.
        say: takes progress lines.

    Returns:
        the table, a row per round.

    Raises:
        FileNotFoundError: if the config is missing.
        TypeError: for a setting that does not exist.
        ValueError: for a setting out of range, a config that mines by itself, or a folder of
            another bootstrapping or of other training annotations.
        RunsFailed: if a training failed; call again to take it up.
        RuntimeError: if mining failed.
    """
    check_count("rounds", rounds, 1)
    check_choice("start", start, STARTS)
    check_range("recall", recall, 0, 1, open_low=True)
    # a wrong setting is reported before any training starts
    HOOKS.build({"interval": 1, **(hook or {}), "type": "HardNegativeMiningHook", "file": None})
    if draw_more is not None:
        MinedImageSampler(TensorDataset(torch.zeros(1)), **draw_more)
    if gives_seed(cfg_options):
        raise ValueError("--cfg-options randomness.seed changes nothing here: use --seed")
    folder, tools = Path(work_dir), Path(tools_dir)
    base = read_config(config, cfg_options)
    if has_hook(base, "HardNegativeMiningHook"):
        raise ValueError(
            f"{config} has a HardNegativeMiningHook, by which round 0 and the control --plain "
            "would mine, too: give a config without it, such as the one that it is made from; the "
            "rounds add theirs, with the settings of --hook"
        )
    with work_dir_lock(folder):
        settings = dict(
            config_hash=config_hash(base),
            start=start,
            plain=plain,
            draw_more=None if draw_more is None else dict(draw_more),
            seed=seed,
            hook=dict(hook or {}),
            mining=list(mining),
        )
        _check_same(folder, settings)
        rows: list[dict[str, Any]] = []
        for number in range(rounds):
            run, before = _prepare(base, folder, number, settings)
            check_same_labels(run.folder, run.train_files)
            rows.append(_carry_out_round(run, before, tools, settings, recall, say))
            _write_table(folder, rows, settings, recall)
            say(format_table(rows, recall).splitlines()[-1])
    return rows


def _carry_out_round(
    run: Run,
    before: Path | None,
    tools: Path,
    settings: Mapping[str, Any],
    recall: float,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Train and test a round, mine with its weights: its row of the table."""
    carry_out([run], tools_dir=tools, say=say)
    return _row(run, _mine(run, before, tools, settings["mining"], say), recall)


def format_table(rows: Sequence[Mapping[str, Any]], recall: float) -> str:
    """The table as text, one line per round under two lines of heading.

    Args:
        rows: of :func:`bootstrap`.
        recall: where false positives were counted.

    Returns:
        the lines.
    """
    cells = [[title for _, title, _ in COLUMNS]]
    for row in rows:
        cells.append(
            ["–" if row[key] is None else format(row[key], form) for key, _, form in COLUMNS]
        )
    widths = [max(len(line[i]) for line in cells) for i in range(len(COLUMNS))]
    lines = ["  ".join(c.rjust(w) for c, w in zip(line, widths, strict=True)) for line in cells]
    heading = f"False positives at {recall:.0%} recall, IoU 0.5, on the test set"
    return "\n".join([heading, *lines])


def _check_same(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse to mix two bootstrappings in one folder."""
    record = folder / "bootstrap.json"
    if record.exists():
        known = read_json(record, what="record of a bootstrapping")
        differing = [key for key in settings if known.get(key) != settings[key]]
        if differing == ["mining"] and not (folder / "round_0" / HARD_NEGATIVES).exists():
            write_json(record, settings)  # nothing was mined by the others, such as misspelt ones
            return
        if differing:
            raise ValueError(
                f"{folder} holds a bootstrapping with another {', '.join(differing)}: give "
                "another --work-dir, or the same settings to take it up"
            )
    else:
        write_json(record, settings)


def _prepare(
    base: Config, folder: Path, number: int, settings: Mapping[str, Any]
) -> tuple[Run, Path | None]:
    """Write the config of a round: its run, and the folder of the round before."""
    place = folder / f"round_{number}"
    before = folder / f"round_{number - 1}" if number else None
    cfg = Config(base.to_dict())
    cfg.work_dir = str(place)
    if before is not None:
        if settings["start"] == "previous":
            checkpoint = last_checkpoint(before)
            # Weights, not load_from: a run that was killed before its first checkpoint and is
            # resumed would start without them.
            cfg.model.init_cfg = dict(type="Pretrained", checkpoint=str(checkpoint))
            cfg.load_from = None  # of the first round; it would take their place
        if not settings["plain"]:
            hook = dict(settings["hook"], type="HardNegativeMiningHook")
            hook["file"] = str(before / HARD_NEGATIVES)
            cfg.custom_hooks = [*(cfg.get("custom_hooks") or []), hook]
            if settings["draw_more"] is not None:
                cfg.train_dataloader.sampler.update(
                    type="MinedImageSampler", **settings["draw_more"]
                )
    place.mkdir(parents=True, exist_ok=True)
    path = place / "config.py"
    write_text(path, cfg.pretty_text)
    seed = settings["seed"] + number
    files = training_digests(cfg)
    return Run(place.name, seed, place, path, config_hash(cfg), train_files=files), before


def _mine(
    run: Run, before: Path | None, tools: Path, mining: Sequence[str], say: Callable[[str], None]
) -> RegionFile:
    """Mine with the weights of a round, unless that was done."""
    out = run.folder / HARD_NEGATIVES
    if not out.exists():
        checkpoint = last_checkpoint(run.folder)
        command = [sys.executable, str(tools / "mine_hard_negatives.py")]
        command += [str(run.config), str(checkpoint), "--out", str(out)]
        if before is not None:
            command += ["--previous", str(before / HARD_NEGATIVES)]
        command += mining
        log = run.folder / "mine.log"
        say(f"{run.label}: mining (log: {log})")
        with open(log, "ab") as output:
            code = start_child(command, output=output).wait()
        if code:
            raise RuntimeError(f"{run.label}: mining ended with {code}, see {log}")
    return RegionFile.read(out)


def _row(run: Run, content: RegionFile, recall: float) -> dict[str, Any]:
    """Figures of a round, on the config's test set."""
    table = match_run(run)
    return dict(
        round=content.round,
        num_hard_negatives=content.info["num_found"],
        mean_loss=content.info["mean_loss"],
        num_regions=len(content.regions),
        **fppi_at_recall(table, recall),
        ap=average_precision(table),
        ap50=average_precision(table, iou_thr=0.5),
    )


def _write_table(
    folder: Path, rows: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], recall: float
) -> None:
    write_json(folder / "rounds.json", dict(settings, recall=recall, rounds=list(rows)))
    text = io.StringIO()
    writer = csv.DictWriter(text, [key for key, _, _ in COLUMNS], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(folder / "rounds.csv", text.getvalue())
    write_text(folder / "rounds.txt", format_table(rows, recall) + "\n")
