# The paper's FGSN: clusters live on what the bottleneck's BatchNorm gives,
# before its ReLU. A config adds `num_clusters`. The start is an `init_cfg`,
# not `load_from`: with the latter mmengine's `--resume` would resume from it.
_base_ = './pspnet_r101-d8_fgsn-paper.py'
model = dict(
    type='FGSN',
    feature_layer='bottleneck.bn',
    auxiliary_feature_layer='convs.0.bn',
    norm_eval=True,
    init_cfg=dict(
        type='Pretrained',
        checkpoint='checkpoints/'
        'pspnet_r101-d8_4xb4-80k_cityscapes-vistas-713x713.pth',
    ),
    data_preprocessor=dict(type='PairDataPreProcessor', size=(713, 713)),
)
