# Photos of two buildings, from a network that has seen photos before; the
# paper's clustering.
_base_ = [
    '../_base_/models/fgsn_fcn_cgnet-m3n21.py',
    '../_base_/datasets/sacre-coeur-reichstag_257x257.py',
    '../_base_/schedules/adamw_small.py',
    '../_base_/default_runtime.py',
]
max_iters = 300
interval = 100
model = dict(
    num_clusters=20,
    pca_dim=64,
    data_preprocessor={{_base_.pair_preprocessor}},
)
# A classifier drawn anew has 100 iterations to learn.
optim_wrapper = dict(
    optimizer=dict(lr=5e-4),
    paramwise_cfg=dict(custom_keys=dict(conv_seg=dict(lr_mult=5.0))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=20, by_epoch=False),
    # The classifier of the last clustering has as much to learn as the others.
    dict(
        type='CosineAnnealingLR',
        T_max=60,
        begin=max_iters - 60,
        end=max_iters,
        by_epoch=False,
    ),
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop',
    max_iters=max_iters,
    val_interval=interval,
)
# Each of these holds the teacher of the clustering before it.
default_hooks = dict(
    checkpoint=dict(
        interval=interval,
        max_keep_ckpts=-1,
        save_best='match_bits',
        rule='greater',
    )
)
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=interval,
        features_per_image=2000,
        dataloader={{_base_.reference_dataloader}},
    )
]
