# The paper's default start.
_base_ = [
    '../_base_/models/pspnet_r101-d8_fgsn-paper.py',
    '../_base_/datasets/cityscapes-vistas_713x713.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_80k.py',
]
custom_imports = dict(imports=['fgsn_mmseg'])
sync_bn = 'torch'
model = dict(data_preprocessor=dict(size=(713, 713)))
