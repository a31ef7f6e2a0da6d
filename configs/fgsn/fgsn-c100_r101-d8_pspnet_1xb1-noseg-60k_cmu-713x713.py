# No dense loss: labels at correspondences alone.
_base_ = './fgsn-c100_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'
model = dict(
    decode_head=dict(loss_decode=dict(loss_weight=0.0)),
    auxiliary_head=dict(loss_decode=dict(loss_weight=0.0)),
)
