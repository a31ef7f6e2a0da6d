# Features of a match should be alike, too.
_base_ = './fgsn-c100_r101-d8_pspnet_1xb1-60k_cmu-713x713.py'
model = dict(loss_feat=dict(type='FeatureHingeLoss', loss_weight=1.0))
