from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fgsn_mmseg.datasets import read_pair_file
from town.camera import Camera, look_rotation, street_camera, world_camera
from town.render.raster import render
from town.render.rays import View
from town.scene.primitives import Material, Scene
from town.settings import (
    ImageKey,
    image_name,
    pair_name,
    settings_for,
)
from town.world.images import (
    cloud_of,
    observe_key,
    render_key,
    scene_of,
    street_of,
)
from town.world.matches import match, observe, sample_points


def reprojection_error(pair, depth, camera, camera2):
    """Pixels between a match and what depth and poses say, (N,).

    The inverse depth of a plane is linear in the image, so it is that which
    is interpolated.
    """
    x, y = pair['points'].T
    col, row = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - col, y - row
    inverse = (
        (1 - fy) * (1 - fx) / depth[row, col]
        + (1 - fy) * fx / depth[row, col + 1]
        + fy * (1 - fx) / depth[row + 1, col]
        + fy * fx / depth[row + 1, col + 1]
    )
    world = camera.back_project(pair['points'], 1 / inverse)
    return np.linalg.norm(camera2.project(world)[0] - pair['points2'], axis=1)


def pair_and_depth(tiny, root, key):
    pair = read_pair_file(root / 'correspondence_data' / pair_name(key))
    name = image_name(key._replace(traversal=0))
    return pair, np.load(root / 'depth' / f'{name}.npz')['depth']


def targets(tiny):
    return [key for key in tiny.image_keys() if key.traversal]


def test_matches_reproject_through_depth_and_poses(tiny, tiny_world):
    for key in targets(tiny):
        pair, depth = pair_and_depth(tiny, tiny_world, key)
        cameras = (
            world_camera(tiny, key._replace(traversal=0)),
            world_camera(tiny, key),
        )
        error = reprojection_error(pair, depth, *cameras)
        assert len(error) > 20
        assert error.max() < 0.1
        # Sub-pixel, and not by chance: half a degree off would be noticed.
        assert (pair['points'] % 1 != 0).any(1).all()
        off = replace(
            cameras[1],
            rotation=look_rotation(np.pi / 2 + 0.009, 0, 0)
            @ look_rotation(np.pi / 2, 0, 0).T
            @ cameras[1].rotation,
        )
        assert reprojection_error(pair, depth, cameras[0], off).min() > 0.1
        name = image_name(key)
        depth2 = np.load(tiny_world / 'depth' / f'{name}.npz')['depth']
        swapped = dict(points=pair['points2'], points2=pair['points'])
        assert reprojection_error(swapped, depth2, *cameras[::-1]).max() < 0.1


def test_a_match_through_a_wall_would_be_noticed(tiny, tiny_world):
    # The check above must fail for a match that ignores occlusion.
    key = ImageKey(0, 0, 1)
    _, depth = pair_and_depth(tiny, tiny_world, key)
    cloud = cloud_of(tiny, 0)
    reference = key._replace(traversal=0)
    cameras = street_camera(tiny, reference), street_camera(tiny, key)
    pixels, far = cameras[0].project(cloud.xyz)
    pixels2, far2 = cameras[1].project(cloud.xyz)
    size = np.array([tiny.width, tiny.height]) - 2
    inside = ((pixels > 1) & (pixels < size)).all(1) & (far > 1)
    inside &= ((pixels2 > 1) & (pixels2 < size)).all(1) & (far2 > 1)
    col, row = np.rint(pixels[inside]).astype(int).T
    hidden = np.flatnonzero(inside)[far[inside] > 1.5 * depth[row, col]]
    assert len(hidden) > 100
    pair = dict(points=pixels[hidden], points2=pixels2[hidden])
    assert np.median(reprojection_error(pair, depth, *cameras)) > 0.5
    # And none of them was taken for seen.
    rendering = render_key(tiny, reference)
    seen, _ = observe_key(tiny, reference, rendering)
    assert not np.intersect1d(seen, hidden).size


def wall_and_sign():
    scene = Scene()
    scene.quad((10, -5, 0), (0, 10, 0), (0, 0, 6), Material.WALL)
    scene.quad((5, -1, 0), (0, 2, 0), (0, 0, 6), Material.SIGN)
    rotation = look_rotation(0, 0, 0)
    centre = np.array([0.0, 0, 3])
    camera = Camera(64, 48, 40.0, rotation, -rotation @ centre)
    return scene, camera


def observe_simple(scene, camera, cloud, visible):
    seen = render(View.of_camera(camera, 1, 0), scene, visible)
    index, pixels = observe(
        cloud,
        camera,
        seen.depth,
        seen.object_id,
        scene,
    )
    return index, pixels


