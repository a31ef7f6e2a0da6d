"""The losses of one training step in the words of the method.

mmseg's plain ``EncoderDecoder``, loops over cells and correspondences, and
nothing of this package.
"""

from __future__ import annotations

import numpy as np
import torch
from mmseg.registry import MODELS
from naive_geometry import naive_matches
from tiny_fgsn import CROP, MAP, model_config

PLAIN_KEYS = (
    'type',
    'data_preprocessor',
    'backbone',
    'decode_head',
    'auxiliary_head',
    'train_cfg',
    'test_cfg',
)


def plain_copy(model, state=None, **kwargs):
    """mmseg's own segmentor with the same weights."""
    config = model_config(**kwargs)
    config['type'] = 'EncoderDecoder'
    for head in ('decode_head', 'auxiliary_head'):
        config[head]['num_classes'] = config['num_clusters']
    for key in [key for key in config if key not in PLAIN_KEYS]:
        config.pop(key)
    plain = MODELS.build(config)
    state = {
        name: value.clone()
        for name, value in (state or model.state_dict()).items()
        if not name.startswith(('teacher.', 'codebook.'))
    }
    plain.load_state_dict(state, strict=True)
    return plain


def main_features(plain, maps, before_relu):
    """What the decode head has before its classifier."""
    head = plain.decode_head
    if not before_relu:
        return head._forward_feature(maps)
    x = head._transform_inputs(maps)
    branches = [x, *head.psp_modules(x)]
    bottleneck = head.bottleneck
    return bottleneck.bn(bottleneck.conv(torch.cat(branches, 1)))


def slow_labels(teacher, image, codebook, before_relu):
    """Label of every cell: f @ A + b, unit length, nearest centroid."""
    with torch.no_grad():
        maps = teacher.extract_feat(image[None])
        features = main_features(teacher, maps, before_relu)[0].numpy()
    matrix, bias, centroids = (
        getattr(codebook, name).double().numpy()
        for name in ('pca_matrix', 'pca_bias', 'centroids')
    )
    labels = np.zeros(MAP, int)
    for y in range(MAP[0]):
        for x in range(MAP[1]):
            row = features[:, y, x].astype(np.float64) @ matrix + bias
            row /= np.linalg.norm(row)
            labels[y, x] = int(((centroids - row) ** 2).sum(1).argmin())
    return labels


def cross_entropy(scores, label):
    return torch.logsumexp(scores, 0) - scores[label]


def slow_losses(plain, teacher, codebook, batch, sides, options):
    """Losses of a batch, {'main': {...}, 'aux': {...}}, without weights."""
    inputs, samples = batch
    grid = 'corners' if options.get('align_corners', True) else 'centers'
    before_relu = options.get('feature_layer') is not None
    # Batch statistics, if they are used, are those of the images run.
    names = [
        (b, key)
        for b in range(len(samples))
        for side, key in enumerate(('img', 'img2'))
        if sides[b][side]
    ]
    run = torch.stack([inputs[key][b] for b, key in names])
    maps = plain.extract_feat(run)
    features = {
        'main': main_features(plain, maps, before_relu),
        'aux': plain.auxiliary_head._forward_feature(maps),
    }
    logits = {
        'main': plain.decode_head(maps),
        'aux': plain.auxiliary_head(maps),
    }
    label_maps = [
        slow_labels(teacher, image, codebook, before_relu)
        for image in inputs['img']
    ]
    result = {}
    for head in ('main', 'aux'):
        losses = dict(seg=0.0, corr=0.0, feat=0.0)
        for b, sample in enumerate(samples):
            at = {key: i for i, (pair, key) in enumerate(names) if pair == b}
            labels = label_maps[b]
            cells, _ = naive_matches(
                sample.points, sample.points2, [CROP] * 2, [MAP] * 2, grid
            )
            if 'img' in at:
                seg = 0.0
                for y in range(MAP[0]):
                    for x in range(MAP[1]):
                        scores = logits[head][at['img'], :, y, x]
                        seg = seg + cross_entropy(scores, labels[y, x])
                losses['seg'] += seg / (MAP[0] * MAP[1])
            for side, key in enumerate(('img', 'img2')):
                if key not in at or not cells:
                    continue
                corr = 0.0
                for match in cells:
                    x, y = match[0]
                    label = labels[y, x]
                    x, y = match[side]
                    scores = logits[head][at[key], :, y, x]
                    corr = corr + cross_entropy(scores, label)
                losses['corr'] += corr / len(cells)
            if options.get('w_feat') and cells:
                pair = []
                for key in ('img', 'img2'):
                    if key in at:
                        pair.append(features[head][at[key]])
                        continue
                    with torch.no_grad():
                        other = plain.extract_feat(inputs[key][b][None])
                        if head == 'main':
                            one = main_features(plain, other, before_relu)
                        else:
                            one = plain.auxiliary_head._forward_feature(other)
                    pair.append(one[0])
                feat = 0.0
                for (x, y), (x2, y2) in cells:
                    f, g = pair[0][:, y, x], pair[1][:, y2, x2]
                    cosine = (f @ g) / (f.norm() * g.norm())
                    feat = feat + (0.8 - cosine).clamp(min=0)
                losses['feat'] += feat / len(cells)
        result[head] = {k: v / len(samples) for k, v in losses.items()}
    return result
