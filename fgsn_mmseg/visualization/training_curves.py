from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Curves = Mapping[str, Sequence[tuple[int, float]]]
COLOURS = (
    '#1f6fb4',
    '#d1495b',
    '#2e8b57',
    '#c98b1b',
    '#6a4c93',
    '#4a4a4a',
    '#17a2b8',
    '#a0522d',
)
# Scalar -> how it is called in the picture.
_BITS = {
    'match_bits': 'match bits',
    'teacher_match_bits': 'match bits of the teacher',
    'mutual_information': 'mutual information',
}
_SHARES = {
    'agreement': 'agreement',
    'chance': 'expected by chance',
    'teacher_agreement': 'agreement of the teacher',
}


def draw_training(
    curves: Curves, clusterings: Sequence[int] = (), smooth: int = 1
) -> Figure:
    """Draw a training: losses, agreement and clusters over the iterations.

    Args:
        curves: Name of a scalar -> (iteration, value) pairs. Losses are all
            names with ``loss`` in them; the names of
            :class:`~fgsn_mmseg.evaluation.CorrespondenceMetric` and of the
            ClusteringHook are known. Missing ones leave a gap.
        clusterings: Iterations to be marked.
        smooth: Logged values of a loss of which the mean is drawn; the
            values themselves stay visible behind it. Defaults to 1.

    Returns:
        A figure to save; it belongs to no window.

    Raises:
        ValueError: ``smooth`` is below 1.
    """
    if smooth < 1:
        raise ValueError(f'`smooth` should be at least 1, got {smooth!r}.')
    figure = Figure(figsize=(12, 8), layout='constrained')
    axes = figure.subplots(2, 2, sharex=True).ravel()
    losses = sorted(
        name
        for name in curves
        if re.search(r'(^|\.)loss', name) and not name.startswith('val_')
    )
    _draw(axes[0], curves, {name: name for name in losses}, smooth)
    axes[0].set_title('Losses of training')
    _draw(axes[1], curves, _BITS, marker='o')
    axes[1].set_title('Validation: what equal labels tell, in bits')
    _draw(axes[2], curves, _SHARES, marker='o')
    axes[2].set_title('Validation: share of matches with equal labels')
    axes[2].set_ylim(-0.02, 1.02)
    _draw_clusters(axes[3], curves)
    for ax in axes:
        for iteration in clusterings:
            ax.axvline(iteration, color='#999999', lw=0.8, ls=':', zorder=0)
        ax.grid(axis='y', color='#e6e6e6', lw=0.6)
        ax.spines[['top', 'right']].set_visible(False)
        if ax.lines and ax.get_legend_handles_labels()[0]:
            ax.legend(fontsize=8, frameon=False)
    for ax in axes[2:]:
        ax.set_xlabel('iteration (dotted: a clustering)')
    return figure


def _draw(
    ax: Axes,
    curves: Curves,
    names: dict[str, str],
    smooth: int = 1,
    marker: str = '',
) -> None:
    """Draw some curves, as far as they are there."""
    there = [name for name in names if curves.get(name)]
    for i, name in enumerate(there):
        steps, values = (np.array(part) for part in zip(*curves[name]))
        colour = COLOURS[i % len(COLOURS)]
        if smooth > 1:
            ax.plot(steps, values, color=colour, lw=0.6, alpha=0.3)
            values = moving_mean(values, smooth)
        ax.plot(
            steps,
            values,
            color=colour,
            lw=1.6,
            marker=marker,
            ms=4,
            label=names[name],
        )
    if not there:
        ax.text(
            *(0.5, 0.5, 'nothing logged'),
            ha='center',
            transform=ax.transAxes,
            color='#777777',
        )


def _draw_clusters(ax: Axes, curves: Curves) -> None:
    """Sizes of the clusters at each clustering, and labels in validation."""
    sizes = dict(curves)
    entropy = curves.get('clustering/entropy', ())
    # As many equal clusters have the same entropy.
    sizes['effective'] = [(step, 2**bits) for step, bits in entropy]
    _draw(
        ax,
        sizes,
        {
            'clustering/used_clusters': 'clusters with features',
            'effective': 'effective number of clusters, 2^entropy',
            'used_clusters': 'labels at validation matches',
        },
        marker='o',
    )
    ax.set_ylim(bottom=0)
    ax.set_title('Cluster sizes')
    largest: list[tuple[int, float]] = list(
        curves.get('clustering/largest_share', ())
    )
    if largest:
        twin = ax.twinx()
        steps, values = zip(*largest)
        twin.plot(
            steps,
            [100 * value for value in values],
            color=COLOURS[5],
            ls='--',
            lw=1.2,
            marker='s',
            ms=4,
        )
        twin.set_ylim(bottom=0)
        twin.set_ylabel('features in the largest, % (dashed)')
        twin.spines['top'].set_visible(False)


def moving_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Mean of each value and the ones before it.

    Args:
        values: (T,).
        window: Values in a mean; fewer at the beginning.

    Returns:
        (T,) float64.
    """
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - window, 0)
    return (total[ends] - total[starts]) / (ends - starts)
