# Both sets on the 19 classes of Cityscapes, validated on Cityscapes. Run
# tools/dataset_converters/vistas_to_cityscapes.py on Vistas first.
_base_ = './cityscapes_713x713.py'
train_pipeline = {{_base_.train_pipeline}}
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='ConcatDataset',
        datasets=[
            dict(
                type='CityscapesDataset',
                data_root='data/cityscapes/',
                data_prefix=dict(
                    img_path='leftImg8bit/train', seg_map_path='gtFine/train'
                ),
                pipeline=train_pipeline,
            ),
            dict(
                type='VistasCityscapesDataset',
                data_root='data/vistas/',
                split='training',
                pipeline=train_pipeline,
            ),
        ],
    ),
)
