# CGNet with a classifier and nothing between: what enters the classifier is
# clustered. The start is OpenMMLab's network trained on Cityscapes. Maps have
# a stride of 8 and cell 0 is centred on pixel 0, hence `align_corners` and
# crops of 8 n + 1.
_base_ = 'mmseg::_base_/models/cgnet.py'
checkpoint = 'https://download.openmmlab.com/mmsegmentation/v0.5/cgnet/cgnet_512x1024_60k_cityscapes/cgnet_512x1024_60k_cityscapes_20201101_110254-124ea03b.pth'
norm_cfg = dict(type='BN', eps=1e-3, requires_grad=True)
model = dict(
    type='FGSN',
    init_cfg=dict(type='Pretrained', checkpoint=checkpoint),
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(
        norm_cfg=norm_cfg,
        align_corners=True,
        loss_decode=dict(_delete_=True, type='CrossEntropyLoss'),
    ),
)
