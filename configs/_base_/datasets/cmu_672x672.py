# The same for networks with patches of 14 or 16 pixels or a stride of 32: 672
# is a multiple of all of them, so that cells tile a crop exactly.
_base_ = './cmu_713x713.py'
short_side = 1024
crop_size = (672, 672)
pair_preprocessor = dict(size=crop_size)
train_pipeline = [
    dict(type='LoadCorrespondences'),
    dict(type='LoadImagePair'),
    dict(type='ResizeCropPair', short_side=short_side, crop_size=crop_size),
    dict(type='PackPairInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
