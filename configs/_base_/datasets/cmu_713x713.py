# CMU Seasons: pairs with correspondences. The lists come from
# tools/dataset_converters/prepare_correspondences.py, or from the authors.
dataset_type = 'CMUCorrespondenceDataset'
data_root = 'data/CMU/'
short_side = 1024
crop_size = (713, 713)
# For networks of mmseg; the paper's network has a normalisation of its own.
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
    dict(type='ResizeCropPair', short_side=short_side, crop_size=crop_size),
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
# For single images: mmseg's `inference_model`, tools/label_images.py.
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='ResizePair', short_side=short_side),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=1,
    num_workers=4,
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
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
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
# What the clustering looks at.
reference_dataloader = dict(
    batch_size=1,
    num_workers=4,
    dataset=dict(
        type='ReferenceImageDataset',
        data_root=data_root,
        ann_file='corr_train.txt',
        reference_image_names='reference_image_names.txt',
        pipeline=reference_pipeline,
    ),
)
