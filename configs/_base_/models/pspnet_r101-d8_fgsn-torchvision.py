# The authors' second family, their base started from ImageNet: torchvision's
# ResNet-101 (stem 7x7, stride on the 3x3 convolutions), the rest unchanged.
_base_ = './pspnet_r101-d8_fgsn-paper.py'
model = dict(backbone=dict(type='ResNet', stem_channels=64, style='pytorch'))
