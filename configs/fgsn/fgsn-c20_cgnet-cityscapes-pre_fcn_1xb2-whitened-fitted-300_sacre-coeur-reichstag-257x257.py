# The same with whitening that is learned from the correspondences, and with
# fitted classifiers.
_base_ = './fgsn-c20_cgnet-cityscapes-pre_fcn_1xb2-300_sacre-coeur-reichstag-257x257.py'
custom_hooks = [
    dict(
        type='ClusteringHook',
        interval={{_base_.interval}},
        features_per_image=2000,
        whitening='correspondences',
        pair_means=True,
        classifier='fitted',
        dataloader={{_base_.reference_dataloader}},
    )
]
