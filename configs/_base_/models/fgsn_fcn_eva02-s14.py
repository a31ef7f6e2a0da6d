# EVA02-S/14, likewise, in the normalisation of CLIP.
_base_ = './fgsn_fcn_vit-s16-dinov3.py'
eva02_normalisation = dict(
    mean=[122.7709383, 116.7460125, 104.09373615],
    std=[68.5005327, 66.6321579, 70.32316305],
)
model = dict(
    backbone=dict(
        backbone=dict(
            model_name='eva02_small_patch14_224.mim_in22k',
            dynamic_img_size=True,
            dynamic_img_pad=True,
        )
    )
)
