_base_ = [
    '../../_base_/models/fgsn_pspnet_r101-d8.py',
    '../../_base_/datasets/image-folder.py',
    '../../_base_/default_runtime.py',
]
model = dict(num_clusters=100)
default_hooks = dict(visualization=dict(type='PairVisualizationHook'))
