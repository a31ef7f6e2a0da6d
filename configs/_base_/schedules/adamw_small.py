# For small networks from random weights: AdamW, a warm-up, a cosine to 0.
# A config sets `max_iters` through cosine.end and train_cfg.
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=1e-2),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=10, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='AtomicCheckpointHook',
        by_epoch=False,
        interval=60,
        max_keep_ckpts=4,
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='PairVisualizationHook', draw=True, interval=8),
)
randomness = dict(seed=0)
