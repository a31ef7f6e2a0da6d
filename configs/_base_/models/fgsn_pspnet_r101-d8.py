# The paper's FGSN: clusters live on what the bottleneck's BatchNorm gives,
# before its ReLU. A config adds `num_clusters`.
_base_ = './pspnet_r101-d8_fgsn-paper.py'
model = dict(
    type='FGSN',
    feature_layer='bottleneck.bn',
    auxiliary_feature_layer='convs.0.bn',
    norm_eval=True,
    data_preprocessor=dict(type='PairDataPreProcessor', size=(713, 713)),
)
