_base_ = [
    'mmseg::_base_/models/pspnet_r50-d8.py',
    '../_base_/datasets/sacre_coeur_193x193.py',
    '../_base_/default_runtime.py',
]
norm_cfg = dict(type='BN', requires_grad=True)
model = dict(
    type='FGSN',
    num_clusters=20,
    data_preprocessor={{_base_.pair_preprocessor}},
    pretrained=None,
    norm_eval=False,
    backbone=dict(depth=18, norm_cfg=norm_cfg),
    decode_head=dict(
        in_channels=512, channels=128, align_corners=True, norm_cfg=norm_cfg
    ),
    auxiliary_head=dict(
        in_channels=256, channels=64, align_corners=True, norm_cfg=norm_cfg
    ),
)
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=2e-3, momentum=0.9, nesterov=True, weight_decay=1e-4
    ),
)
max_iters = 500
param_scheduler = [
    dict(type='PolyLR', power=1.0, eta_min=0.0, end=max_iters, by_epoch=False)
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop', max_iters=max_iters, val_interval=100
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook',
        by_epoch=False,
        interval=100,
        max_keep_ckpts=2,
        save_best='match_bits',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=150,
        dataloader={{_base_.reference_dataloader}},
    )
]
randomness = dict(seed=0)
