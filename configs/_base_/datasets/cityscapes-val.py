# The validation images of Cityscapes: what clusters tell about classes.
_base_ = './cmu-seasons.py'
dataset_type = 'CityscapesDataset'
data_root = 'data/cityscapes/'
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/val', seg_map_path='gtFine/val'
        ),
        pipeline={{_base_.test_pipeline}},
    )
)
