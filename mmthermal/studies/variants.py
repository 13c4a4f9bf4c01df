"""One change at a time from a config: write the variants, train and compare them."""

import copy
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmthermal.common.checks import did_you_mean
from mmthermal.common.files import write_text
from mmthermal.studies.command import compare_command


@dataclass(frozen=True)
class Ablation:
    """A config and changes to it.

    Attributes:
        base: the config that the variants change.
        variants: dotted keys and values of each variant, the one to compare with first.
    """

    base: Path
    variants: Mapping[str, Mapping[str, Any]]


def read_ablation(path: str | Path, *, only: Sequence[str] = ()) -> Ablation:
    """Read an ablation file, such as ``configs/ablations/retina.py``.

    Args:
        path: a file with ``base``, a config relative to the file, and ``variants``.
        only: names of the variants to keep beside the first; all if empty.

    Returns:
        the ablation.

    Raises:
        FileNotFoundError: if the file or its base doesn't exist.
        ValueError: if it lacks ``base`` or ``variants``, or has no variant of a name in ``only``.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no ablation file {str(path)!r}")
    cfg = Config.fromfile(path)
    missing = [key for key in ("base", "variants") if not cfg.get(key)]
    if missing:
        raise ValueError(f"{path} lacks {' and '.join(missing)}: see configs/ablations/retina.py")
    base = Path(os.path.normpath(Path(path).parent / cfg.base))
    if not base.is_file():
        raise FileNotFoundError(f"{path} changes {str(base)!r}, which doesn't exist")
    variants = cfg.variants.to_dict()
    check_variants(only, variants, f"in {path}")
    first = next(iter(variants))
    kept = {n: v for n, v in variants.items() if not only or n in only or n == first}
    return Ablation(base, kept)


def check_variants(names: Iterable[str], known: Collection[str], where: str) -> None:
    """Raise if a name is none of the variants.

    Args:
        names: what was asked for.
        known: the variants that there are.
        where: where they are, for the message, as in ``in ablation.py``.

    Raises:
        ValueError: naming the unknown, the known and ``where``.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        have = ", ".join(known) or "none"
        raise ValueError(f"no variant {', '.join(unknown)} {where}: there are {have}")


def write_variants(ablation: Ablation, folder: str | Path) -> list[Path]:
    """Write a config of a few lines for each variant, after a check of all.

    Each variant's model is built once, so that a misspelt setting is told before anything trains.

    Args:
        ablation: the base and its changes.
        folder: where the configs go, as ``<variant>.py``; made if absent.

    Returns:
        the configs, in order.

    Raises:
        ValueError: if a variant changes a section that the base doesn't have.
        TypeError: if a loss, head or sampler doesn't know a setting.
    """
    folder = Path(folder)
    base_cfg = Config.fromfile(ablation.base)
    sections = base_cfg.to_dict()
    texts = {}
    for name, changes in ablation.variants.items():
        for key in changes:
            _check_section(sections, name, key)
        cfg = copy.deepcopy(base_cfg)
        cfg.merge_from_dict(dict(changes))
        init_default_scope(cfg.get("default_scope", "mmdet"))
        MODELS.build(cfg.model)
        delta = Config()
        delta.merge_from_dict(dict(changes))
        lines = [f"{section} = {value!r}" for section, value in delta.to_dict().items()]
        base = os.path.relpath(ablation.base, folder)
        texts[folder / f"{name}.py"] = "\n".join([f"_base_ = {base!r}", *lines, ""])
    return [write_text(path, text) for path, text in texts.items()]


def _check_section(cfg: Mapping, name: str, key: str) -> None:
    """Raise if all of a dotted key but its last word is not in the config."""
    node: Any = cfg
    for word in key.split(".")[:-1]:
        if not isinstance(node, Mapping) or word not in node:
            known = list(node) if isinstance(node, Mapping) else []
            hint = did_you_mean(word, known) or f"there is {', '.join(known)}"
            raise ValueError(f"variant {name!r} changes {key!r}: the base has no {word!r}; {hint}")
        node = node[word]


def ablate(
    path: str | Path,
    *,
    work_dir: str | Path,
    tools_dir: str | Path,
    seeds: Sequence[int] = (0, 1, 2),
    only: Sequence[str] = (),
    cfg_options: Sequence[str] = (),
    jobs: int = 1,
    gpus: Sequence[str] = (),
) -> dict[str, Any]:
    """Train every variant with every seed and compare each with the first.

    What is already trained in ``work_dir`` is kept, so that an interrupted ablation goes on.

    Args:
        path: as :func:`read_ablation`.
        work_dir: takes the configs, the runs and the report.
        tools_dir: folder of ``train.py`` and ``test.py``.
        seeds: of the trainings.
        only: as :func:`read_ablation`.
        cfg_options: ``key=value`` for every run.
        jobs: runs at a time on the CPU.
        gpus: devices, one run at a time on each.

    Returns:
        the comparison, as :func:`~mmthermal.studies.command.compare_command`.
    """
    configs = write_variants(read_ablation(path, only=only), Path(work_dir) / "configs")
    return compare_command(
        configs=configs,
        seeds=seeds,
        work_dir=work_dir,
        tools_dir=tools_dir,
        cfg_options=cfg_options,
        jobs=jobs,
        gpus=gpus,
    )
