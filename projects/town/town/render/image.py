"""One image of the town: picture, class map, depth and objects."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from ..camera import Camera
from ..conditions import Condition
from ..noise import fractal_noise
from ..scene.primitives import (
    GROUND,
    MATERIAL_CLASS,
    SKY_CLASS,
    Material,
    Scene,
)
from ..scene.street import Street
from .lighting import Lighting, ShadowMap, sun_direction
from .raster import Buffers, render
from .rays import View
from .shading import shade
from .textures.samples import rgb

# Rays per pixel along each axis. Rays lie on the pixel centres and half-way
# between them: the centres give class and depth, all of them the colour.
_RAYS = 2
_SHADOW_HALF = 34.0


@dataclass
class Rendering:
    """An image and the truth about it.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        labels: (H, W) uint8 Cityscapes train ids.
        depth: (H, W) float32 metres along the optical axis, infinite = sky.
        object_id: (H, W) int32 primitive, -1 = sky.
    """

    image: np.ndarray
    labels: np.ndarray
    depth: np.ndarray
    object_id: np.ndarray


def render_image(
    street: Street,
    scene: Scene,
    car_plans: np.ndarray,
    camera: Camera,
    condition: Condition,
    moment: int,
    rng: np.random.Generator,
) -> Rendering:
    """Render one image.

    Args:
        street: Gives the lamps.
        scene: The street's primitives and those of the traffic.
        car_plans: (C, 4) ground plans of the cars, metres.
        camera: In the street's coordinates.
        condition: Season, weather and hour.
        moment: Number of the traversal.
        rng: Noise of the camera.

    Returns:
        Picture and truth.
    """
    visible = _visible(scene, condition)
    view = View.of_camera(camera, 1 / _RAYS, 1)
    buffers = render(view, scene, visible, condition.leaves or 1.0)
    light = Lighting(condition, moment, street.lamps, None, car_plans)
    if max(condition.sun) > 0.3:
        middle = camera.centre + 0.6 * _SHADOW_HALF * camera.rotation[2]
        light.shadow = ShadowMap(
            scene,
            visible,
            sun_direction(condition),
            middle * [1, 1, 0],
            _SHADOW_HALF,
            min(900, 3 * camera.width),
            condition.leaves or 1.0,
        )
    radiance = shade(view, scene, buffers, light)
    if condition.wet:
        _add_reflection(radiance, view, scene, visible, buffers, light)
    centres = slice(1, -1, _RAYS), slice(1, -1, _RAYS)
    object_id = buffers.object_id[centres].copy()
    labels = np.full(object_id.shape, SKY_CLASS, np.uint8)
    met = object_id >= 0
    labels[met] = MATERIAL_CLASS[scene.material[object_id[met]]]
    return Rendering(
        _develop(radiance, condition, rng),
        labels,
        buffers.depth[centres].copy(),
        object_id,
    )


def _visible(scene: Scene, condition: Condition) -> np.ndarray:
    """(P,) all primitives but the leaves of bare trees."""
    if condition.leaves > 0:
        return np.ones(len(scene), bool)
    evergreen = scene.params[:, 5] > 0
    return (scene.material != Material.LEAF) | evergreen


def _add_reflection(
    radiance: np.ndarray,
    view: View,
    scene: Scene,
    visible: np.ndarray,
    buffers: Buffers,
    light: Lighting,
) -> None:
    """Mirror the street in the wet road.

    The mirror image is what a camera below the ground would see that is
    this one mirrored at z = 0.
    """
    flip = np.array([1.0, 1.0, -1.0])
    xs, ys = view.xs[::_RAYS], view.ys[::_RAYS]
    mirror = View(view.rotation * flip, view.origin * flip, xs, ys)
    above = visible & ~np.isin(scene.material, GROUND)
    seen = render(mirror, scene, above, light.condition.leaves)
    image = shade(mirror, scene, seen, light)
    image = cv2.GaussianBlur(image, (1, 0), 0.6, None, len(ys) / 60)
    height, width = buffers.depth.shape
    image = cv2.resize(image, (width, height))
    ids = np.maximum(buffers.object_id, 0)
    met = buffers.object_id >= 0
    material = scene.material[ids]
    hit = view.world(np.where(met, buffers.depth, 1))
    steep = np.abs(hit[2]) / np.sqrt((hit * hit).sum(0))
    share = 0.06 + 0.75 * (1 - steep) ** 6
    at = hit[:2] + view.origin[:2, None, None].astype(np.float32)
    pools = fractal_noise(at[0] * 0.35, at[1] * 0.7, 3)
    share *= 0.35 + 0.8 * np.clip((pools - 0.42) * 5, 0, 1)
    share *= met & (material == Material.ROAD)
    weight = (share * light.condition.wet)[..., None].astype(np.float32)
    radiance += weight * (image - radiance)


def _develop(
    radiance: np.ndarray, condition: Condition, rng: np.random.Generator
) -> np.ndarray:
    """What the camera makes of the light: (H, W, 3) uint8 BGR."""
    # A tent over two pixels: weights 1/4, 1/2, 1/4 on rays half a pixel
    # apart.
    tent = rgb([0.25, 0.5, 0.25])
    image = cv2.sepFilter2D(np.minimum(radiance, 4), -1, tent, tent)
    image = image[1:-1:_RAYS, 1:-1:_RAYS]
    width = image.shape[1]
    if condition.lamps:
        bloom = cv2.GaussianBlur(
            np.maximum(image - 0.7, 0), (0, 0), width / 60
        )
        image = image + 0.7 * bloom
    if condition.blur:
        image = cv2.GaussianBlur(image, (0, 0), condition.blur * width / 384)
    drift = np.float32(rng.uniform(0.88, 1.12))
    image = image * rgb(condition.tint) * condition.exposure * drift
    image = 1 - np.exp(-1.55 * image)
    image = np.clip(image, 0, 1) ** (condition.contrast / 2.2)
    # A camera's curve: darker shadows, richer colours.
    image = 0.55 * image + 0.45 * image * image * (3 - 2 * image)
    grey = image.mean(-1, keepdims=True)
    image = grey + 1.2 * (image - grey)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    image = 255 * image + condition.noise * noise
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)[..., ::-1].copy()
