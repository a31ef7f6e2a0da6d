"""Measure how long training, clustering, inference and loading take.

Prints a section of Markdown with the machine, the date and the versions;
``--out docs/benchmarks.md`` appends it to a file. What is compared takes
turns, and medians count.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import time
from pathlib import Path

import faiss
import psutil
import torch
from prettytable import PrettyTable

import fgsn_mmseg

sys.path.insert(0, str(Path(__file__).parent))
from benchmarks.clustering import (
    benchmark_assignment,
    benchmark_clustering,
    benchmark_label_options,
)
from benchmarks.inference import benchmark_inference
from benchmarks.loader import benchmark_loader
from benchmarks.training import benchmark_training

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
    add_train(_job(jobs, 'train', 'a training iteration and its parts', 10))
    add_clustering(_job(jobs, 'clustering', 'a clustering and its parts', 20))
    add_labels(_job(jobs, 'labels', 'options of a clustering', 20))
    add_inference(_job(jobs, 'inference', 'one image, beside mmseg', 5))
    loader = _job(jobs, 'loader', 'pairs per second and core', 10)
    loader.add_argument('--data-root', help=DATA_ROOT)
    loader.add_argument(
        '--short-side', type=int, default=1024, help='of the resized images'
    )
    _size_option(loader, '--crop', (713, 713), 'size of the crops')
    return parser.parse_args()


def _job(
    jobs: argparse._SubParsersAction, name: str, text: str, seconds: float
) -> argparse.ArgumentParser:
    """A subcommand with the options that all have."""
    parser = jobs.add_parser(
        name,
        help=text,
        description=text,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        '--seconds',
        type=float,
        default=seconds,
        help='how long each part is measured at least',
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


def add_labels(parser: argparse.ArgumentParser) -> None:
    """Options of ``labels``."""
    for flag, default, text in (
        ('--num-clusters', [100, 1000], 'every K'),
        ('--num-features', [100_000], 'every number of features'),
    ):
        parser.add_argument(
            flag, nargs='+', type=int, default=default, help=text
        )
    parser.add_argument('--channels', type=int, default=512, help='C')
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


def measure(args: argparse.Namespace) -> list[PrettyTable]:
    """Run the benchmark that was asked for."""
    options = {
        name: tuple(value) if name in ('size', 'crop', 'stride') else value
        for name, value in vars(args).items()
        if name not in ('job', 'out', 'processor_time')
    }
    if args.job == 'loader':
        del options['device']
        return [benchmark_loader(**options)]
    if args.job == 'inference':
        clusters = options.pop('num_clusters')
        return [benchmark_inference(clusters=clusters, **options)]
    clock = time.process_time if args.processor_time else None
    if args.job == 'clustering':
        assignment = benchmark_assignment(
            seconds=args.seconds / 4, device=args.device, clock=clock
        )
        return [benchmark_clustering(clock=clock, **options), assignment]
    if args.job == 'labels':
        return [
            benchmark_label_options(
                clusters, features, args.channels, args.seconds, clock
            )
            for features in args.num_features
            for clusters in args.num_clusters
        ]
    keys = ('teacher_dtype', 'channels_last')
    further = {key: options.pop(key) for key in keys}
    return [benchmark_training(options=further, clock=clock, **options)]


def section(tables: list[PrettyTable], device: str) -> str:
    """Markdown of some tables, with the machine, the date and versions."""
    from mmseg.utils import collect_env  # after fgsn_mmseg

    env = collect_env()
    names = ('PyTorch', 'MMEngine', 'MMSegmentation', 'OpenCV')
    versions = [f'{name} {env[name]}' for name in names if name in env]
    versions += [f'faiss {faiss.__version__}']
    versions += [f'Python {platform.python_version()}']
    if torch.device(device).type == 'cuda':
        where = torch.cuda.get_device_name(device)
    else:
        cores = f'{torch.get_num_threads()} of {psutil.cpu_count()} cores'
        where = f'{processor()}, {cores}'
    lines = [
        f'## {where}, {datetime.date.today()}',
        f'fgsn-mmseg {fgsn_mmseg.__version__}, {", ".join(versions)}.',
    ]
    for table in tables:
        lines.append(table.get_string())
    return '\n\n'.join(lines) + '\n'


def processor() -> str:
    """Name of the processor."""
    path = Path('/proc/cpuinfo')
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(': ', 1)[1] for line in lines if 'model name' in line]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Measure, print, and add to the file."""
    args = parse_args()
    try:
        text = section(measure(args), args.device)
        if args.out:
            with open(args.out, 'a', encoding='utf-8') as file:
                file.write(f'\n{text}')
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'benchmark.py: {error}')
    print(text)


if __name__ == '__main__':
    main()
