# No correspondences: the clusters of the reference images alone.
_base_ = './fgsn-c100_r101-d8_pspnet_1xb1-60k_robotcar-713x713.py'
model = dict(loss_corr=None)
