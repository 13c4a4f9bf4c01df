"""A study: named variants, each a config and changes to it; read from a file, written as configs.

A study is a config file (``configs/studies/*.py``)::

    base = '../thermal/retina_composite.py'   # of the variants that name no config
    variants = {
        'composite': {},
        'beta_2': dict(options={'model.bbox_head.loss_composite.beta': 2.0}),
        'focal': dict(config='../retinanet/retina_focal_synthetic.py'),
    }
    baseline = 'composite'                    # what others are compared with; else the first
    groups = {'main': ['composite', 'focal']} # names for several, for --only
    custom_imports = dict(imports=['mine'])   # modules that the variants need besides the configs'

Configs are relative to the study, as ``_base_`` is. Other names in the file are its own.
"""

import copy
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmthermal.common.checks import did_you_mean
from mmthermal.common.config import merge_options, read_config
from mmthermal.common.files import write_text

VARIANT_KEYS = ("config", "options")


@dataclass(frozen=True)
class Variant:
    """A config and changes to it.

    Attributes:
        name: of the variant, its config and its folder of runs.
        config: the file that is changed.
        options: values by dotted key.
    """

    name: str
    config: Path
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Study:
    """Variants that belong together.

    Attributes:
        name: of the study.
        variants: by name, in order.
        baseline: name of the variant that others are compared with.
        groups: names of variants by the name of their group.
        imports: modules that register parts of the variants.
    """

    name: str
    variants: Mapping[str, Variant]
    baseline: str
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    imports: Sequence[str] = ()

    def select(self, only: Sequence[str]) -> "Study":
        """The study with some of its variants, in the study's order.

        Args:
            only: names of variants and groups to keep; all variants if empty.

        Returns:
            the study.

        Raises:
            ValueError: if a name is neither a variant nor a group.
        """
        check_variants(only, [*self.variants, *self.groups], f"in the study {self.name}")
        kept = {name for word in only for name in self.groups.get(word, [word])}
        variants = {n: v for n, v in self.variants.items() if not only or n in kept}
        return replace(self, variants=variants)

    def as_text(self) -> str:
        """A line for each variant: name, config, number of changes, groups; the baseline marked."""
        lines = []
        for name, variant in self.variants.items():
            num = len(variant.options)
            more = [f"{num} change{'s' * (num > 1)}"] if num else []
            more += [group for group, members in self.groups.items() if name in members]
            more += ["baseline"] if name == self.baseline else []
            lines.append(f"{name}: {variant.config}" + (f" ({', '.join(more)})" if more else ""))
        return "\n".join(lines)


def read_study(path: str | Path) -> Study:
    """Read a study.

    Args:
        path: the file; see the head of this module for what it holds.

    Returns:
        the study, named after the file.

    Raises:
        FileNotFoundError: if the file or a variant's config doesn't exist.
        ValueError: if the file has no variants, or one of them is not as described.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no study {str(path)!r}: see configs/studies")
    cfg = Config.fromfile(path)
    entries = cfg["variants"].to_dict() if cfg.get("variants") else {}
    if not entries:
        raise ValueError(f"{path} lacks variants: see configs/studies for examples")
    variants = {
        name: _variant(path, name, entry, cfg.get("base")) for name, entry in entries.items()
    }
    groups = {name: list(names) for name, names in (cfg.get("groups") or {}).items()}
    for name, members in groups.items():
        check_variants(members, variants, f"for the group {name!r} in {path}")
        if name in variants:
            raise ValueError(f"{path}: {name!r} is a group and a variant: rename one of them")
    baseline = cfg.get("baseline") or next(iter(variants))
    check_variants([baseline], variants, f"for the baseline in {path}")
    imports = (cfg.get("custom_imports") or {}).get("imports") or []
    imports = [imports] if isinstance(imports, str) else list(imports)
    return Study(path.stem, variants, baseline, groups, imports)


def _variant(path: Path, name: str, entry: Any, base: str | None) -> Variant:
    """Check an entry of a study's variants."""
    unknown = [key for key in entry if key not in VARIANT_KEYS] if isinstance(entry, dict) else None
    if unknown is None or unknown:
        what = f"has {', '.join(unknown)}" if unknown else "is not a dict"
        raise ValueError(f"{path}: variant {name!r} {what}: give config and options=dict(…)")
    config = entry.get("config", base)
    if config is None:
        raise ValueError(f"{path}: variant {name!r} has no config: give it one or set base")
    file = Path(os.path.normpath(path.parent / config))
    if not file.is_file():
        raise FileNotFoundError(f"{path}: variant {name!r} changes {str(file)!r}, which is missing")
    return Variant(name, file, entry.get("options") or {})


