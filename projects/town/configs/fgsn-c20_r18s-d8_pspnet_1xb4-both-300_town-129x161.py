# The base network of the town becomes an FGSN: K is 20, and a classifier
# drawn anew has 100 iterations to learn.
_base_ = [
    '../../../configs/_base_/models/pspnet_r18s-d8_plain.py',
    './_base_/town_129x161.py',
    '../../../configs/_base_/schedules/adamw_small.py',
    '../../../configs/_base_/default_runtime.py',
]
max_iters = 300
model = dict(
    type='FGSN',
    num_clusters=20,
    feature_layer='bottleneck.gn',
    pca_dim=32,
    fraction_reference=None,
    data_preprocessor={{_base_.pair_preprocessor}},
    init_cfg=dict(
        type='Pretrained',
        checkpoint='work_dirs/'
        'pspnet_r18s-d8_1xb8-300_town-129x161/iter_300.pth',
    ),
)
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
        begin=240,
        end=max_iters,
        by_epoch=False,
    ),
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop', max_iters=max_iters, val_interval=50
)
default_hooks = dict(
    logger=dict(interval=5),
    # Each of these holds the teacher of the clustering before it. A better
    # one makes mmengine write one more, so any limit would lose the first.
    checkpoint=dict(
        interval=100,
        max_keep_ckpts=-1,
        save_best='match_bits',
        rule='greater',
    ),
)
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=100,
        dataloader={{_base_.reference_dataloader}},
    )
]
