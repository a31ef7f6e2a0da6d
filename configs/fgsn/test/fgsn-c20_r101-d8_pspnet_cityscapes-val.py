_base_ = './fgsn-c100_r101-d8_pspnet_cityscapes-val.py'
model = dict(num_clusters=20)
