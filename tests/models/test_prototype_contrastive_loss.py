import math

import pytest
import torch
from naive_geometry import naive_matches
from test_correspondence_loss import CROP, MAP, random_pairs

from fgsn_mmseg.clustering import Codebook
from fgsn_mmseg.models import PrototypeContrastiveLoss


def codebook(clusters=3, channels=4, dim=2, seed=0):
    book = Codebook(clusters, channels, dim)
    generator = torch.Generator().manual_seed(seed)
    for buffer in book.buffers():
        buffer.copy_(torch.randn(buffer.shape, generator=generator))
    return book


def test_hand_computed():
    """A feature on the first of two centroids, at right angles."""
    book = Codebook(2, 2, 2)
    book.pca_matrix.copy_(torch.eye(2))
    book.centroids.copy_(torch.eye(2))
    features = torch.tensor([3.0, 0.0])[None, :, None, None]
    points = [torch.zeros(1, 2)]
    loss = PrototypeContrastiveLoss(temperature=0.5)
    found = [
        float(
            loss(
                features, [None], points, points,
                torch.full((1, 1, 1), label), (1, 1), book,
            )
        )
        for label in (0, 1, -1, 65535)
    ]  # fmt: skip
    # Similarities 1 and 0, less one half each, by 0.5.
    assert found[0] == pytest.approx(math.log(1 + math.exp(-2)))
    assert found[1] == pytest.approx(math.log(1 + math.exp(2)))
    assert found[2:] == [0, 0]


@pytest.mark.parametrize('counts', [(25,), (25, 7), (0, 9), (0,)])
def test_against_naive(counts):
    features, features2, points, points2, labels, _ = random_pairs(4, counts)
    labels = labels.clamp(max=2)
    labels[:, :3] = -1  # ignored
    book = codebook()
    total = 0.0
    for b in range(len(counts)):
        matches, _ = naive_matches(
            points[b], points2[b], [CROP] * 2, [MAP] * 2, 'corners'
        )
        own, known = 0.0, 0
        for (x, y), (x2, y2) in matches:
            label = int(labels[b, y, x])
            if label < 0:
                continue
            known += 1
            for row in (features[b][:, y, x], features2[b][:, y2, x2]):
                white = row @ book.pca_matrix + book.pca_bias
                white = white / white.norm()
                near = [
                    -float((white - c).square().sum()) / 2 / 0.1
                    for c in book.centroids
                ]
                total_of_all = sum(math.exp(s) for s in near)
                own += math.log(total_of_all) - near[label]
        total += own / max(known, 1)
    loss = PrototypeContrastiveLoss(loss_weight=0.5)(
        features, features2, points, points2, labels, CROP, book
    )
    expected = 0.5 * total / len(counts)
    assert float(loss) == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_gradient_moves_features_to_the_centroid():
    arguments = random_pairs(4, (20,))
    labels = torch.zeros_like(arguments[4])
    book = codebook()
    features = arguments[0].requires_grad_()
    loss = PrototypeContrastiveLoss()

    def value(maps):
        return loss(
            maps, [None], *arguments[2:4], labels, CROP, book
        )  # fmt: skip

    before = value(features)
    before.backward()
    assert value(features - 0.1 * features.grad) < before
    assert all(not buffer.requires_grad for buffer in book.buffers())


@pytest.mark.parametrize('temperature', [0, -1])
def test_temperature_that_cannot_be(temperature):
    with pytest.raises(ValueError, match='`temperature` should be positive'):
        PrototypeContrastiveLoss(temperature)
