"""mmseg's own tools from Python, and training with them once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mmengine import Config

from ..files import whole_file

FINISHED = 'finished'


def tool_command(tool: str, *arguments: Any, gpus: int = 1) -> list[str]:
    """Command that runs one of mmseg's tools with this plugin.

    Args:
        tool: Its name, such as 'train'.
        *arguments: Of the tool.
        gpus: Processes, through torchrun if there are several. Defaults to
            1.

    Returns:
        The command, to be run or shown.

    Raises:
        ValueError: ``gpus`` is below 1.
    """
    if gpus < 1:
        raise ValueError(f'`gpus` should be at least 1, but got {gpus!r}.')
    command = [sys.executable, '-m', 'fgsn_mmseg', tool, *map(str, arguments)]
    if gpus > 1:
        launcher = ['torch.distributed.run', '--standalone']
        launcher += ['--nproc-per-node', str(gpus)]
        command[2:2] = [*launcher, '-m']
        command += ['--launcher', 'pytorch']
    return command


def run_command(command: list[str], output: Path | None = None) -> int:
    """Run a command of :func:`tool_command`, also from a bare checkout.

    Args:
        command: The command.
        output: File to which its output is added. Defaults to None: the
            screen.

    Returns:
        Its exit status.
    """
    package = str(Path(__file__).resolve().parents[2])
    paths = [package, os.environ.get('PYTHONPATH', '')]
    env = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))}
    with open(output or os.devnull, 'a') as file:
        return subprocess.run(
            command,
            env=env,
            stdout=file if output else None,
            stderr=subprocess.STDOUT if output else None,
        ).returncode


def with_data_root(config: Config, root: str | os.PathLike) -> Config:
    """Let every data set of a config read from one folder.

    Args:
        config: Changed in place.
        root: The folder, for every ``data_root`` in the config.

    Returns:
        The config.
    """
    config._cfg_dict.update(_moved(config._cfg_dict, str(root)))
    return config


def _moved(part: Any, root: str) -> Any:
    if isinstance(part, dict):
        for key, value in part.items():
            part[key] = root if key == 'data_root' else _moved(value, root)
    elif isinstance(part, (list, tuple)):
        return type(part)(_moved(item, root) for item in part)
    return part


def train_once(
    config: Config, work_dir: str | os.PathLike, quiet: bool = False
) -> Path:
    """Train with mmseg's ``tools/train.py``, unless it was done.

    A run that was cut off is resumed. The config is written to
    ``<work_dir>.py`` first, so that the same training can be started by
    hand.

    Args:
        config: What to train.
        work_dir: Folder of the run.
        quiet: Write the output to ``<work_dir>/output.txt`` instead of the
            screen.

    Returns:
        The last checkpoint.

    Raises:
        RuntimeError: Training failed.
        ValueError: The folder holds a run of another config.
    """
    work_dir = Path(work_dir)
    finished = work_dir / FINISHED
    path = work_dir.with_name(f'{work_dir.name}.py')
    text = config.pretty_text
    if path.exists() and path.read_text() != text:
        raise ValueError(
            f'`work_dir` should hold a run of this config, but got '
            f'{str(work_dir)!r} with another one. Delete the folder, or '
            'choose another.'
        )
    if not finished.exists():
        work_dir.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            Path(part).write_text(text)
        _run_train(path, work_dir, quiet)
        finished.touch()
    last = (work_dir / 'last_checkpoint').read_text().strip()
    return work_dir / Path(last).name  # the folder may have moved


def first_checkpoint(config: Config, work_dir: str | os.PathLike) -> Path:
    """The checkpoint that holds the teacher of the first clustering.

    Args:
        config: Of an FGSN.
        work_dir: Folder of its run.

    Returns:
        Path of the first checkpoint.

    Raises:
        ValueError: The second clustering comes before the first checkpoint.
    """
    (hook,) = [h for h in config.custom_hooks if h.type == 'ClusteringHook']
    interval = config.default_hooks.checkpoint.interval
    if interval > hook.interval:
        raise ValueError(
            'The interval of checkpoints should be at most that of '
            f'clusterings, {hook.interval}, but got {interval}. Change '
            '`default_hooks.checkpoint`.'
        )
    return Path(work_dir) / f'iter_{interval}.pth'


def _run_train(config: Path, work_dir: Path, quiet: bool) -> None:
    arguments = [config, '--work-dir', work_dir]
    if (work_dir / 'last_checkpoint').exists():
        # With both given, mmengine would resume from `load_from`.
        arguments += ['--resume', '--cfg-options', 'load_from=None']
    output = work_dir / 'output.txt' if quiet else None
    status = run_command(tool_command('train', *arguments), output)
    if status:
        where = f' Its output is in {output}.' if quiet else ''
        raise RuntimeError(
            f'Training in {str(work_dir)!r} failed with exit status '
            f'{status}.{where} Start again to resume it.'
        )
