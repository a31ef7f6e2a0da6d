from __future__ import annotations

import os
import os.path as osp
from collections.abc import Callable, Sequence
from typing import Any

from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmseg.registry import DATASETS

from .image_file import is_own_file
from .image_set import pair_pipeline
from .name_list import match_names, read_names

_REMEDY = (
    'Set `data_root` to the folder that holds "correspondence_data" and '
    '"images", or `data_prefix` to these two.'
)


@DATASETS.register_module()
class CorrespondenceDataset(BaseDataset):
    """Image pairs with correspondences, one ``.mat`` file a pair.

    The folder is as the published data sets unpack it::

        <data_root>/
          correspondence_data/*.mat
          images/<a>/<b>/<name>.(jpg|png)
          corr_train.txt    names of .mat files, one a line

    Only names are read here. The pipeline begins with ``LoadCorrespondences``
    (opens the ``.mat`` file) and ``LoadImagePair``.

    Args:
        ann_file (str): List of ``.mat`` names, relative to ``data_root``.
            Names that come twice count once. Defaults to '': all ``.mat``
            files of the folder, sorted.
        data_root (str): Folder of the data set. Defaults to ''.
        data_prefix (dict): Folders of the images (``img_path``) and of the
            ``.mat`` files (``corr_path``) inside ``data_root``. Defaults to
            ``dict(img_path='images', corr_path='correspondence_data')``.
        pipeline (list): Transforms. One of single images, which begins with
            ``LoadImageFromFile``, is made one of pairs. Defaults to none.
        both_directions (bool): Use each pair also with reference and target
            swapped. A pair ``a--b.mat`` whose reverse ``b--a.mat`` is listed
            too is not doubled. Defaults to False.
        **kwargs: As in :class:`mmengine.dataset.BaseDataset`.

    Raises:
        FileNotFoundError: The list, the folder or a listed file is missing.
        ValueError: No pair is left.
    """

    # The same in all subclasses: ConcatDataset joins only equal metainfo.
    METAINFO: dict = dict(dataset_type='correspondence')

    def __init__(
        self,
        ann_file: str = '',
        data_root: str = '',
        data_prefix: dict | None = None,
        pipeline: Sequence[dict | Callable] = (),
        both_directions: bool = False,
        **kwargs: Any,
    ) -> None:
        self.both_directions = both_directions
        folders = dict(img_path='images', corr_path='correspondence_data')
        folders.update(data_prefix or {})
        super().__init__(
            ann_file=ann_file,
            data_root=data_root,
            data_prefix=folders,
            pipeline=pair_pipeline(pipeline),
            **kwargs,
        )

    def load_data_list(self) -> list[dict]:
        """List the pairs.

        Returns:
            list[dict]: For each pair ``corr_path`` (the ``.mat`` file),
            ``img_root`` (what the image paths in it are relative to) and
            ``swap`` (whether reference and target change places).
        """
        corr_root = self.data_prefix['corr_path']
        img_root = self.data_prefix['img_path']
        for key, folder in (('corr_path', corr_root), ('img_path', img_root)):
            if not osp.isdir(folder):
                raise FileNotFoundError(
                    f"`data_prefix['{key}']` should be a folder, but got "
                    f'{folder!r}, which is not there. {_REMEDY}'
                )
        return [
            dict(
                corr_path=osp.join(corr_root, name),
                img_root=img_root,
                swap=swap,
            )
            for name, swap in _directions(
                self._list_names(), self.both_directions
            )
        ]

    def _list_names(self) -> list[str]:
        """Names of the ``.mat`` files: listed, there, and each once."""
        folder = self.data_prefix['corr_path']
        # One listing instead of a look-up a name: network drives are slow.
        present = {n for n in os.listdir(folder) if is_own_file(n)}
        if self.ann_file:
            listed = read_names(self.ann_file)
        else:
            listed = sorted(n for n in present if n.endswith('.mat'))
        source = self.ann_file or folder
        if not listed:
            raise ValueError(
                f'`ann_file` should name at least one pair, but got none in '
                f'{source!r}. {_REMEDY}'
            )
        names, missing = match_names(listed, present)
        missing = [n for n in missing if not osp.isfile(osp.join(folder, n))]
        if missing:
            raise FileNotFoundError(
                f'`ann_file` should name files of {folder!r}, but '
                f'{len(missing)} of the {len(names)} names in {source!r} are '
                f'not there, the first is {missing[0]!r}. Use the list that '
                'belongs to this folder.'
            )
        unique = list(dict.fromkeys(names))
        _tell(source, listed, names, unique)
        return unique


@DATASETS.register_module()
class CMUCorrespondenceDataset(CorrespondenceDataset):
    """Pairs of the CMU Seasons cross-season correspondence data set.

    ``data_root`` is the folder ``CMU`` as published. Its pair files carry
    image paths of three components under ``images``.
    """


@DATASETS.register_module()
class RobotCarCorrespondenceDataset(CorrespondenceDataset):
    """Pairs of the Oxford RobotCar cross-season correspondence data set.

    ``data_root`` is the folder ``ROBOTCAR`` as published. Its pair files
    carry image paths of three components under ``images``.
    """


def _tell(
    source: str, listed: list[str], names: list[str], unique: list[str]
) -> None:
    """Log what a list says otherwise than expected."""
    other = [pair for pair in zip(listed, names) if pair[0] != pair[1]]
    if other:
        print_log(
            f'{source}: {len(other)} of {len(names)} names are taken for '
            f'another file, the first is {other[0][0]!r} for '
            f'{other[0][1]!r}.',
            logger='current',
        )
    if len(unique) < len(names):
        print_log(
            f'{source}: {len(names) - len(unique)} of {len(names)} names '
            'come more than once; each pair is used once.',
            logger='current',
        )


def _directions(
    names: Sequence[str], both_directions: bool
) -> list[tuple[str, bool]]:
    """(name, swap) of each pair, the swapped one right after its pair."""
    listed = set(names)
    pairs = []
    for name in names:
        pairs.append((name, False))
        if both_directions and _reverse_name(name) not in listed:
            pairs.append((name, True))
    return pairs


def _reverse_name(name: str) -> str | None:
    """``b--a.mat`` for ``a--b.mat``; None where the name does not tell."""
    folder, base = osp.split(name)
    stem, suffix = osp.splitext(base)
    parts = stem.split('--')
    if len(parts) != 2:
        return None
    return osp.join(folder, f'{parts[1]}--{parts[0]}{suffix}')
