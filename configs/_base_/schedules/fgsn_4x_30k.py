# Four pairs an iteration: lr = 1e-4 / sqrt(4), the authors' rule, and half
# the iterations, so that the sum of the steps stays.
_base_ = './fgsn_60k.py'
max_iters = 30000
optim_wrapper = dict(optimizer=dict(lr=5e-5))
param_scheduler = [
    dict(
        type='PolyLR',
        power=1.0,
        eta_min=0.0,
        begin=0,
        end=max_iters,
        by_epoch=False,
    )
]
train_cfg = dict(max_iters=max_iters, val_interval=1250)
default_hooks = dict(checkpoint=dict(interval=1250))
