# Ten photos of one church by different people: the published file format at
# a size for a laptop. Short side 288, crops of 193 = 8 * 24 + 1.
dataset_type = 'CorrespondenceDataset'
data_root = 'data/sacre_coeur'
short_side = 288
crop_size = (193, 193)
pair_preprocessor = dict(
    type='PairDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    size=crop_size,
)
train_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=short_side),
    dict(type='RandomCropPair', crop_size=crop_size),
    dict(type='PackPairInputs'),
]
val_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=short_side),
    dict(type='PackPairInputs'),
]
reference_pipeline = [
    dict(type='LoadImagePair'),
    dict(type='ResizePair', short_side=short_side),
    dict(type='PackPairInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='corr_train.txt',
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='corr_val.txt',
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='CorrespondenceMetric')
test_evaluator = val_evaluator
reference_dataloader = dict(
    batch_size=1,
    num_workers=2,
    dataset=dict(
        type='ReferenceImageDataset',
        cache_dir='work_dirs/reference_index',
        data_root=data_root,
        ann_file='corr_train.txt',
        pipeline=reference_pipeline,
    ),
)
