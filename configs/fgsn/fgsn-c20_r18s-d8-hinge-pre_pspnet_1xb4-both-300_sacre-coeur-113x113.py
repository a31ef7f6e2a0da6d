_base_ = [
    '../_base_/models/pspnet_r18s-d8_gn.py',
    '../_base_/datasets/sacre_coeur_113x113.py',
    '../_base_/schedules/adamw_small.py',
    '../_base_/default_runtime.py',
]
max_iters = 300
interval = 100
model = dict(
    num_clusters=20,
    pca_dim=32,
    fraction_reference=None,
    data_preprocessor={{_base_.pair_preprocessor}},
    init_cfg=dict(
        type='Pretrained',
        checkpoint='work_dirs/'
        'pspnet_r18s-d8_1xb4-hinge-60_sacre-coeur-113x113/iter_60.pth',
    ),
)
# A classifier drawn anew has 100 iterations to learn.
optim_wrapper = dict(
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(custom_keys=dict(conv_seg=dict(lr_mult=5.0))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=20, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        T_max=max_iters,
        end=max_iters,
        by_epoch=False,
    ),
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop',
    max_iters=max_iters,
    val_interval=interval,
)
default_hooks = dict(
    checkpoint=dict(interval=interval, save_best='match_bits', rule='greater')
)
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=interval,
        features_per_image=2000,
        dataloader={{_base_.reference_dataloader}},
    )
]
