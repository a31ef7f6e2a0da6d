# The base network of the sacre_coeur example: from random weights, the
# feature hinge alone, for a short while. It has no labels yet.
_base_ = [
    '../_base_/models/pspnet_r18s-d8_gn.py',
    '../_base_/datasets/sacre_coeur_113x113.py',
    '../_base_/schedules/adamw_small.py',
    '../_base_/default_runtime.py',
]
max_iters = 60
model = dict(
    num_clusters=20,
    w_corr=0.0,
    w_seg=0.0,
    w_feat=10.0,
    loss_feat=dict(num_negatives=10, min_distance=24),
    fraction_reference=None,
    data_preprocessor={{_base_.pair_preprocessor}},
)
# The cosine is cut off early: a start, not a finished network.
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        T_max=160,
        end=160,
        by_epoch=False,
    ),
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop',
    max_iters=max_iters,
    val_interval=max_iters,
)
