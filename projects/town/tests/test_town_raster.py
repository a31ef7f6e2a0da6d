from __future__ import annotations

import numpy as np
import pytest
from naive_ray_caster import cast

from town.camera import Camera, look_rotation, street_camera
from town.conditions import CONDITIONS
from town.render.raster import render
from town.render.rays import View
from town.scene.primitives import MATERIAL_CLASS, Cutout, Material, Scene
from town.settings import TRAVERSALS, ImageKey
from town.world.images import render_key, scene_of


def simple_scene():
    scene = Scene()
    scene.quad((-50, -50, 0), (100, 0, 0), (0, 100, 0), Material.ROAD)
    scene.box((8, -3, 0), (10, -1, 2.5), Material.WALL)
    scene.cylinder((6, 1, 0), 0.3, 3.0, Material.POLE)
    scene.ellipsoid((12, 4, 3), (2, 1, 1.5), Material.LEAF)
    scene.quad(
        (7, -0.5, 1),
        (0, 1, 0),
        (0, 0, 1),
        Material.SIGN,
        cutout=Cutout.DISC,
    )
    return scene


def simple_camera():
    rotation = look_rotation(0.05, -0.04, 0.1)
    centre = np.array([0.0, 0.3, 1.6])
    return Camera(41, 29, 24.0, rotation, -rotation @ centre)


def ray(camera, x, y):
    local = np.append(([x, y] - camera.principal_point) / camera.focal, 1)
    return local @ camera.rotation


def test_every_pixel_of_a_simple_scene_as_a_naive_ray_caster():
    scene, camera = simple_scene(), simple_camera()
    everything = np.ones(len(scene), bool)
    seen = render(View.of_camera(camera, 1, 0), scene, everything)
    assert seen.depth.shape == (29, 41)
    assert len(np.unique(seen.object_id)) >= 6
    for y in range(29):
        for x in range(41):
            direction = ray(camera, x, y)
            depth, which = cast(scene, everything, camera.centre, direction)
            assert seen.object_id[y, x] == which, (x, y)
            assert seen.depth[y, x] == pytest.approx(depth, rel=1e-4)


def test_parallel_rays_as_a_naive_ray_caster():
    scene = simple_scene()
    forward = np.array([0.5, 0.3, -0.8])
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    origin = np.array([8.0, 0, 0]) - 30 * forward
    grid = np.linspace(-6.03, 6.03, 31)
    view = View(rotation, origin, grid, grid, parallel=True)
    everything = np.ones(len(scene), bool)
    seen = render(view, scene, everything)
    for row, y in enumerate(grid):
        for col, x in enumerate(grid):
            start = origin + x * rotation[0] + y * rotation[1]
            depth, which = cast(scene, everything, start, forward)
            assert seen.object_id[row, col] == which
            assert seen.depth[row, col] == pytest.approx(depth, rel=1e-4)


def test_the_ray_grid_of_an_image_passes_the_pixel_centres():
    camera = simple_camera()
    fine = View.of_camera(camera, 0.5, 1)
    coarse = View.of_camera(camera, 1, 0)
    np.testing.assert_allclose(fine.xs[1:-1:2], coarse.xs, atol=1e-6)
    np.testing.assert_allclose(fine.ys[1:-1:2], coarse.ys, atol=1e-6)


@pytest.mark.parametrize('traversal', [0, 3, 6])
def test_class_maps_agree_with_an_independent_ray_cast(tiny, traversal):
    key = ImageKey(0, 1, traversal)
    rendering = render_key(tiny, key)
    scene, _ = scene_of(tiny, key)
    camera = street_camera(tiny, key)
    condition = CONDITIONS[TRAVERSALS[traversal].condition]
    bare = condition.leaves == 0
    crown = (scene.material == Material.LEAF) & (scene.params[:, 5] == 0)
    visible = ~crown if bare else np.ones(len(scene), bool)
    rng = np.random.default_rng(traversal)
    wrong, classes = 0, set()
    count = 40
    for _ in range(count):
        x, y = rng.integers(tiny.width), rng.integers(tiny.height)
        depth, which = cast(
            scene,
            visible,
            camera.centre,
            ray(camera, x, y),
            condition.leaves or 1.0,
        )
        expected = MATERIAL_CLASS[scene.material[which]] if which >= 0 else 10
        same = rendering.labels[y, x] == expected
        if np.isfinite(depth):
            same &= abs(rendering.depth[y, x] / depth - 1) < 1e-3
        wrong += not same
        classes.add(int(expected))
    # A ray along an outline may round to either side of it.
    assert wrong <= 1
    assert len(classes) >= 4
