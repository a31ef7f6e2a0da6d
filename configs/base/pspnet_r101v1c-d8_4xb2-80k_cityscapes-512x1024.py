# mmseg's own ResNet-101-d8 PSPNet, for OpenMMLab's public checkpoints. BN in
# place of SyncBN, with the same names, so that it runs anywhere.
_base_ = 'mmseg::pspnet/pspnet_r101-d8_4xb2-80k_cityscapes-512x1024.py'
custom_imports = dict(imports=['fgsn_mmseg'])
norm_cfg = dict(type='BN', requires_grad=True)
sync_bn = 'torch'
model = dict(
    backbone=dict(norm_cfg=norm_cfg),
    decode_head=dict(norm_cfg=norm_cfg),
    auxiliary_head=dict(norm_cfg=norm_cfg),
)
