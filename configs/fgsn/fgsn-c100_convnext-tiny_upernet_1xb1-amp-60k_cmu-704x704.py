_base_ = [
    '../_base_/models/fgsn_upernet_convnext-tiny.py',
    '../_base_/datasets/cmu_704x704.py',
    '../_base_/schedules/fgsn_adamw_60k.py',
    '../_base_/default_runtime.py',
]
model = dict(num_clusters=100, data_preprocessor={{_base_.pair_preprocessor}})
custom_hooks = [
    dict(type='ClusteringHook', dataloader={{_base_.reference_dataloader}})
]
custom_imports = dict(
    imports=['fgsn_mmseg', 'mmpretrain.models'], allow_failed_imports=False
)
# 1e-4 is mmseg's rate for 16 images an iteration; stages learn the slower the
# nearer they are to the image.
optim_wrapper = dict(
    optimizer=dict(lr=1e-4 / 16**0.5, weight_decay=0.05),
    paramwise_cfg=dict(
        _delete_=True, decay_rate=0.9, decay_type='stage_wise', num_layers=6
    ),
    constructor='LearningRateDecayOptimizerConstructor',
)