def check_variants(names: Iterable[str], known: Collection[str], where: str) -> None:
    """Raise if a name is none of the variants.

    Args:
        names: what was asked for.
        known: the variants that there are.
        where: where they are, for the message, as in ``in study.py``.

    Raises:
        ValueError: naming the unknown, the known and ``where``.
    """
    unknown = [name for name in names if name not in known]
    if unknown:
        have = ", ".join(known) or "none"
        raise ValueError(f"no variant {', '.join(unknown)} {where}: there are {have}")


def write_variants(study: Study, folder: str | Path) -> list[Path]:
    """Write a config of a few lines for each variant, after a check of all.

    Each variant's model is built once, so that a misspelt setting is reported before any training
    starts.

    Args:
        study: its variants.
        folder: where the configs go, as ``<variant>.py``; made if absent.

    Returns:
        the configs, in order.

    Raises:
        ValueError: if a variant changes a section that its config doesn't have.
        TypeError: if a loss, head or sampler doesn't know a setting.
        ImportError: if a module of ``custom_imports`` can't be imported.
    """
    folder = Path(folder)
    bases: dict[Path, Config] = {}
    texts = {}
    for variant in study.variants.values():
        if variant.config not in bases:
            bases[variant.config] = read_config(variant.config)
        changes = _with_imports(variant.options, bases[variant.config], study.imports)
        _check_variant(variant.name, bases[variant.config], changes)
        delta = Config()
        delta.merge_from_dict(dict(changes))
        lines = [f"{section} = {value!r}" for section, value in delta.to_dict().items()]
        base = os.path.relpath(variant.config, folder)
        texts[folder / f"{variant.name}.py"] = "\n".join([f"_base_ = {base!r}", *lines, ""])
    return [write_text(path, text) for path, text in texts.items()]


def _with_imports(
    options: Mapping[str, Any], base: Config, imports: Sequence[str]
) -> dict[str, Any]:
    """Add the study's own modules to those that a config imports."""
    if not imports:
        return dict(options)
    key = "custom_imports.imports"
    known = options.get(key, (base.get("custom_imports") or {}).get("imports") or [])
    known = [known] if isinstance(known, str) else list(known)
    return {**options, key: [*known, *(name for name in imports if name not in known)]}


def _check_variant(name: str, base: Config, changes: Mapping[str, Any]) -> None:
    """Raise if a change names no section, or the changed model can't be built."""
    sections = base.to_dict()
    for key in changes:
        _check_section(sections, name, key)
    cfg = copy.deepcopy(base)
    merge_options(cfg, changes)
    init_default_scope(cfg.get("default_scope", "mmdet"))
    MODELS.build(cfg.model)


def _check_section(cfg: Mapping, name: str, key: str) -> None:
    """Raise if all of a dotted key but its last word is not in the config."""
    *words, _ = key.split(".")
    node: Any = cfg
    for number, word in enumerate(words):
        if not isinstance(node, Mapping):
            whole = ".".join(words[:number])
            raise ValueError(f"variant {name!r} changes {key!r}: give the whole {whole!r}, no dict")
        if word not in node:
            hint = did_you_mean(word, list(node)) or f"there is {', '.join(node)}"
            raise ValueError(
                f"variant {name!r} changes {key!r}: its config has no {word!r}; {hint}"
            )
        node = node[word]
