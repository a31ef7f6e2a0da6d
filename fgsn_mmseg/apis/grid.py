from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine import Config

from fgsn_mmseg.engine.training_run import tool_command

# Group -> what the names of its configs look like.
_PLAIN = r'fgsn-c\d+_r101-d8_pspnet_1xb1-60k'
GROUPS: dict[str, str] = {
    'main': rf'{_PLAIN}_(cmu|robotcar)-713x713',
    'joined': rf'{_PLAIN}_cmu-robotcar-713x713',
    'starts': r'fgsn-c\d+_r101-d8-[a-z0-9]+-pre_pspnet_1xb1-60k_.*-713x713',
    'ablations': r'fgsn-c\d+_r101-d8_pspnet_1xb1-[a-z]+-60k_.*-713x713',
}
_NAME = re.compile(r'fgsn-c(\d+)_(.+)')


@dataclass
class Experiment:
    """One training of the grid.

    Attributes:
        config (Path): Its config.
        work_dir (Path): Its folder.
        command (list): What trains it, or goes on with it.
    """

    config: Path
    work_dir: Path
    command: list[str]

    @property
    def finished(self) -> bool:
        """Whether the checkpoint of the last iteration is there."""
        iters = Config.fromfile(self.config).train_cfg.max_iters
        return (self.work_dir / f'iter_{iters}.pth').is_file()


def list_experiments(
    configs: str | Path,
    groups: Sequence[str] = ('main',),
    work_dir: str | Path = 'work_dirs',
    gpus: int = 1,
    extra: Sequence[str] = (),
) -> list[Experiment]:
    """List experiments of the paper, those of few clusters first.

    Args:
        configs: Folder of the configs.
        groups: Keys of ``GROUPS``, or regular expressions of whole names
            without the extension. Defaults to the main grid.
        work_dir: Each experiment has its folder in it. Defaults to
            'work_dirs'.
        gpus: Processes of a training, through torchrun if there are several.
            Defaults to 1.
        extra: Further arguments for mmseg's tools/train.py.

    Returns:
        The experiments.

    Raises:
        ValueError: A group has no config, or ``gpus`` is below 1.
    """
    experiments = []
    for config in _select(Path(configs), groups):
        folder = Path(work_dir) / config.stem
        own = [config, '--work-dir', folder, '--resume', *extra]
        command = tool_command('train', *own, gpus=gpus)
        experiments.append(Experiment(config, folder, command))
    return experiments


def _select(folder: Path, groups: Sequence[str]) -> list[Path]:
    """Configs of the groups, each once."""
    chosen: dict[str, Path] = {}
    files = sorted(folder.glob('*.py'), key=_order)
    for group in groups:
        try:
            pattern = re.compile(GROUPS.get(group, group))
        except re.error as error:
            raise ValueError(
                f'`groups` should be of {sorted(GROUPS)} or regular '
                f'expressions, but got {group!r}: {error}.'
            ) from error
        found = [path for path in files if pattern.fullmatch(path.stem)]
        if not found:
            raise ValueError(
                f'`groups` should be of {sorted(GROUPS)} or name configs of '
                f'{str(folder)!r}, but got {group!r}.'
            )
        chosen.update({path.stem: path for path in found})
    return list(chosen.values())


def _order(path: Path) -> tuple[int, str]:
    """By the number of clusters, then by the rest of the name."""
    found = _NAME.fullmatch(path.stem)
    return (int(found[1]), found[2]) if found else (0, path.stem)
