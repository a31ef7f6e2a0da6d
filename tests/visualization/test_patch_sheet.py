from __future__ import annotations

from collections import Counter

import numpy as np

from fgsn_mmseg.visualization import PatchCollector, draw_patch_sheet


def test_patch_is_centred_on_its_cluster():
    image = np.arange(20 * 30 * 3).reshape(20, 30, 3).astype(np.uint8)
    labels = np.zeros((20, 30), int)
    labels[12, 25] = 3  # near the border
    collector = PatchCollector(5, size=16)
    collector.add(image, labels)
    assert [len(p) for p in collector.patches] == [1, 0, 0, 1, 0]
    (patch,) = collector.patches[3]
    for row in range(16):
        for column in range(16):
            y, x = 12 - 8 + row, 25 - 8 + column
            if not (0 <= y < 20 and 0 <= x < 30):
                expected = np.full(3, 24)
            elif (y, x) == (12, 25):
                expected = image[y, x]
            else:  # another cluster: darkened
                expected = (image[y, x] * 0.35).astype(int)
            np.testing.assert_array_equal(patch[row, column], expected)


def test_every_image_has_the_same_chance():
    found = Counter()
    for seed in range(300):
        collector = PatchCollector(1, number=2, size=1, seed=seed)
        for value in range(6):
            image = np.full((2, 3, 3), 10 * value, np.uint8)
            collector.add(image, np.zeros((2, 3), int))
        found.update(int(p[0, 0, 0]) // 10 for p in collector.patches[0])
    # 600 patches of 6 images; a standard deviation is about 9.
    assert all(60 < found[value] < 140 for value in range(6))


def test_labels_outside_are_left_out():
    collector = PatchCollector(2, size=4)
    labels = np.array([[-1, 65535, 1]])
    collector.add(np.zeros((1, 3, 3), np.uint8), labels)
    assert [len(p) for p in collector.patches] == [0, 1]


def test_sheet():
    patches = [[np.full((10, 10, 3), 200, np.uint8)] * n for n in (3, 1, 0)]
    frames = {0: (0, 255, 0), 1: (255, 0, 0), 2: (0, 0, 255)}
    captions = {2: 'c', 0: 'a', 1: 'b'}
    sheet = draw_patch_sheet(patches, captions, frames, number=3)
    height = 20 + 14
    assert sheet.shape == (2 * height, 2 * (8 + 3 * 14), 3)
    assert sheet[5, 0].tolist() == [0, 0, 255]  # cluster 2 comes first
    assert sheet[height + 5, 0].tolist() == [0, 255, 0]
    assert sheet[5, 50].tolist() == [255, 0, 0]
    assert (sheet[height + 20 : height + 30, 8:18] == 200).all()
    assert draw_patch_sheet([], {}, {}).size
