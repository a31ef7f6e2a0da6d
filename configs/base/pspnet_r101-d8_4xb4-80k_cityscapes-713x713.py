# The paper's shape on Cityscapes. There are no public ImageNet weights of this
# shape: start from a converted network of the authors with `load_from`.
_base_ = [
    '../_base_/models/pspnet_r101-d8_fgsn-paper.py',
    '../_base_/datasets/cityscapes_713x713.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_80k.py',
]
custom_imports = dict(imports=['fgsn_mmseg'])
# BatchNorm over all GPUs; without effect on one.
sync_bn = 'torch'
model = dict(data_preprocessor=dict(size=(713, 713)))
