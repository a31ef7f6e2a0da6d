_base_ = [
    '../_base_/models/fgsn_fcn_vit-s16-dinov3.py',
    '../_base_/datasets/cmu_672x672.py',
    '../_base_/schedules/fgsn_adapters_60k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    num_clusters=100,
    data_preprocessor={{_base_.pair_preprocessor}},
    backbone=dict(adapter='low_rank', adapter_width=8),
)
custom_hooks = [
    dict(type='ClusteringHook', dataloader={{_base_.reference_dataloader}})
]
