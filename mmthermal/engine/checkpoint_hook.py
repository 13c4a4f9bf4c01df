"""Checkpoints that are there whole or not at all, and older ones until the new one is."""

import os.path as osp
from collections import deque
from pathlib import Path
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmthermal.common.files import write_bytes, write_text

BACKEND = "whole_file"


class WholeFileBackend(LocalBackend):
    """mmengine's files on the disk, written through a temporary file and a rename."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file whole.

        Args:
            obj: its content.
            filepath: where; missing folders are made.
        """
        write_bytes(filepath, obj)


register_backend(BACKEND, WholeFileBackend, force=True)


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """``CheckpointHook`` that loses nothing to a kill or a full disk.

    mmengine's deletes the checkpoints that make room before it writes the new one, writes in
    place, and names the best one by the folder that it was written to. Here a checkpoint takes
    its name when it is complete, older ones go after that, and a work directory may be moved or
    copied.

    Args:
        **kwargs: as ``CheckpointHook``.
    """

    def __init__(self, **kwargs: Any) -> None:
        chosen = kwargs.get("file_client_args") or kwargs.get("backend_args")
        if not chosen and "://" not in str(kwargs.get("out_dir")):  # by it mmengine chooses
            kwargs["backend_args"] = {"backend": BACKEND}
        super().__init__(**kwargs)

    def before_train(self, runner: Runner) -> None:
        """Find the place of the checkpoints, and remove what a kill left of one.

        Args:
            runner: the runner.
        """
        super().before_train(runner)
        if is_main_process():
            for left in Path(self.out_dir).glob(".*.pth.*"):
                left.unlink(missing_ok=True)
        if self.save_best:
            single, paths = self._best()
            self._set_best({key: path and self._here(path) for key, path in paths.items()}, single)

    def _here(self, path: str) -> str:
        """The path of a checkpoint in the folder as it is called now."""
        return str(self.file_backend.join_path(self.out_dir, osp.basename(path)))

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        """Save, then point to it, then remove those that are too many."""
        surplus = []
        if self.max_keep_ckpts > 0:
            kept: deque = self.keep_ckpt_ids
            if not kept or kept[-1] != step:
                if len(kept) == self.max_keep_ckpts:
                    surplus.append(kept.popleft())
                kept.append(step)
                runner.message_hub.update_info("keep_ckpt_ids", list(kept))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self.file_backend.join_path(self.out_dir, name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if is_main_process():
            write_text(Path(runner.work_dir, "last_checkpoint"), str(self.last_ckpt))
            for old in surplus:
                earlier = self.filename_tmpl.format(old)
                if earlier != name:  # a template without a number has one name for all
                    self._remove(self._here(earlier))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        """Save a better one, then remove the one that was the best before."""
        if not self.save_best:
            return
        single, before = self._best()
        self._set_best(dict.fromkeys(before), single)
        super()._save_best_checkpoint(runner, metrics)
        _, after = self._best()
        self._set_best({key: after[key] or before[key] for key in before}, single)
        for key, old in before.items():
            if old and after[key] and old != after[key] and is_main_process():
                self._remove(old)
                runner.logger.info(f"The previous best checkpoint {old} is removed")

    def _best(self) -> tuple[bool, dict[str, str | None]]:
        """Whether there is one best checkpoint, and the paths by what they are best in."""
        if len(self.key_indicators) == 1:
            return True, {"": vars(self)["best_ckpt_path"]}
        return False, dict(self.best_ckpt_path_dict)

    def _set_best(self, paths: dict[str, str | None], single: bool) -> None:
        """Take other paths of the best checkpoints."""
        if single:
            self.__dict__["best_ckpt_path"] = paths[""]
        else:
            self.best_ckpt_path_dict.update(paths)

    def _remove(self, path: str) -> None:
        """Delete a checkpoint; DeepSpeed's are folders."""
        if self.file_backend.isfile(path):
            self.file_backend.remove(path)
        elif self.file_backend.isdir(path):
            self.file_backend.rmtree(path)
