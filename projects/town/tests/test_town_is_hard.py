"""Colours and gradients must not be enough to match across conditions."""

from __future__ import annotations

import cv2
import faiss
import numpy as np
import pytest

from fgsn_mmseg.datasets import read_pair_file
from fgsn_mmseg.evaluation.agreement import (
    chance_agreement,
    label_agreement,
    match_bits,
)
from town import TRAVERSALS
from town.settings import pair_name

K = 20


def raw_colour(image):
    return image.astype(np.float32)


def hand_made(image):
    """Lab minus the image's mean, gradient energies at three scales."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2LAB)
    layers = [lab - lab.mean((0, 1))]
    for sigma in (1, 2, 4):
        smooth = cv2.GaussianBlur(lab[..., 0], (0, 0), sigma)
        dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
        dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
        energy = cv2.GaussianBlur(np.hypot(dx, dy), (0, 0), 2 * sigma)
        layers.append(energy[..., None])
    return np.concatenate(layers, -1)


def at(features, points):
    x, y = points.astype(np.float32).T
    return cv2.remap(features, x[None], y[None], cv2.INTER_LINEAR)[0]


@pytest.mark.parametrize('describe', [raw_colour, hand_made])
def test_clusters_agree_far_less_across_conditions(tiny, tiny_world, describe):
    def features(name):
        return describe(cv2.imread(str(tiny_world / 'images' / name)))

    found = {t.name: ([], []) for t in TRAVERSALS[1:]}
    for key in tiny.image_keys():
        if key.traversal:
            path = tiny_world / 'correspondence_data' / pair_name(key)
            pair = read_pair_file(path)
            both = found[TRAVERSALS[key.traversal].name]
            both[0].append(at(features(pair['img_path']), pair['points']))
            both[1].append(at(features(pair['img_path2']), pair['points2']))
    joined = {k: [np.concatenate(v) for v in vs] for k, vs in found.items()}
    reference = np.concatenate([first for first, _ in joined.values()])
    mean, spread = reference.mean(0), reference.std(0) + 1e-6
    kmeans = faiss.Kmeans(reference.shape[1], K, niter=20, seed=0)
    kmeans.train((reference - mean) / spread)
    bits = {}
    for name, pair in joined.items():
        labels = [
            kmeans.index.search((f - mean) / spread, 1)[1][:, 0] for f in pair
        ]
        chance = chance_agreement(*labels, K)
        bits[name] = match_bits(label_agreement(*labels), chance)
    within = bits.pop('summer2')
    # The same points agree where only viewpoint and traffic differ.
    assert within > 0.6
    assert max(bits.values()) < 0.5 * within
    assert np.mean(list(bits.values())) < 0.25 * within
