# Trained on one building; the other is one that no training has seen.
_base_ = './fgsn-c20_cgnet-cityscapes-pre_fcn_1xb2-300_sacre-coeur-reichstag-257x257.py'
train_dataloader = dict(dataset=dict(datasets=[{{_base_.reichstag_train}}]))
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval={{_base_.interval}},
        features_per_image=2000,
        dataloader=dict(
            dataset=dict(
                type='ConcatDataset',
                datasets=[{{_base_.reichstag_reference}}],
            )
        ),
    )
]
