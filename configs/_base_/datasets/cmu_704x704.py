# The same for networks whose coarsest maps have a stride of 32.
_base_ = './cmu_713x713.py'
short_side = 1024
crop_size = (704, 704)
pair_preprocessor = dict(size=crop_size)
train_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizeCropPair', short_side=short_side, crop_size=crop_size),
    dict(type='PackPairInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
