"""What a texture is told about the points it colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...conditions import Condition


@dataclass
class Samples:
    """Surface points of one material.

    Attributes:
        a: (n,) first texture coordinate of the primitive.
        b: (n,) second texture coordinate.
        s: (n,) a in metres along the first edge.
        t: (n,) b in metres along the second edge.
        width: (n,) length of the first edge, metres.
        height: (n,) length of the second edge, metres.
        xyz: (n, 3) world position, metres.
        normal: (n, 3) unit normal towards the viewer.
        pixel: (n,) size of a sample on a surface that faces it, metres.
        params: (n, 12) parameters of the primitive.
        object_id: (n,) number of the primitive.
        condition: Season, weather and light.
        moment: A number that differs between traversals.
    """

    a: np.ndarray
    b: np.ndarray
    s: np.ndarray
    t: np.ndarray
    width: np.ndarray
    height: np.ndarray
    xyz: np.ndarray
    normal: np.ndarray
    pixel: np.ndarray
    params: np.ndarray
    object_id: np.ndarray
    condition: Condition
    moment: int

    @property
    def colour(self) -> np.ndarray:
        """(n, 3) base colour."""
        return self.params[:, :3]


@dataclass
class Look:
    """What a texture answers.

    Attributes:
        albedo: (n, 3) share of the light that is scattered.
        glow: (n, 3) light of its own, or None.
        shine: (n,) share of the sky that is mirrored, or None.
    """

    albedo: np.ndarray
    glow: np.ndarray | None = None
    shine: np.ndarray | None = None


def rgb(values: Any) -> np.ndarray:
    """Colours (..., 3) as float32."""
    return np.asarray(values, dtype=np.float32)


def paint(
    target: np.ndarray, where: np.ndarray, colour: Sequence[float] | np.ndarray
) -> None:
    """Set the rows `where` of (n, 3) `target` to a colour in place."""
    np.copyto(target, rgb(colour), where=where[:, None])


def blend(
    target: np.ndarray, share: np.ndarray, colour: Sequence[float] | np.ndarray
) -> None:
    """Move the rows of (n, 3) `target` towards a colour in place.

    Args:
        target: (n, 3) colours.
        share: (n,) 0 = stay, 1 = become the colour.
        colour: (3,) or (n, 3).
    """
    target += share[:, None] * (rgb(colour) - target)


def detail(pixel: np.ndarray, size: float) -> np.ndarray:
    """1 where a pattern of this size is resolved, 0 where it is not."""
    return np.clip(1.6 - pixel / size, 0, 1)
