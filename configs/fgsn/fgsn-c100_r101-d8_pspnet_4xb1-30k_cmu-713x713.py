_base_ = [
    '../_base_/models/fgsn_pspnet_r101-d8.py',
    '../_base_/datasets/cmu_713x713.py',
    '../_base_/schedules/fgsn_4x_30k.py',
    '../_base_/default_runtime.py',
]
model = dict(num_clusters=100)
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval=5000,
        dataloader={{_base_.reference_dataloader}},
    )
]
