# Ten photos of one church by different people, in the published file format,
# at a size that two CPU cores train in minutes: short side 128, crops of
# 113 = 8 * 14 + 1. Each photo is standardised by itself, since nothing is
# known of the cameras.
data_root = 'data/sacre_coeur'
short_side = 128
crop_size = (113, 113)
pair_preprocessor = dict(
    type='PairDataPreProcessor',
    mean=[127.5, 127.5, 127.5],
    std=[64.0, 64.0, 64.0],
    bgr_to_rgb=True,
    pad_val=0,
    size=crop_size,
)
# Every image of a pair gets its own draws: other light, camera and distance.
photometric = dict(
    type='TransformBroadcaster',
    mapping=dict(img=['img', 'img2']),
    auto_remap=True,
    share_random_params=False,
    transforms=[
        dict(type='PhotoMetricDistortion'),
        dict(type='RandomGrayscale', prob=0.2, keep_channels=True),
    ],
)
train_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(
        type='ResizePair',
        short_side=short_side,
        ratio_range=(0.75, 1.33),
        interpolation='area',
    ),
    photometric,
    dict(type='StandardizePair'),
    dict(type='RandomCropPair', crop_size=crop_size, pad_val=127.5),
    dict(type='PackPairInputs'),
]
val_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=short_side, interpolation='area'),
    dict(type='StandardizePair'),
    dict(type='PackPairInputs'),
]
reference_pipeline = val_pipeline[1:]
# For single images: mmseg's `inference_model`, tools/label_images.py.
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='ResizePair', short_side=short_side, interpolation='area'),
    dict(type='StandardizePair'),
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
# The same pairs; `MMSegInferencer` takes the pipeline of single images.
test_dataloader = dict(
    val_dataloader,
    dataset=dict(val_dataloader['dataset'], pipeline=test_pipeline),
)
val_evaluator = dict(type='CorrespondenceMetric')
test_evaluator = val_evaluator
reference_dataloader = dict(
    dataset=dict(
        type='ReferenceImageDataset',
        data_root=data_root,
        ann_file='corr_train.txt',
        cache_dir='work_dirs/reference_index',
        pipeline=reference_pipeline,
    ),
)
