# The base network of the town: an ordinary mmseg segmentor that has seen
# class maps of one condition.
_base_ = [
    '../../../configs/_base_/models/pspnet_r18s-d8_plain.py',
    './_base_/town-classes_129x161.py',
    '../../../configs/_base_/schedules/adamw_small.py',
    '../../../configs/_base_/default_runtime.py',
]
max_iters = 300
model = dict(data_preprocessor={{_base_.data_preprocessor}})
param_scheduler = [
    dict(type='LinearLR', start_factor=0.02, end=30, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        T_max=max_iters,
        end=max_iters,
        by_epoch=False,
    ),
]
train_cfg = dict(
    type='IterBasedTrainLoop', max_iters=max_iters, val_interval=max_iters
)
default_hooks = dict(
    logger=dict(interval=5),
    checkpoint=dict(interval=max_iters),
    # Pictures of classes, not of pairs.
    visualization=dict(_delete_=True, type='SegVisualizationHook'),
)
visualizer = dict(type='SegLocalVisualizer')
