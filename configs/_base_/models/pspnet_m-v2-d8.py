# mmseg's MobileNetV2-D8 with a PSPNet head, whose config brings its data along
# and so cannot be a base. Plain BN, also on CPU; `sync_bn` joins it over GPUs.
norm_cfg = dict(type='BN', requires_grad=True)
sync_bn = 'torch'
model = dict(
    type='EncoderDecoder',
    backbone=dict(
        type='MobileNetV2',
        init_cfg=dict(type='Pretrained', checkpoint='mmcls://mobilenet_v2'),
        widen_factor=1.0,
        strides=(1, 2, 2, 1, 1, 1, 1),
        dilations=(1, 1, 1, 2, 2, 4, 4),
        out_indices=(1, 2, 4, 6),
        norm_cfg=norm_cfg,
    ),
    decode_head=dict(
        type='PSPHead',
        in_channels=320,
        in_index=3,
        channels=512,
        pool_scales=(1, 2, 3, 6),
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=1.0),
    ),
    auxiliary_head=dict(
        type='FCNHead',
        in_channels=96,
        in_index=2,
        channels=256,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=19,
        norm_cfg=norm_cfg,
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
