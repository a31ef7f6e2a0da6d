# A small network learns what a large FGSN sees: a plain segmentor of mmseg
# with cluster heads, trained on label maps from disk.
_base_ = [
    '../_base_/models/pspnet_m-v2-d8.py',
    '../_base_/datasets/label-maps_512x512.py',
    'mmseg::_base_/schedules/schedule_40k.py',
    '../_base_/default_runtime.py',
]
# K of the network that wrote the maps.
num_clusters = 100
model = dict(
    data_preprocessor={{_base_.label_preprocessor}},
    decode_head=dict(
        _delete_=True,
        type='ClusterHead',
        head={{_base_.model.decode_head}},
        num_clusters=num_clusters,
    ),
    auxiliary_head=dict(
        _delete_=True,
        type='ClusterHead',
        head={{_base_.model.auxiliary_head}},
        num_clusters=num_clusters,
    ),
)
train_dataloader = dict(dataset=dict(num_clusters=num_clusters))
val_dataloader = dict(dataset=dict(num_clusters=num_clusters))
test_dataloader = dict(dataset=dict(num_clusters=num_clusters))
default_hooks = dict(checkpoint=dict(max_keep_ckpts=3, save_best='mIoU'))
