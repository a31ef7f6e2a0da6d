"""One page that shows what a training has done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from ..datasets import cluster_palette
from ..evaluation.survey import PairLabels, Survey
from .cluster_examples import (
    cluster_consistency,
    example_matches,
    match_patch,
    ranked_clusters,
)
from .drawing import blend_label_map, colour_label_map
from .html import page, picture, picture_grid, section, svg
from .training_curves import COLOURS, Curves, draw_training

CURVE_WINDOW = 5  # logged losses of which the mean is drawn
MAX_NAMES = 30  # clusters that have room for their class below the axis
LEAST_MATCHES = 50
EXAMPLES = 3  # clusters at either end


@dataclass
class PlaceView:
    """One place in several conditions."""

    names: Sequence[str]
    """Of the conditions."""
    img_paths: Sequence[str]
    """As in the surveys."""


def run_report(
    title: str,
    tables: Sequence[str],
    place: PlaceView,
    before: Survey,
    after: Survey,
    curves: Curves,
    clusterings: Sequence[int],
    class_names: Sequence[str],
    group_of: Callable[[PairLabels], str],
) -> str:
    """Make the page.

    Args:
        title: Heading.
        tables: HTML sections that come first.
        place: What to show in pictures.
        before: Labels of the first teacher.
        after: Labels of the trained network.
        curves: What was logged, see `draw_training`.
        clusterings: Iterations of the clusterings.
        class_names: (K,) what each cluster is mostly, in words.
        group_of: Name of the condition of a pair.

    Returns:
        HTML that needs no other file.
    """
    return page(
        title,
        [
            *tables,
            _place_section(place, before, after),
            _curve_section(curves, clusterings),
            _size_section(after, class_names),
            _example_section(after, class_names, group_of),
        ],
    )


def _place_section(place: PlaceView, before: Survey, after: Survey) -> str:
    palette = cluster_palette(after.num_clusters)
    photos = [_read(path) for path in place.img_paths]
    rows = [['', *(f'<b>{name}</b>' for name in place.names)]]
    rows.append(
        ['<span>photo</span>']
        + [
            picture(image, f'photo, {name}')
            for image, name in zip(photos, place.names)
        ]
    )
    for title, survey in (('before', before), ('after', after)):
        maps = [survey.label_maps[path] for path in place.img_paths]
        rows.append(
            [f'<span>labels {title}</span>']
            + [
                picture(colour_label_map(one, palette), title, flat=True)
                for one in maps
            ]
        )
    rows.append(
        ['<span>after, over the photo</span>']
        + [
            picture(
                blend_label_map(
                    image, after.label_maps[path], palette, alpha=0.5
                ),
                f'labels after, {name}',
            )
            for image, path, name in zip(photos, place.img_paths, place.names)
        ]
    )
    return section(
        'One place in all conditions',
        'A street that was not trained on. One colour is one cluster: what '
        'is the same place should have the same colour in every column. '
        'Before and after are two clusterings: their colours have nothing to '
        'do with each other.',
        picture_grid(rows),
    )


def _curve_section(curves: Curves, clusterings: Sequence[int]) -> str:
    return section(
        'Training',
        'Every clustering draws the classifiers anew and changes the '
        'labels: losses jump there, and curves to the left and to the '
        'right of a dotted line are about different labels.',
        svg(draw_training(curves, clusterings, CURVE_WINDOW)),
    )


def _size_section(after: Survey, class_names: Sequence[str]) -> str:
    sizes = np.zeros(after.num_clusters)
    for label_map in after.label_maps.values():
        sizes += np.bincount(label_map.ravel(), minlength=after.num_clusters)
    shares = sizes / max(sizes.sum(), 1)
    order = np.argsort(-shares, kind='stable')
    stationary = set(after.stationary())
    figure = Figure(figsize=(11, 2.6), layout='constrained')
    axes = figure.subplots()
    moving = np.array([k not in stationary for k in order])
    for name, colour, keep in (
        ('stationary', COLOURS[0], ~moving),
        ('not stationary', COLOURS[3], moving),
    ):
        places = np.flatnonzero(keep)
        axes.bar(places, 100 * shares[order][keep], color=colour, label=name)
    axes.set_xlabel('clusters, largest first')
    axes.set_ylabel('% of all pixels')
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False)
    if len(order) <= MAX_NAMES:
        names = [f'{k}\n{class_names[k]}' for k in order]
        axes.set_xticks(range(len(order)), names, fontsize=7)
    return section(
        'Cluster sizes',
        f'{np.count_nonzero(sizes)} of {after.num_clusters} clusters are '
        f'used in the held-out images, {len(stationary)} are stationary: '
        'they lie where correspondences are. Below a cluster, what it is '
        'mostly.',
        svg(figure),
    )


def _example_section(
    after: Survey,
    class_names: Sequence[str],
    group_of: Callable[[PairLabels], str],
) -> str:
    shares, total = cluster_consistency(after)
    chosen = ranked_clusters(shares, total, EXAMPLES, LEAST_MATCHES)
    groups = list(dict.fromkeys(group_of(pair) for pair in after.pairs))
    parts = []
    for title, clusters in zip(('Most', 'Least'), chosen):
        rows = [['', *(f'<b>{name}</b>' for name in groups)]]
        for cluster in clusters:
            examples = example_matches(after, cluster, group_of)
            rows.append(
                [
                    f'<span><b>cluster {cluster}</b><br>{shares[cluster]:.0%}'
                    f' of {total[cluster]}<br>mostly '
                    f'{class_names[cluster]}</span>',
                    *(_example(examples.get(name)) for name in groups),
                ]
            )
        parts.append(f'<h3>{title} consistent</h3>')
        parts.append(picture_grid(rows, '120px'))
    return section(
        'The most and the least consistent clusters',
        'The share of matches that start in a cluster and also end in it, '
        f'among clusters with at least {LEAST_MATCHES} matches; with one '
        'match a condition: left the reference, right the target, framed '
        'green where both labels are equal.',
        *parts,
    )


def _example(match: tuple[PairLabels, int] | None) -> str:
    if match is None:
        return '<span>no match</span>'
    pair, index = match
    patch = match_patch(_read(pair.img_path), _read(pair.img_path2), *match)
    agree = pair.labels[index] == pair.labels2[index]
    return picture(patch, 'labels agree' if agree else 'labels differ')


def _read(path: str) -> np.ndarray:
    """Read an image as RGB."""
    image = cv2.imread(str(Path(path)))
    if image is None:
        raise FileNotFoundError(
            f'`path` should be a readable image, but got {path!r}. Write it '
            'anew.'
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
