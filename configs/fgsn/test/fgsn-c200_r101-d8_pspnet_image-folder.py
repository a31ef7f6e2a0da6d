_base_ = './fgsn-c100_r101-d8_pspnet_image-folder.py'
model = dict(num_clusters=200)
