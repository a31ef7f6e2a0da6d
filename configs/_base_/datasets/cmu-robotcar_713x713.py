# Both sets at once, in training, validation and clustering. Each pair counts
# once, so a set weighs as much as it has pairs.
_base_ = './cmu_713x713.py'
dataset_type = 'ConcatDataset'
cmu = dict(type='CMUCorrespondenceDataset', data_root='data/CMU/')
robotcar = dict(
    type='RobotCarCorrespondenceDataset', data_root='data/ROBOTCAR/'
)
train = dict(ann_file='corr_train.txt', pipeline={{_base_.train_pipeline}})
val = dict(ann_file='corr_val.txt', pipeline={{_base_.val_pipeline}})
reference = dict(
    type='ReferenceImageDataset',
    ann_file='corr_train.txt',
    reference_image_names='reference_image_names.txt',
    pipeline={{_base_.reference_pipeline}},
)
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        datasets=[dict(**cmu, **train), dict(**robotcar, **train)],
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        datasets=[dict(**cmu, **val), dict(**robotcar, **val)],
    )
)
test_dataloader = val_dataloader
# Agreement of each set by itself too.
val_evaluator = dict(
    type='CorrespondenceMetric', group_by=r'(CMU|ROBOTCAR)/images/'
)
test_evaluator = val_evaluator
reference_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type=dataset_type,
        datasets=[
            dict(reference, data_root='data/CMU/'),
            dict(reference, data_root='data/ROBOTCAR/'),
        ],
    )
)
