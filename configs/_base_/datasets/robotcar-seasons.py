# The annotated images of RobotCar Seasons.
_base_ = './cmu-seasons.py'
dataset_type = 'RobotCarSeasonsDataset'
data_root = 'data/ROBOTCAR/'
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
