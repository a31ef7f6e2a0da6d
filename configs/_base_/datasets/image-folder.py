# Any folder of images, recursively: writes 16-bit label maps with the same
# relative paths.
_base_ = './cmu-seasons.py'
dataset_type = 'BaseSegDataset'
data_root = 'data/images/'
test_pipeline = [
    dict(type='LoadImageFromFile', color_type='color_ignore_orientation'),
    dict(type='ResizePair', short_side=1024),
    dict(type='PackSegInputs'),
]
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path=''),
        img_suffix=('.jpg', '.jpeg', '.png'),
        pipeline=test_pipeline,
    )
)
test_evaluator = dict(
    _delete_=True,
    type='LabelMapWriter',
    output_dir='work_dirs/label_maps',
    img_root=data_root,
)
