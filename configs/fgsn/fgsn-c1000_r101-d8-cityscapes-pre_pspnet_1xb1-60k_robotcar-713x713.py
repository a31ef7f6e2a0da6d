_base_ = './fgsn-c1000_r101-d8_pspnet_1xb1-60k_robotcar-713x713.py'
model = dict(
    init_cfg=dict(
        checkpoint='checkpoints/pspnet_r101-d8_4xb4-80k_cityscapes-713x713.pth'
    )
)
