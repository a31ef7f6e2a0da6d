# The paper's schedule for one pair an iteration. A config adds the
# ClusteringHook, which needs the reference images of its data set.
max_iters = 60000
# lr = 1e-4 / sqrt(16). Every bias, those of BatchNorm too, has twice the rate
# and no decay; `bias_lr_mult` would leave BatchNorm out, a custom key does not.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD',
        lr=2.5e-5,
        momentum=0.9,
        nesterov=True,
        weight_decay=1e-4,
    ),
    paramwise_cfg=dict(
        custom_keys={'.bias': dict(lr_mult=2.0, decay_mult=0.0)}
    ),
)
param_scheduler = [
    dict(
        type='PolyLR',
        power=1.0,
        eta_min=0.0,
        begin=0,
        end=max_iters,
        by_epoch=False,
    )
]
train_cfg = dict(
    type='ResumableIterBasedTrainLoop', max_iters=max_iters, val_interval=2500
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='AtomicCheckpointHook',
        by_epoch=False,
        interval=2500,
        max_keep_ckpts=3,
        save_best='match_bits',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='PairVisualizationHook'),
)
randomness = dict(seed=0)
