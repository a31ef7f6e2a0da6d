# The annotated images of CMU Seasons: what clusters tell about classes.
dataset_type = 'CMUSeasonsDataset'
data_root = 'data/CMU/'
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='ResizePair', short_side=1024),
    # After resizing: predictions come back in the size of the annotation.
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        split='testing',
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='ClusterInformationMetric')
test_cfg = dict(type='TestLoop')
