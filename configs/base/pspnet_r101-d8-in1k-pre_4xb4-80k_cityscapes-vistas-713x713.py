_base_ = [
    '../_base_/models/pspnet_r101-d8_fgsn-torchvision.py',
    '../_base_/datasets/cityscapes-vistas_713x713.py',
    'mmseg::_base_/default_runtime.py',
    'mmseg::_base_/schedules/schedule_80k.py',
]
custom_imports = dict(imports=['fgsn_mmseg'])
sync_bn = 'torch'
model = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        size=(713, 713),
    ),
    backbone=dict(
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101')
    ),
)
