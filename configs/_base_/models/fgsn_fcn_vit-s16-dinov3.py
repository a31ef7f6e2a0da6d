# DINOv3 ViT-S/16 as it is, and a small head that learns: one 1x1 convolution,
# whose output is clustered before its ReLU, and the classifier. Cells are
# patches, which tile the crop.
model = dict(
    type='FGSN',
    feature_layer='convs.0.gn',
    backbone=dict(
        type='FrozenBackbone',
        backbone=dict(
            type='TIMMBackbone',
            model_name='vit_small_patch16_dinov3.lvd1689m',
            pretrained=True,
            out_indices=(11,),
        ),
    ),
    decode_head=dict(
        type='FCNHead',
        in_channels=384,
        in_index=0,
        channels=256,
        num_convs=1,
        kernel_size=1,
        concat_input=False,
        dropout_ratio=0.1,
        norm_cfg=dict(type='GN', num_groups=32, requires_grad=True),
        align_corners=False,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    test_cfg=dict(mode='slide', crop_size=(672, 672), stride=(448, 448)),
)
