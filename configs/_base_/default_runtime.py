custom_imports = dict(imports=['fgsn_mmseg'])
default_scope = 'mmseg'
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='PairVisualizer', vis_backends=vis_backends, name='visualizer'
)
log_processor = dict(by_epoch=False)
log_level = 'INFO'
# For `test.py --tta`, with a `tta_pipeline`.
tta_model = dict(type='ClusterTTAModel')
load_from = None
resume = False
