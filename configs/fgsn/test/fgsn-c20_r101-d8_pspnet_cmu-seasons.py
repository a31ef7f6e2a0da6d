_base_ = './fgsn-c100_r101-d8_pspnet_cmu-seasons.py'
model = dict(num_clusters=20)
