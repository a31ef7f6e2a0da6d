# The validation images of Mapillary Vistas on the 19 classes of Cityscapes.
_base_ = './cmu-seasons.py'
dataset_type = 'VistasCityscapesDataset'
data_root = 'data/vistas/'
test_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, split='validation')
)
