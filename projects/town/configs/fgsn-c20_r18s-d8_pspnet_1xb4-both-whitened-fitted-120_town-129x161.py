# What `make demo` trains: whitening that is learned from correspondences and
# fitted classifiers need fewer iterations than the paper's clustering.
_base_ = './fgsn-c20_r18s-d8_pspnet_1xb4-both-300_town-129x161.py'
max_iters = 120
interval = 60
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=20, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        T_max=30,
        begin=max_iters - 30,
        end=max_iters,
        by_epoch=False,
    ),
]
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
default_hooks = dict(checkpoint=dict(interval=interval))
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=interval,
        whitening='correspondences',
        pair_means=True,
        classifier='fitted',
        num_pairs=90,
        dataloader={{_base_.reference_dataloader}},
    )
]
