"""A checkpoint of the authors' release -> one for an mmseg config.

Their names say what a layer is; see the table below. Nothing but names
changes: mmseg has the same layers when the config is
``configs/_base_/models/pspnet_r101-d8_fgsn-paper.py`` (first family, stem of
three convolutions) or ``..._fgsn-torchvision.py`` (second family).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from mmseg.datasets import CityscapesDataset
from torch import Tensor

from fgsn_mmseg.clustering.codebook_file import read_codebook

from .checkpoint_file import (
    read_checkpoint,
    refuse_same_file,
    write_checkpoint,
)

_NORM = r'(weight|bias|running_mean|running_var|num_batches_tracked)'
_BLOCK_LAYERS = dict(reduce='1', conv3x3='2', increase='3')
# Name of a pair of convolution and BatchNorm -> the same in mmseg.
_CONV_MODULES = (
    (r'ppm\.stages\.(\d+)\.conv', r'decode_head.psp_modules.\1.1'),
    (r'final\.conv5_4', r'decode_head.bottleneck'),
    (r'aux\.conv4_aux', r'auxiliary_head.convs.0'),
)
# Newer names first: where a file has both, the older ones are left over.
_CLASSIFIERS = (
    ('conv6', 'decode_head.conv_seg'),
    ('conv6_1', 'auxiliary_head.conv_seg'),
    ('final.conv6', 'decode_head.conv_seg'),
    ('aux.conv6_1', 'auxiliary_head.conv_seg'),
)
_TEACHER_PARTS = ('backbone.', 'decode_head.')


@dataclass
class Conversion:
    """What became of a checkpoint.

    Attributes:
        state_dict (dict): Tensors under mmseg's names.
        unplaced (list): Names of the source that have no place, sorted.
        num_classes (int): Outputs of the classifier.
        deep_stem (bool): Whether it is of the first family.
    """

    state_dict: dict[str, Tensor]
    unplaced: list[str]
    num_classes: int
    deep_stem: bool


def convert_keys(state_dict: dict[str, Tensor]) -> Conversion:
    """Give the tensors of an authors' network mmseg's names.

    Args:
        state_dict (dict): Name in the authors' release -> tensor. The prefix
            ``module.`` of a data parallel network is accepted.

    Returns:
        Conversion: The tensors themselves are the same objects.

    Raises:
        ValueError: There is no backbone or no classifier of the authors.
    """
    converted: dict[str, Tensor] = {}
    unplaced = []
    names = sorted(state_dict, key=lambda n: (_is_old_classifier(n), n))
    for name in names:
        target = mmseg_name(re.sub(r'^module\.', '', name))
        if target is None or target in converted:
            unplaced.append(name)
        else:
            converted[target] = state_dict[name]
    backbone = any(name.startswith('backbone.') for name in converted)
    classifier = converted.get('decode_head.conv_seg.weight')
    if not backbone or classifier is None:
        raise ValueError(
            'A checkpoint of the authors should have fcn.* and conv6.weight '
            f'or final.conv6.weight, but got {sorted(state_dict)[:3]} and '
            f'{max(len(state_dict) - 3, 0)} more names.'
        )
    return Conversion(
        converted,
        sorted(unplaced),
        num_classes=len(classifier),
        deep_stem=any(name.startswith('backbone.stem.') for name in converted),
    )


def _is_old_classifier(name: str) -> bool:
    return bool(re.match(r'(module\.)?(final|aux)\.conv6', name))


def mmseg_name(name: str) -> str | None:
    """Translate one parameter's name.

    Args:
        name (str): Name in the authors' release.

    Returns:
        str | None: Name in mmseg's ``EncoderDecoder``; None where there is no
        such thing.

    Example:
        >>> mmseg_name('fcn.layer4.block23.increase.bn.weight')
        'backbone.layer3.22.bn3.weight'
    """
    for source, target in _CLASSIFIERS:
        if name in (f'{source}.weight', f'{source}.bias'):
            return target + name[len(source) :]
    match = re.fullmatch(rf'(.+)\.(conv\.weight|bn\.{_NORM})', name)
    if match:
        module, rest = match[1], match[2]
        for pattern, replacement in _CONV_MODULES:
            if re.fullmatch(pattern, module):
                return f'{re.sub(pattern, replacement, module)}.{rest}'
        return _deep_stem_name(module, rest)
    return _torchvision_name(name)


def _deep_stem_name(module: str, rest: str) -> str | None:
    """A convolution or BatchNorm in the backbone of the first family."""
    kind, parameter = rest.split('.')
    stem = re.fullmatch(r'fcn\.layer1\.conv([123])', module)
    if stem:
        # Three times convolution, BatchNorm, ReLU.
        index = 3 * (int(stem[1]) - 1) + (kind == 'bn')
        return f'backbone.stem.{index}.{parameter}'
    block = re.fullmatch(
        r'fcn\.layer([2-5])\.block(\d+)\.(reduce|conv3x3|increase|proj)',
        module,
    )
    if not block:
        return None
    # Their stem is layer1, and they count blocks from 1.
    prefix = f'backbone.layer{int(block[1]) - 1}.{int(block[2]) - 1}'
    if block[3] == 'proj':
        return f'{prefix}.downsample.{int(kind == "bn")}.{parameter}'
    return f'{prefix}.{kind}{_BLOCK_LAYERS[block[3]]}.{parameter}'


def _torchvision_name(name: str) -> str | None:
    """A parameter in the backbone of the second family."""
    conv = r'(conv[123]|downsample\.0)\.weight'
    norm = rf'(bn[123]|downsample\.1)\.{_NORM}'
    inner = rf'layer[1-4]\.\d+\.({conv}|{norm})'
    match = re.fullmatch(rf'fcn\.(conv1\.weight|bn1\.{_NORM}|{inner})', name)
    return f'backbone.{match[1]}' if match else None


def convert_checkpoint(
    source: str | os.PathLike,
    target: str | os.PathLike,
    codebook: str | os.PathLike | None = None,
) -> Conversion:
    """Convert a file of the authors, and write one that mmseg loads.

    With a codebook the file also holds what an FGSN in training keeps: the
    codebook, and as its teacher the network itself. The authors' teacher is
    not in their file; the two are the same when ``source`` is the network of
    the clustering's iteration.

    Args:
        source (str): Authors' ``.pth``, a bare state dict.
        target (str): Checkpoint to write.
        codebook (str, optional): Their ``centroids_<iteration>.h5`` of the
            same run. Defaults to None.

    Returns:
        Conversion: As written.

    Raises:
        FileNotFoundError: ``source`` or ``codebook`` is not there.
        ValueError: One of the two is not what it should be, or they do not
            belong together.
    """
    refuse_same_file(source, target)
    try:
        conversion = convert_keys(read_checkpoint(source)[1])
    except ValueError as error:
        raise ValueError(f'{os.fspath(source)}: {error}') from error
    state_dict = conversion.state_dict
    if codebook is not None:
        state_dict.update(_labels(state_dict, conversion, codebook))
    # mmseg's `init_model` asks for `meta`, and takes the classes from it.
    meta: dict[str, object] = dict(converted_from=os.path.basename(source))
    if conversion.num_classes == 19 and codebook is None:
        meta['dataset_meta'] = dict(CityscapesDataset.METAINFO)
    write_checkpoint(target, dict(meta=meta, state_dict=state_dict))
    return conversion


def _labels(
    state_dict: dict[str, Tensor],
    conversion: Conversion,
    path: str | os.PathLike,
) -> dict[str, Tensor]:
    """Codebook and teacher of an FGSN."""
    try:
        codebook = read_codebook(path).state_dict()
    except RuntimeError as error:
        text = ' '.join(str(error).split())
        raise ValueError(f'{os.fspath(path)}: {text}') from error
    expected = (
        conversion.num_classes,
        len(state_dict['decode_head.conv_seg.weight'][0]),
    )
    found = _codebook_shape(codebook)
    if found != expected:
        raise ValueError(
            f'{os.fspath(path)} should have {expected[0]} clusters of '
            f'{expected[1]} channels as the checkpoint has, but got {found[0]}'
            f' of {found[1]}. Use the centroids of the same run.'
        )
    labels = {f'codebook.{name}': part for name, part in codebook.items()}
    for name, tensor in state_dict.items():
        if name.startswith(_TEACHER_PARTS) and '.conv_seg.' not in name:
            labels[f'teacher.{name}'] = tensor.clone()
    return labels


def _codebook_shape(codebook: dict[str, Tensor]) -> tuple[int, int]:
    return len(codebook['centroids']), len(codebook['pca_matrix'])
