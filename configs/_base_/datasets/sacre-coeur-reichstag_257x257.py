# Two buildings, ten photos each by different people, at a size that a CPU core
# trains in minutes. `data_root` holds `sacre_coeur/` and `reichstag/`. Every
# held-out pair has at least one of two photos of its building that no training
# pair has; both buildings validate whichever trains.
data_root = 'data/'
short_side = 289
crop_size = (257, 257)
# The normalisation is that of the network.
pair_preprocessor = dict(type='PairDataPreProcessor', size=crop_size)
train_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(
        type='ResizePair',
        short_side=short_side,
        ratio_range=(0.9, 1.5),
        interpolation='area',
    ),
    dict(type='RandomCropPair', crop_size=crop_size, pad_val=(73, 83, 72)),
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
# For single images: mmseg's `inference_model`, tools/label_images.py.
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='ResizePair', short_side=short_side, interpolation='area'),
    dict(type='PackSegInputs'),
]
sacre_coeur = dict(
    data_root=data_root,
    data_prefix=dict(
        img_path='sacre_coeur/images',
        corr_path='sacre_coeur/correspondence_data',
    ),
)
reichstag = dict(
    data_root=data_root,
    data_prefix=dict(
        img_path='reichstag/images', corr_path='reichstag/correspondence_data'
    ),
)
sacre_coeur_train = dict(
    type='CorrespondenceDataset',
    ann_file='sacre_coeur/corr_train.txt',
    pipeline=train_pipeline,
    **sacre_coeur,
)
reichstag_train = dict(
    type='CorrespondenceDataset',
    ann_file='reichstag/corr_train.txt',
    pipeline=train_pipeline,
    **reichstag,
)
sacre_coeur_reference = dict(
    sacre_coeur_train,
    type='ReferenceImageDataset',
    cache_dir='work_dirs/reference_index',
    pipeline=val_pipeline[1:],
)
reichstag_reference = dict(
    reichstag_train,
    type='ReferenceImageDataset',
    cache_dir='work_dirs/reference_index',
    pipeline=val_pipeline[1:],
)
train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='ConcatDataset', datasets=[sacre_coeur_train, reichstag_train]
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='ConcatDataset',
        datasets=[
            dict(
                type='CorrespondenceDataset',
                ann_file='sacre_coeur/corr_val.txt',
                pipeline=val_pipeline,
                **sacre_coeur,
            ),
            dict(
                type='CorrespondenceDataset',
                ann_file='reichstag/corr_val.txt',
                pipeline=val_pipeline,
                **reichstag,
            ),
        ],
    ),
)
# These pairs again; tools that label single images take `test_pipeline`.
test_dataloader = val_dataloader
val_evaluator = dict(
    type='CorrespondenceMetric', group_by=r'(sacre_coeur|reichstag)/images/'
)
test_evaluator = val_evaluator
reference_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        datasets=[sacre_coeur_reference, reichstag_reference],
    )
)
