# Oxford RobotCar Seasons: pairs with correspondences.
_base_ = './cmu_672x672.py'
dataset_type = 'RobotCarCorrespondenceDataset'
data_root = 'data/ROBOTCAR/'
train_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = val_dataloader
reference_dataloader = dict(dataset=dict(data_root=data_root))
