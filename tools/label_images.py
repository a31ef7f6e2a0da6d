"""Label every image of a folder, recursively: 16-bit PNG label maps.

A map has the relative path of its image. Images that have their map are
skipped, so a run that was stopped goes on. Several GPUs:
torchrun --nproc-per-node 4 tools/label_images.py CONFIG CHECKPOINT IMAGES OUT
"""

from __future__ import annotations

import argparse
import sys

import torch
from mmengine import DictAction

import fgsn_mmseg  # noqa: F401  before mmseg
from fgsn_mmseg.apis import (
    label_images,
    load_segmentor,
    rank_from_environment,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('config', help='config of the training or of a test')
    parser.add_argument('checkpoint', help='checkpoint of an FGSN')
    parser.add_argument('images', help='folder of images')
    parser.add_argument('out', help='folder of the label maps')
    parser.add_argument(
        '--preview-dir',
        default=None,
        help='folder for photos with the labels in colours over them',
    )
    parser.add_argument(
        '--batch-size',
        type=int,
        default=1,
        help='images of one size whose windows run together',
    )
    parser.add_argument(
        '--num-workers',
        type=int,
        default=2,
        help='processes that read images; 0 for none',
    )
    parser.add_argument(
        '--device',
        default='auto',
        help="'cpu', 'cuda:0' and so on; 'auto' takes the GPU of the rank, "
        'or the CPU where there is none',
    )
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='label images again that have their map',
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default=None,
        help='keys to override in the config, key=value',
    )
    return parser.parse_args()


def main() -> None:
    """Label, and tell what was done."""
    args = parse_args()
    rank, size, local = rank_from_environment()
    device = args.device
    if device == 'auto':
        device = f'cuda:{local}' if torch.cuda.is_available() else 'cpu'
    try:
        report = label_images(
            load_segmentor(
                args.config, args.checkpoint, device, args.cfg_options
            ),
            args.images,
            args.out,
            args.preview_dir,
            args.batch_size,
            args.num_workers,
            args.overwrite,
            (rank, size),
        )
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(
        f'{report.found} images, {report.skipped} skipped, '
        f'{report.written} label maps written to {args.out}'
        + (f' by process {rank} of {size}' if size > 1 else '')
    )
    if report.failed:
        for text in report.failed[1:]:
            print(text, file=sys.stderr)
        sys.exit(
            f'error: {len(report.failed)} images could not be labelled, the '
            f'first: {report.failed[0]}'
        )


if __name__ == '__main__':
    main()
