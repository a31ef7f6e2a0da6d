"""How large a world is, and the traversals through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from .conditions import CONDITIONS, REFERENCE


class Traversal(NamedTuple):
    """One drive through all streets."""

    name: str
    condition: str


# The second drive in the reference condition shows how well labels agree
# when only viewpoint and traffic differ.
TRAVERSALS: tuple[Traversal, ...] = tuple(
    [Traversal(REFERENCE, REFERENCE), Traversal(f'{REFERENCE}2', REFERENCE)]
    + [Traversal(name, name) for name in CONDITIONS if name != REFERENCE]
)


class ImageKey(NamedTuple):
    """Which image: numbers of street, place in it, and traversal."""

    street: int
    place: int
    traversal: int


@dataclass(frozen=True)
class WorldSettings:
    """Everything that decides what a world looks like.

    Attributes:
        seed: Of streets, traffic, poses and noise.
        width: Image width in pixels.
        height: Image height in pixels.
        train_streets: Number of streets for training.
        val_streets: Number of other streets for validation.
        places: Reference images in each street.
        spacing: Metres between neighbouring places.
        max_points: At most this many correspondences a pair.
        point_density: Factor on the number of points in the map.
        noise_px: Standard deviation of noise on the correspondences, pixels.
        wrong_share: Share of correspondences that lead to a wrong point,
            0..1.
        save_depth: Also write depth maps.
    """

    seed: int = 0
    width: int = 384
    height: int = 288
    train_streets: int = 6
    val_streets: int = 2
    places: int = 5
    spacing: float = 5.0
    max_points: int = 800
    point_density: float = 1.0
    noise_px: float = 0.0
    wrong_share: float = 0.0
    save_depth: bool = False

    def __post_init__(self) -> None:
        for name in ('train_streets', 'places', 'max_points'):
            _check(getattr(self, name) >= 1, name, 'at least 1', self)
        for name in ('seed', 'val_streets', 'noise_px', 'point_density'):
            _check(getattr(self, name) >= 0, name, 'at least 0', self)
        for name in ('width', 'height'):
            _check(getattr(self, name) >= 32, name, 'at least 32', self)
        _check(self.spacing > 0, 'spacing', 'above 0', self)
        _check(0 <= self.wrong_share <= 1, 'wrong_share', 'in 0..1', self)

    @property
    def streets(self) -> int:
        """Number of all streets; those for training come first."""
        return self.train_streets + self.val_streets

    @property
    def street_length(self) -> float:
        """Metres between the closed ends of a street."""
        return 32.0 + self.spacing * (self.places - 1) + 14.0

    def image_keys(self) -> list[ImageKey]:
        """All images in order."""
        return [
            ImageKey(street, place, traversal)
            for street in range(self.streets)
            for place in range(self.places)
            for traversal in range(len(TRAVERSALS))
        ]


def _check(good: bool, name: str, expectation: str, settings: Any) -> None:
    if not good:
        value = getattr(settings, name)
        raise ValueError(
            f'`{name}` should be {expectation}, but got {value!r}. '
            'Change the setting or leave it out.'
        )


SIZES: dict[str, WorldSettings] = {
    'tiny': WorldSettings(
        width=128,
        height=96,
        train_streets=1,
        val_streets=1,
        places=2,
        max_points=200,
    ),
    # The next one, at half the work: networks see it at 144 pixels height.
    'demo': WorldSettings(width=256, height=192),
    'study': WorldSettings(),
    'full': WorldSettings(
        width=640,
        height=480,
        train_streets=45,
        val_streets=15,
        places=9,
        max_points=2000,
        point_density=2.0,
    ),
}


def settings_for(size: str, **changes: Any) -> WorldSettings:
    """Settings of a size with some of them changed.

    Args:
        size: 'tiny', 'demo', 'study' or 'full'.
        changes: Fields of WorldSettings; None leaves the size's own value.

    Returns:
        The settings.

    Raises:
        ValueError: There is no such size, or a value is out of range.
    """
    if size not in SIZES:
        raise ValueError(
            f'`size` should be one of {sorted(SIZES)}, but got {size!r}. '
            'Choose a size and change single settings if none fits.'
        )
    given = {k: v for k, v in changes.items() if v is not None}
    return replace(SIZES[size], **given)


def image_name(key: ImageKey) -> str:
    """Path of an image below images/ without its extension.

    The first and the third component together name it alone, as users of
    the published sets expect.
    """
    name = TRAVERSALS[key.traversal].name
    stem = f's{key.street:03d}_p{key.place:03d}_{name}'
    return f'street{key.street:03d}/{name}/{stem}'


def pair_name(key: ImageKey) -> str:
    """Name of the file with a pair's correspondences."""
    first = TRAVERSALS[0].name
    second = TRAVERSALS[key.traversal].name
    return f's{key.street:03d}_p{key.place:03d}_{first}_{second}.mat'


def observation_path(root: Path, key: ImageKey) -> Path:
    """File with the points that an image sees: `index`, `pixels`."""
    return root / 'observations' / f'{image_name(key)}.npz'
