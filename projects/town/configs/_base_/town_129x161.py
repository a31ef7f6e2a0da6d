# Pairs of the synthetic town: the traversal `summer` with every other one.
# The test looks at single images and their true classes. Made by
#   python projects/town/render.py data/town
data_root = 'data/town/'
short_side = 144
crop_size = (129, 161)
pair_preprocessor = dict(
    type='PairDataPreProcessor',
    mean=[127.5, 127.5, 127.5],
    std=[64.0, 64.0, 64.0],
    bgr_to_rgb=True,
    pad_val=0,
    size=crop_size,
)
train_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(
        type='ResizePair',
        short_side=short_side,
        ratio_range=(0.9, 1.5),
        interpolation='area',
    ),
    dict(type='RandomCropPair', crop_size=crop_size, pad_val=127.5),
    dict(type='RandomFlipPair', prob=0.5),
    # Every image gets its own draws.
    dict(
        type='TransformBroadcaster',
        mapping=dict(img=['img', 'img2']),
        auto_remap=True,
        share_random_params=False,
        transforms=[dict(type='PhotoMetricDistortion')],
    ),
    dict(type='PackPairInputs'),
]
val_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=short_side, interpolation='area'),
    dict(type='PackPairInputs'),
]
# Single images: the test, mmseg's `inference_model` and `MMSegInferencer`.
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='ResizePair', short_side=short_side, interpolation='area'),
    # After resizing: predictions come back in the size of the annotation.
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='CorrespondenceDataset',
        data_root=data_root,
        ann_file='corr_train.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CorrespondenceDataset',
        data_root=data_root,
        ann_file='corr_val.txt',
        pipeline=val_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CityscapesDataset',
        data_root=data_root,
        data_prefix=dict(img_path='images', seg_map_path='labels'),
        img_suffix='.jpg',
        seg_map_suffix='_labelTrainIds.png',
        ann_file='lists/seg_val.txt',
        pipeline=test_pipeline,
    ),
)
# Figures of every traversal: images/<street>/<traversal>/<name>.jpg
val_evaluator = dict(type='CorrespondenceMetric', group_by=r'([^/]*)/[^/]*$')
test_evaluator = dict(type='ClusterInformationMetric')
reference_dataloader = dict(
    dataset=dict(
        type='ReferenceImageDataset',
        data_root=data_root,
        ann_file='corr_train.txt',
        pipeline=val_pipeline[1:],
    ),
)
