# ConvNeXt-T that learned from DINOv3, as it is, and SegFormer's head.
model = dict(
    type='FGSN',
    feature_layer='fusion_conv.gn',
    backbone=dict(
        type='FrozenBackbone',
        backbone=dict(
            type='TIMMBackbone',
            model_name='convnext_tiny.dinov3_lvd1689m',
            pretrained=True,
            out_indices=(0, 1, 2, 3),
        ),
    ),
    decode_head=dict(
        type='SegformerHead',
        in_channels=[96, 192, 384, 768],
        in_index=[0, 1, 2, 3],
        channels=256,
        dropout_ratio=0.1,
        norm_cfg=dict(type='GN', num_groups=32, requires_grad=True),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    test_cfg=dict(mode='slide', crop_size=(672, 672), stride=(448, 448)),
)
