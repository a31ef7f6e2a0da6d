# From random weights: all that the labels become, they become through the
# correspondences.
_base_ = [
    '../_base_/models/pspnet_r18s-d8_gn.py',
    '../_base_/datasets/sacre_coeur_113x113.py',
    '../_base_/schedules/adamw_small.py',
    '../_base_/default_runtime.py',
]
max_iters = 160
interval = 40
model = dict(
    num_clusters=20,
    pca_dim=8,
    decode_head=dict(loss_decode=dict(loss_weight=0.3)),
    fraction_reference=None,
    data_preprocessor={{_base_.pair_preprocessor}},
)
# The classifiers are drawn anew three times: they have to learn fast.
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(conv_seg=dict(lr_mult=5.0)))
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=50, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        T_max=max_iters,
        end=max_iters,
        by_epoch=False,
    ),
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop', max_iters=max_iters, val_interval=80
)
default_hooks = dict(
    checkpoint=dict(interval=interval, save_best='match_bits', rule='greater')
)
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=interval,
        num_clusterings=3,
        features_per_image=2000,
        dataloader={{_base_.reference_dataloader}},
    )
]
