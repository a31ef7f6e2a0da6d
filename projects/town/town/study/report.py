"""One page that shows what a training has done."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from fgsn_mmseg.evaluation.survey import PairLabels, Survey
from fgsn_mmseg.visualization import (
    blend_label_map,
    cluster_palette,
    colour_label_map,
)
from fgsn_mmseg.visualization.training_curves import (
    COLOURS,
    Curves,
    draw_training,
)

from ..templates import render_template
from .examples import (
    cluster_consistency,
    example_matches,
    match_patch,
    ranked_clusters,
)
from .tables import Table

CURVE_WINDOW = 5  # logged losses of which the mean is drawn
MAX_NAMES = 30  # clusters that have room for their class below the axis
LEAST_MATCHES = 50
EXAMPLES = 3  # clusters at either end


class PlaceView(NamedTuple):
    """One place in several conditions."""

    names: Sequence[str]
    """Of the conditions."""
    img_paths: Sequence[str]
    """As in the surveys."""


class Picture(NamedTuple):
    """An image inside the page."""

    source: str
    alt: str


def run_report(
    conditions: Table,
    labellings: Table,
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
        conditions: The network in each condition, before and after.
        labellings: All ways to label.
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
    sizes = np.zeros(after.num_clusters)
    for label_map in after.label_maps.values():
        sizes += np.bincount(label_map.ravel(), minlength=len(sizes))
    stationary = [k for k in after.stationary() if sizes[k]]
    return render_template(
        'report.html',
        conditions=conditions,
        labellings=labellings,
        place_names=place.names,
        place_rows=_place_rows(place, before, after),
        curves=svg(draw_training(curves, clusterings, CURVE_WINDOW)),
        sizes=svg(_draw_sizes(sizes, stationary, class_names)),
        used=np.count_nonzero(sizes),
        num_clusters=len(sizes),
        stationary=len(stationary),
        least_matches=LEAST_MATCHES,
        groups=list(dict.fromkeys(group_of(pair) for pair in after.pairs)),
        examples=_examples(after, class_names, group_of),
    )


def picture(image: np.ndarray, alt: str, flat: bool = False) -> Picture:
    """Put an image into the page.

    Args:
        image: (H, W, 3) uint8 RGB.
        alt: What it shows.
        flat: Few colours and hard borders: PNG instead of JPEG.

    Returns:
        What the page's template takes.
    """
    kind = 'png' if flat else 'jpeg'
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    options = [] if flat else [cv2.IMWRITE_JPEG_QUALITY, 85]
    data = cv2.imencode(f'.{kind}', bgr, options)[1].tobytes()
    return Picture(
        f'data:image/{kind};base64,{base64.b64encode(data).decode()}', alt
    )


def svg(figure: Figure) -> Markup:
    """Put a figure into the page, as drawn by matplotlib."""
    buffer = io.StringIO()
    figure.savefig(buffer, format='svg', metadata={'Date': None})
    text = buffer.getvalue()
    return Markup(text[text.index('<svg') :])


def _place_rows(
    place: PlaceView, before: Survey, after: Survey
) -> list[tuple[str, list[Picture]]]:
    """Photos, labels before and after, and labels over the photo."""
    palette = cluster_palette(after.num_clusters)
    rows: dict[str, list[Picture]] = {}
    for name, path in zip(place.names, place.img_paths):
        photo = _read(path)
        over = blend_label_map(
            photo, after.label_maps[path], palette, alpha=0.5
        )
        rows.setdefault('photo', []).append(picture(photo, f'photo, {name}'))
        for when, survey in (('before', before), ('after', after)):
            colours = colour_label_map(survey.label_maps[path], palette)
            rows.setdefault(f'labels {when}', []).append(
                picture(colours, f'labels {when}, {name}', flat=True)
            )
        rows.setdefault('after, over the photo', []).append(
            picture(over, f'labels after over the photo, {name}')
        )
    return list(rows.items())


def _draw_sizes(
    sizes: np.ndarray, stationary: Sequence[int], class_names: Sequence[str]
) -> Figure:
    """A bar for each cluster, largest first."""
    shares = sizes / max(sizes.sum(), 1)
    order = np.argsort(-shares, kind='stable')
    moving = ~np.isin(order, stationary)
    figure = Figure(figsize=(11, 2.6), layout='constrained')
    axes = figure.subplots()
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
        axes.set_xticks(range(len(order)), names, fontsize=6)
    return figure


def _examples(
    after: Survey,
    class_names: Sequence[str],
    group_of: Callable[[PairLabels], str],
) -> dict[str, list[dict[str, Any]]]:
    """The most and the least consistent clusters, a match a condition."""
    shares, total = cluster_consistency(after)
    chosen = ranked_clusters(shares, total, EXAMPLES, LEAST_MATCHES)
    return {
        title: [
            dict(
                cluster=cluster,
                share=shares[cluster],
                total=total[cluster],
                mostly=class_names[cluster],
                pictures={
                    group: _match_picture(*match)
                    for group, match in example_matches(
                        after, cluster, group_of
                    ).items()
                },
            )
            for cluster in clusters
        ]
        for title, clusters in zip(('Most', 'Least'), chosen)
    }


def _match_picture(pair: PairLabels, index: int) -> Picture:
    photos = _read(pair.img_path), _read(pair.img_path2)
    agree = pair.labels[index] == pair.labels2[index]
    return picture(
        match_patch(*photos, pair, index),
        'labels agree' if agree else 'labels differ',
    )


def _read(path: str) -> np.ndarray:
    """Read an image as RGB."""
    image = cv2.imread(path)
    if image is None:
        raise FileNotFoundError(
            f'`path` should be a readable image, but got {path!r}. Write it '
            'anew.'
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
