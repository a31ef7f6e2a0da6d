# DINOv2 ViT-S/14 with registers, likewise. Only sides that are multiples of 14
# do without padding, which would move the cells.
_base_ = './fgsn_fcn_vit-s16-dinov3.py'
model = dict(
    backbone=dict(
        backbone=dict(
            model_name='vit_small_patch14_reg4_dinov2.lvd142m',
            dynamic_img_size=True,
            dynamic_img_pad=True,
        )
    )
)
