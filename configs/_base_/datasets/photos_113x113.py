# Photos of one's own: pairs that images_to_correspondences.py, or another of
# tools/dataset_converters, has written to data/mine. Read as those of the church.
_base_ = './sacre_coeur_113x113.py'
data_root = 'data/mine'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
reference_dataloader = dict(dataset=dict(data_root=data_root))
