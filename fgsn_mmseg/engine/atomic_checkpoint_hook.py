from __future__ import annotations

import os
import os.path as osp
import re
from pathlib import Path
from typing import Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmseg.registry import HOOKS

from .. import compat
from ..files import whole_file
from ..models.converters.checkpoint_file import loading_problem

LAST = 'last_checkpoint'
NEEDED = ('meta', 'state_dict', 'message_hub')


@register_backend('atomic')
class AtomicBackend(LocalBackend):
    """Local files that appear under their name when they are complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes beside the file, then move them into its place."""
        with whole_file(filepath) as part, open(part, 'wb') as file:
            file.write(obj)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """mmengine's ``CheckpointHook`` for machines that may stop at any time.

    - Every file is written beside its place and moved into it, and an old
      one is deleted after the new one is there: at any moment the folder
      holds a checkpoint to go on from, and the best one.
    - ``--resume`` passes over checkpoints that do not load, says so, and
      takes the one before.
    - A copied folder goes on by itself: paths of its former place in
      ``last_checkpoint`` and inside of checkpoints are not followed.

    Args:
        *args: See :class:`mmengine.hooks.CheckpointHook`.
        backend_args: Where files go. Defaults to the local disk.
        **kwargs: See :class:`mmengine.hooks.CheckpointHook`.
    """

    def __init__(
        self, *args: Any, backend_args: dict | None = None, **kwargs: Any
    ) -> None:
        backend_args = backend_args or dict(backend='atomic')
        super().__init__(*args, backend_args=backend_args, **kwargs)
        self.replaced: dict[str, str] = {}
        """Paths of the best checkpoints so far, while new ones are made."""

    # ------------------------------------------------------------- resume

    def before_run(self, runner: Any) -> None:
        """Choose what ``--resume`` goes on from, the same on all ranks."""
        if not runner._resume or runner._load_from is not None:
            return
        message: list[Any] = [None]
        if is_main_process():
            try:
                message = [self.newest(runner)]
            except ValueError as error:
                message = [error]  # the other ranks wait for an answer
        broadcast_object_list(message)
        if isinstance(message[0], ValueError):
            raise message[0]
        runner._load_from = message[0]
        runner._resume = message[0] is not None

    def newest(self, runner: Any) -> str | None:
        """Path of the newest checkpoint that loads; None if there is none.

        That is the one named in ``last_checkpoint`` or one of those before
        it: newer ones belong to an earlier run in the same folder.

        Raises:
            ValueError: There are checkpoints, but none of them loads.
        """
        folder = runner.work_dir
        if self.out_dir is not None:
            folder = osp.join(self.out_dir, osp.basename(osp.abspath(folder)))
        numbers = sorted(
            filter(None, map(self._number, Path(folder).glob('*'))),
            reverse=True,
        )
        if not numbers:
            runner.logger.info(f'No checkpoint in {folder} to go on from.')
            return None
        last = Path(runner.work_dir) / LAST
        named = self._number(last.read_text()) if last.is_file() else None
        for number in numbers:
            if named and number > named:
                continue
            path = osp.join(folder, self.filename_tmpl.format(number))
            problem = problem_of(path)
            if problem is None:
                return path
            runner.logger.warning(
                f'{path} does not load ({problem}); the checkpoint before '
                'it is taken.'
            )
        raise ValueError(
            f'`--resume` should find a checkpoint in {folder!r}, but none of '
            f'the {len(numbers)} there loads. Delete them to begin anew.'
        )

    def _number(self, path: str | Path) -> int | None:
        """Iteration or epoch of a checkpoint's path; None for other files."""
        pattern = re.escape(self.filename_tmpl).replace(r'\{\}', r'(\d+)')
        found = re.fullmatch(pattern, osp.basename(str(path).strip()))
        return int(found[1]) if found else None

    def before_train(self, runner: Any) -> None:
        """Get the folder ready; the best checkpoint is one in it."""
        super().before_train(runner)
        last = runner.message_hub.runtime_info.get('last_ckpt')
        if last is not None:  # a resumed run: one to write again
            self.last_ckpt = osp.join(self.out_dir, osp.basename(last))
            if osp.isfile(self.last_ckpt):
                self._point_to_last(runner)
        if self.save_best:
            self._best.update(
                {
                    name: osp.join(self.out_dir, osp.basename(path))
                    for name, path in self._best_paths().items()
                }
            )

    # -------------------------------------------------------------- write

    @property
    def _best(self) -> dict[str, Any]:
        """Where mmengine keeps the paths of the best, to be changed."""
        if len(self.key_indicators) == 1:
            return self.__dict__
        return self.best_ckpt_path_dict

    def _best_paths(self) -> dict[str, str]:
        single = len(self.key_indicators) == 1
        names = ['best_ckpt_path'] if single else self.key_indicators
        return {name: self._best[name] for name in names if self._best[name]}

    def _save_best_checkpoint(self, runner: Any, metrics: dict) -> None:
        if not self.save_best:
            return
        self.replaced = self._best_paths()
        # mmengine deletes before it writes: it is not told of the old ones.
        self._best.update(dict.fromkeys(self.replaced))
        super()._save_best_checkpoint(runner, metrics)
        self._remove_replaced()

    def _remove_replaced(self) -> None:
        """Delete old best checkpoints; those without a better one stay."""
        new = self._best_paths() if self.replaced else {}
        for name, path in self.replaced.items():
            if name not in new:
                self._best[name] = path
            elif path not in new.values():
                self._remove(path)
        self.replaced = {}

    def _save_checkpoint_with_step(
        self, runner: Any, step: int, meta: dict
    ) -> None:
        # From here on a checkpoint names the new best.
        self._remove_replaced()
        if self.max_keep_ckpts > 0:
            kept = [n for n in self.keep_ckpt_ids if n != step] + [step]
            # With the one that goes: if this run dies before it is deleted,
            # mmengine deletes it at the next start.
            runner.message_hub.update_info('keep_ckpt_ids', kept)
        name = self.filename_tmpl.format(step)
        self.last_ckpt = osp.join(self.out_dir, name)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._point_to_last(runner)
        if self.max_keep_ckpts > 0:
            for old in kept[: -self.max_keep_ckpts]:
                self._remove(
                    osp.join(self.out_dir, self.filename_tmpl.format(old))
                )
            kept = kept[-self.max_keep_ckpts :]
            runner.message_hub.update_info('keep_ckpt_ids', kept)
            self.keep_ckpt_ids.clear()
            self.keep_ckpt_ids.extend(kept)

    def _point_to_last(self, runner: Any) -> None:
        if is_main_process():
            with whole_file(Path(runner.work_dir) / LAST) as part:
                Path(part).write_text(self.last_ckpt)

    def _remove(self, path: str) -> None:
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)


def problem_of(path: str | os.PathLike) -> str | None:
    """Why a run can not go on from a checkpoint; None if it can."""
    try:
        content = compat.load_checkpoint_file(os.fspath(path))
    # A broken file may fail in any way.
    except Exception as error:
        return loading_problem(error)
    if not isinstance(content, dict):
        return f'it holds {type(content).__name__}'
    missing = [name for name in NEEDED if name not in content]
    return f'it lacks {", ".join(missing)}' if missing else None
