# Clusters live on what comes before the last ReLU, as in the paper. The start
# is OpenMMLab's network trained on Cityscapes.
_base_ = 'mmseg::_base_/models/segformer_mit-b0.py'
checkpoint = 'https://download.openmmlab.com/mmsegmentation/v0.5/segformer/segformer_mit-b0_8x1_1024x1024_160k_cityscapes/segformer_mit-b0_8x1_1024x1024_160k_cityscapes_20211208_101857-e7f88502.pth'
model = dict(
    type='FGSN',
    feature_layer='fusion_conv.bn',
    init_cfg=dict(type='Pretrained', checkpoint=checkpoint),
    test_cfg=dict(mode='slide', crop_size=(704, 704), stride=(470, 470)),
)
