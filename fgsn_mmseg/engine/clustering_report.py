from __future__ import annotations

from typing import Any


def report(
    runner: Any, figures: dict, num_images: int, num_clusters: int
) -> None:
    """One log line and the figures as scalars named ``clustering/...``."""
    runner.logger.info(
        f'Clustering at iteration {runner.iter}: {figures["features"]} '
        f'features of {num_images} images, {figures["used_clusters"]} of '
        f'{num_clusters} clusters used, largest share '
        f'{figures["largest_share"]:.3f}, entropy {figures["entropy"]:.2f} '
        f'bits, inertia {figures["inertia"]:.4f}, '
        f'{figures["seconds"]:.1f} s'
    )
    runner.visualizer.add_scalars(
        {f'clustering/{name}': value for name, value in figures.items()},
        step=runner.iter,
    )
