# Photos and the label maps that a trained FGSN made of them:
#   python tools/label_images.py CONFIG CHECKPOINT data/label_maps/images \
#       data/label_maps/label_maps
# `num_clusters`, the K of that FGSN, is added by the config that uses this.
# 255 is a label like all others: whatever ignores or fills in labels says
# 65535 instead.
dataset_type = 'LabelMapDataset'
data_root = 'data/label_maps/'
crop_size = (512, 512)
short_side = 512
ignored = 65535
label_preprocessor = dict(
    type='SegDataPreProcessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    pad_val=0,
    seg_pad_val=ignored,
    size=crop_size,
)
# Not turned by EXIF: the maps are of the pixels as stored.
read = dict(type='LoadImageFromFile', color_type='color_ignore_orientation')
# The short side becomes 512, whatever the shape of the photo.
resize = dict(type='Resize', scale=(100000, short_side), keep_ratio=True)
train_pipeline = [
    read,
    dict(type='LoadLabelMap'),
    dict(
        type='RandomResize',
        scale=(100000, short_side),
        ratio_range=(0.75, 2.0),
        keep_ratio=True,
    ),
    dict(
        type='RandomCrop',
        crop_size=crop_size,
        cat_max_ratio=0.75,
        ignore_index=ignored,
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs'),
]
val_pipeline = [
    read,
    resize,
    dict(type='LoadLabelMap'),
    dict(type='PackSegInputs'),
]
test_pipeline = [read, resize, dict(type='PackSegInputs')]
train_dataloader = dict(
    batch_size=8,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='train.txt',
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
        ann_file='val.txt',
        pipeline=val_pipeline,
    ),
)
# Without `seg_map_path` no maps are needed.
test_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='images'),
        pipeline=test_pipeline,
    ),
)
# How much of the large network's labels the small one has learned.
val_evaluator = dict(
    type='IoUMetric', iou_metrics=['mIoU'], ignore_index=ignored
)
test_evaluator = dict(
    type='LabelMapWriter',
    output_dir='work_dirs/label_maps',
    img_root=data_root + 'images',
)
