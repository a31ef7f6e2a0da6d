_base_ = [
    '../_base_/models/fgsn_fcn_vit-s14-dinov2.py',
    '../_base_/datasets/robotcar_672x672.py',
    '../_base_/schedules/fgsn_adapters_60k.py',
    '../_base_/default_runtime.py',
]
model = dict(
    num_clusters=100,
    data_preprocessor={{_base_.pair_preprocessor}},
)
custom_hooks = [
    dict(type='ClusteringHook', dataloader={{_base_.reference_dataloader}})
]
