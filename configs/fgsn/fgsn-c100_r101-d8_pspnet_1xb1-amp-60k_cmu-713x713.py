# Mixed precision; needs a GPU.
_base_ = './fgsn-c100_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'
optim_wrapper = dict(type='AmpOptimWrapper', loss_scale='dynamic')
