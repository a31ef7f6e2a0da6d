_base_ = [
    '../_base_/models/fgsn_fcn_eva02-s14.py',
    '../_base_/datasets/robotcar_672x672.py',
    '../_base_/schedules/fgsn_adapters_60k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    num_clusters=100,
    data_preprocessor=dict(
        type='PairDataPreProcessor',
        bgr_to_rgb=True,
        size={{_base_.crop_size}},
        mean={{_base_.eva02_normalisation.mean}},
        std={{_base_.eva02_normalisation.std}},
    ),
    backbone=dict(adapter='low_rank', adapter_width=8),
)
custom_hooks = [
    dict(type='ClusteringHook', dataloader={{_base_.reference_dataloader}})
]
