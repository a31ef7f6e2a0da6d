# The authors' code moves the learning rate at each clustering only.
_base_ = './fgsn_60k.py'
param_scheduler = [
    dict(
        type='StaircaseLR',
        interval=10000,
        begin=0,
        end=60000,
        by_epoch=False,
    )
]
