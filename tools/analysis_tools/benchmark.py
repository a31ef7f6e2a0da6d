"""Measure how long training, clustering, inference and loading take.

Prints a section of Markdown with the machine, the date and the versions;
``--out docs/benchmarks.md`` appends it to a file. What is compared takes
turns, and medians count.
"""

from __future__ import annotations

import argparse
import sys

from fgsn_mmseg.apis.benchmarks import (
    Table,
    benchmark_assignment,
    benchmark_clustering,
    benchmark_inference,
    benchmark_loader,
    benchmark_training,
    markdown,
)

RESNET18 = 'mmseg::pspnet/pspnet_r18-d8_4xb2-80k_cityscapes-512x1024.py'
CONFIG = 'config of a network, or mmseg::<family>/<name>.py'
DATA_ROOT = 'set of pairs; without it one is made up'


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    jobs = parser.add_subparsers(dest='job', required=True)
    add_train(_job(jobs, 'train', 'a training iteration and its parts', 5))
    add_clustering(_job(jobs, 'clustering', 'a clustering and its parts', 2))
    add_inference(_job(jobs, 'inference', 'one image, beside mmseg', 3))
    loader = _job(jobs, 'loader', 'pairs per second and core', 5)
    loader.add_argument('--data-root', help=DATA_ROOT)
    loader.add_argument(
        '--short-side', type=int, default=1024, help='of the resized images'
    )
    _size_option(loader, '--crop', (713, 713), 'size of the crops')
    return parser.parse_args()


def _job(
    jobs: argparse._SubParsersAction, name: str, text: str, repeats: int
) -> argparse.ArgumentParser:
    """A subcommand with the options that all have."""
    parser = jobs.add_parser(
        name,
        help=text,
        description=text,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        '--repeats', type=int, default=repeats, help='turns that count'
    )
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    parser.add_argument('--out', help='file to which the section is added')
    return parser


def _size_option(
    parser: argparse.ArgumentParser,
    name: str,
    default: tuple[int, int],
    text: str,
) -> None:
    parser.add_argument(
        name,
        nargs=2,
        type=int,
        metavar=('HEIGHT', 'WIDTH'),
        default=default,
        help=text,
    )


def _processor_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--processor-time',
        action='store_true',
        help='count the processor time of this process, not the time that '
        'passes: for a machine that others use too',
    )


def add_train(parser: argparse.ArgumentParser) -> None:
    """Options of ``train``."""
    parser.add_argument('--config', default=RESNET18, help=CONFIG)
    parser.add_argument('--num-clusters', type=int, default=100, help='K')
    _size_option(parser, '--crop', (256, 256), 'size of the images')
    parser.add_argument(
        '--precision', choices=('fp32', 'bf16'), default='fp32', help='of all'
    )
    parser.add_argument(
        '--teacher-dtype', choices=('bf16', 'fp16'), help='of the teacher'
    )
    parser.add_argument(
        '--channels-last', action='store_true', help='layout of all maps'
    )
    parser.add_argument('--data-root', help=DATA_ROOT)
    _processor_option(parser)


def add_clustering(parser: argparse.ArgumentParser) -> None:
    """Options of ``clustering``."""
    parser.add_argument('--config', default=RESNET18, help=CONFIG)
    parser.add_argument('--num-clusters', type=int, default=100, help='K')
    parser.add_argument(
        '--short-side', type=int, default=512, help='of the images'
    )
    parser.add_argument(
        '--features-per-image', type=int, default=500, help='at most'
    )
    parser.add_argument('--data-root', help=DATA_ROOT)
    _processor_option(parser)


def add_inference(parser: argparse.ArgumentParser) -> None:
    """Options of ``inference``."""
    parser.add_argument(
        '--config', help=f'{CONFIG}; without it a tiny network'
    )
    parser.add_argument(
        '--num-clusters',
        nargs='+',
        type=int,
        default=[19, 100, 1000, 10000],
        help='every K',
    )
    parser.add_argument(
        '--mmseg-limit',
        type=int,
        default=1000,
        help="largest K for mmseg's way, which needs 12 GB for 1,000",
    )
    _size_option(parser, '--size', (1024, 1365), 'of the image')
    _size_option(parser, '--crop', (713, 713), 'of the windows')
    _size_option(parser, '--stride', (476, 476), 'of the windows')


def measure(args: argparse.Namespace) -> list[Table]:
    """Run the benchmark that was asked for."""
    if args.job == 'loader':
        return [
            benchmark_loader(
                args.data_root,
                args.short_side,
                tuple(args.crop),
                args.repeats,
            )
        ]
    if args.job == 'inference':
        return [
            benchmark_inference(
                args.config,
                args.num_clusters,
                args.mmseg_limit,
                tuple(args.size),
                tuple(args.crop),
                tuple(args.stride),
                args.repeats,
                args.device,
            )
        ]
    common = dict(device=args.device, processor=args.processor_time)
    if args.job == 'clustering':
        return [
            benchmark_clustering(
                args.config,
                args.num_clusters,
                args.short_side,
                args.repeats,
                data_root=args.data_root,
                features_per_image=args.features_per_image,
                **common,
            ),
            benchmark_assignment(**common),
        ]
    return [
        benchmark_training(
            args.config,
            args.num_clusters,
            tuple(args.crop),
            args.repeats,
            precision=args.precision,
            options=dict(
                teacher_dtype=args.teacher_dtype,
                channels_last=args.channels_last,
            ),
            data_root=args.data_root,
            **common,
        )
    ]


def main() -> None:
    """Measure, print, and add to the file."""
    args = parse_args()
    try:
        section = markdown(measure(args), args.device)
        if args.out:
            with open(args.out, 'a', encoding='utf-8') as file:
                file.write(f'\n{section}')
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'benchmark.py: {error}')
    print(section)


if __name__ == '__main__':
    main()
