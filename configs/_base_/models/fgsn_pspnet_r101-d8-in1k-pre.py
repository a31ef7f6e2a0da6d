# The same from torchvision's ImageNet weights, which want RGB in their own
# normalisation. No segmentation was learnt: the decode head starts at random.
_base_ = './fgsn_pspnet_r101-d8.py'
model = dict(
    init_cfg=None,
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='ResNet',
        stem_channels=64,
        style='pytorch',
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet101'),
    ),
)