def test_points_behind_something_are_rejected():
    scene, camera = wall_and_sign()
    cloud = sample_points(scene, 1.0, np.random.default_rng(0))
    cloud.reach[:] = 60
    index, pixels = observe_simple(scene, camera, cloud, np.array([1, 1]) > 0)
    on_wall = cloud.object_id == 0
    # The sign, 2 m wide at 5 m, hides 4 m of the wall at 10 m.
    behind = on_wall & (np.abs(cloud.xyz[:, 1]) < 2)
    beside = on_wall & (np.abs(cloud.xyz[:, 1]) > 2.6)
    assert behind.sum() > 50
    assert not behind[index].any()
    assert beside[index].sum() > 0.8 * beside.sum()
    # Control: without the sign they are seen.
    free, _ = observe_simple(scene, camera, cloud, np.array([1, 0]) > 0)
    assert behind[free].sum() > 0.8 * behind.sum()
    np.testing.assert_allclose(pixels, camera.project(cloud.xyz[index])[0])


def test_points_out_of_reach_or_behind_the_camera_are_rejected():
    scene, camera = wall_and_sign()
    cloud = sample_points(scene, 1.0, np.random.default_rng(0))
    cloud.reach[:] = 7
    index, _ = observe_simple(scene, camera, cloud, np.array([1, 1]) > 0)
    assert (cloud.object_id[index] == 1).all()
    cloud.xyz[:, 0] *= -1
    index, _ = observe_simple(scene, camera, cloud, np.array([1, 1]) > 0)
    assert len(index) == 0


def test_points_lie_on_their_surfaces_and_on_static_ones_only(tiny):
    scene = street_of(tiny, 0).scene
    cloud = cloud_of(tiny, 0)
    flat = scene.length_a[cloud.object_id] > 0
    assert flat.all()
    soft = (Material.LEAF, Material.BRANCH, Material.FOREST)
    assert not np.isin(scene.material[cloud.object_id], soft).any()
    quads = scene.shape[cloud.object_id] == 0
    gap = cloud.xyz - scene.corner[cloud.object_id]
    off = (gap * scene.normal[cloud.object_id]).sum(1)
    assert np.abs(off[quads]).max() < 1e-9
    assert set(np.unique(cloud.label)) >= {0, 1, 2, 5, 8, 9}


def test_moving_things_carry_no_matches(tiny, tiny_world):
    moving = 0
    for key in targets(tiny)[::3]:
        pair = read_pair_file(
            tiny_world / 'correspondence_data' / pair_name(key)
        )
        scene, _ = scene_of(tiny, key)
        static = len(street_of(tiny, key.street).scene)
        rendering = render_key(tiny, key)
        around = np.floor(pair['points2']).astype(int)
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            col, row = around[:, 0] + dx, around[:, 1] + dy
            assert (rendering.object_id[row, col] < static).all()
            assert not np.isin(rendering.labels[row, col], (10, 11, 13)).any()
        moving += (rendering.object_id >= static).sum()
        assert len(scene) > static
    assert moving > 1000


def test_poses_differ_by_5_to_10_degrees_and_up_to_a_metre(tiny):
    settings = settings_for('study')
    angles, shifts = [], []
    for key in settings.image_keys():
        if not key.traversal:
            continue
        camera = world_camera(settings, key)
        reference = world_camera(settings, key._replace(traversal=0))
        turn = camera.rotation @ reference.rotation.T
        angles.append(np.rad2deg(np.arccos((np.trace(turn) - 1) / 2)))
        shifts.append(np.linalg.norm(camera.centre - reference.centre))
    assert min(angles) >= 5 and max(angles) <= 10
    assert 0.5 < max(shifts) <= 1


def test_noise_and_wrong_matches(tiny, tiny_world):
    key = ImageKey(1, 0, 2)
    clean = match(tiny, tiny_world, key)
    noisy = match(replace(tiny, noise_px=0.7), tiny_world, key)
    for name in ('points', 'points2'):
        gap = noisy[name] - clean[name]
        assert 0.5 < gap.std() < 0.9
        assert noisy[name].min() >= 0
        assert (noisy[name] <= [tiny.width - 1, tiny.height - 1]).all()
    spoilt = match(replace(tiny, wrong_share=0.25), tiny_world, key)
    np.testing.assert_array_equal(spoilt['points'], clean['points'])
    wrong = (spoilt['points2'] != clean['points2']).any(1)
    assert 0.15 < wrong.mean() < 0.35


def test_matches_are_denser_nearby(tiny):
    # Per square metre of road, more points are found close to the camera.
    key = ImageKey(0, 0, 0)
    cloud = cloud_of(tiny, 0)
    distance = np.linalg.norm(
        cloud.xyz - street_camera(tiny, key).centre, axis=1
    )
    near = (cloud.reach[distance < 8] > distance[distance < 8]).mean()
    band = (distance > 25) & (distance < 30)
    far = (cloud.reach[band] > distance[band]).mean()
    assert near > 3 * far


def test_weights_lie_in_the_range_of_the_published_files(tiny, tiny_world):
    pair = match(tiny, tiny_world, ImageKey(0, 0, 3))
    assert pair['dist_from_center'].min() >= 0
    assert pair['dist_from_center'].max() <= 0.5
    by_hand = [
        np.hypot(*(pair[k][0] - [63.5, 47.5])) / np.hypot(128, 96)
        for k in ('points', 'points2')
    ]
    assert pair['dist_from_center'][0] == pytest.approx(np.mean(by_hand))
