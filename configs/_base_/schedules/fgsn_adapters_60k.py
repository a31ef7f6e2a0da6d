# For what is new in a network, adapters and head: one rate for all of it.
_base_ = './fgsn_adamw_60k.py'
optim_wrapper = dict(
    optimizer=dict(lr=2e-4),
    paramwise_cfg=dict(
        _delete_=True, norm_decay_mult=0.0, bias_decay_mult=0.0
    ),
)
