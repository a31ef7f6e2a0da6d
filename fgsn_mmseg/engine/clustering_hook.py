from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmseg.registry import HOOKS

from ..clustering import FeatureReservoir, write_codebook
from .classifier_start import fit_classifiers
from .codebook_fit import fit_on_rank_0
from .feature_sampling import check_clusterable, sample_features
from .gathering import gather
from .new_labels import (
    averaged_models,
    forget,
    hand_over,
    keep_rows,
    report,
    rows_of_clusters,
)
from .pair_sampling import sample_pairs
from .seeding import derive_seed, shared_seed

FURTHER_MEMBERS = dict(
    random=(),
    fitted=('linear_classifiers', 'run_heads', 'label_maps'),
    kept=('logit_map',),
)
"""What each kind of classifier asks of a model beside clustering."""


@HOOKS.register_module()
class ClusteringHook(Hook):
    """Makes the labels: clusters the student's features now and then.

    At the start of iteration 0 and of every ``interval``-th (method, "one
    clustering"): features of all reference images, PCA-whitening, k-means,
    new classifiers, teacher := student. The codebook is the same on any
    number of ranks and goes to ``<work_dir>/clustering_iter_<n>.h5``.

    What remembers the old labels is told: momentum and accumulated gradients
    of the old classifiers are dropped, and the model that an ``EMAHook``
    averages takes over the new classifiers, teacher and codebook.

    The model may be of any class with the members of
    :class:`~fgsn_mmseg.engine.feature_sampling.ClusterableModel`.

    Args:
        dataloader: Config of the loader of a
            :class:`~fgsn_mmseg.datasets.ReferenceImageDataset`.
        interval: Iterations between clusterings.
        num_clusterings: How many there are at most, so that the last labels
            get more time to be learnt. Defaults to None, no limit.
        features_per_image: Upper limit of the features of an image.
        fraction: Share of those taken at random places, in [0, 1].
        max_features: Upper limit of the features of all images, which bounds
            the memory; each is as likely to be among them as any other.
            Defaults to None, no limit.
        kmeans_iterations: Iterations of k-means.
        classifier_std: Standard deviation of the new classifier weights.
        keep_momentum: Keep the optimizer's state of the old classifiers, as
            the authors' code does. By default it is cleared.
        whitening: ``'pca'`` (the paper), or ``'correspondences'``, learned
            from corresponding features of training pairs, see
            :func:`~fgsn_mmseg.clustering.learned_whitening`.
        regularization: Of learned whitening.
        pair_means: With learned whitening, cluster the means of
            corresponding features too.
        classifier: What new classifiers start from: ``'random'`` (the
            paper); ``'fitted'``, logistic regression on what enters them
            and the new labels; or ``'kept'``: k-means starts from the labels
            that the network predicts, and a cluster that shares features
            with an old one keeps its id, its row of the classifiers and its
            momentum.
        num_pairs: Training pairs that learned whitening and fitted classifiers
            look at, at most. A pair gives half of ``features_per_image``
            correspondences, its reference ``features_per_image`` inputs.
    """

    priority = 'NORMAL'

    def __init__(
        self,
        dataloader: dict,
        interval: int = 10_000,
        num_clusterings: int | None = None,
        features_per_image: int = 500,
        fraction: float = 0.5,
        max_features: int | None = None,
        kmeans_iterations: int = 20,
        classifier_std: float = 0.01,
        keep_momentum: bool = False,
        whitening: str = 'pca',
        regularization: float = 0.02,
        pair_means: bool = False,
        classifier: str = 'random',
        num_pairs: int = 400,
    ) -> None:
        for name, value in (
            ('interval', interval),
            ('num_clusterings', num_clusterings),
            ('features_per_image', features_per_image),
            ('max_features', max_features),
            ('kmeans_iterations', kmeans_iterations),
            ('num_pairs', num_pairs),
        ):
            if value is not None and value < 1:
                raise ValueError(
                    f'`{name}` should be positive, but got {value!r}.'
                )
        if not 0 <= fraction <= 1:
            raise ValueError(
                f'`fraction` should be in [0, 1], but got {fraction!r}.'
            )
        for name, choice, choices in (
            ('whitening', whitening, ('pca', 'correspondences')),
            ('classifier', classifier, ('random', 'fitted', 'kept')),
        ):
            if choice not in choices:
                raise ValueError(
                    f'`{name}` should be one of {choices}, but got {choice!r}.'
                )
        if pair_means and whitening == 'pca':
            raise ValueError(
                "`whitening` should be 'correspondences' with `pair_means`, "
                "but got 'pca', which looks at no pairs."
            )
        self.dataloader = dataloader
        self.interval = interval
        self.num_clusterings = num_clusterings
        self.features_per_image = features_per_image
        self.fraction = fraction
        self.max_features = max_features
        self.kmeans_iterations = kmeans_iterations
        self.classifier_std = classifier_std
        self.keep_momentum = keep_momentum
        self.whitening = whitening
        self.regularization = regularization
        self.pair_means = pair_means
        self.classifier = classifier
        self.num_pairs = num_pairs
        self.seed = 0

    def before_train(self, runner: Any) -> None:
        """Refuse a model that cannot be clustered; agree on a seed."""
        model = unwrapped(runner.model)
        check_clusterable(model, FURTHER_MEMBERS[self.classifier])
        self.seed = shared_seed(runner.seed)

    def before_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Cluster if it is time."""
        model = unwrapped(runner.model)
        if self.due(runner.iter) or not model.has_labels:
            self.cluster(runner, model)

    def due(self, iteration: int) -> bool:
        """Whether new labels are made at the start of an iteration."""
        number, rest = divmod(iteration, self.interval)
        limit = self.num_clusterings
        return rest == 0 and (limit is None or number < limit)

    def before_save_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Note which features the labels are made of."""
        checkpoint['feature_layer'] = feature_layer_of(runner.model)

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Refuse to go on with labels of other features."""
        layer = feature_layer_of(runner.model)
        saved = checkpoint.get('feature_layer', layer)
        if runner._resume and saved != layer:
            raise ValueError(
                f'`feature_layer` should be {saved!r} as in the checkpoint '
                f'that is resumed, but got {layer!r}. Its labels are clusters '
                'of those features; start anew with `load_from` instead.'
            )

    def cluster(self, runner: Any, model: Any) -> None:
        """Make new labels and everything that hangs on them.

        Raises:
            ValueError: If fewer features than clusters were sampled.
        """
        start = time.time()
        training = model.training
        model.eval()
        for buffer in model.buffers():
            broadcast(buffer)
        reservoir, num_images = self.gather_features(runner, model)
        pairs = None
        if self.whitening == 'correspondences':
            pairs = self.gather_pairs(runner, model)
        codebook, figures, kept = fit_on_rank_0(
            model,
            reservoir,
            pairs,
            self.keeps(model),
            num_images,
            seed=derive_seed('k-means', self.seed, runner.iter) % 2**31,
            iterations=self.kmeans_iterations,
            regularization=self.regularization,
            pair_means=self.pair_means,
        )
        before = rows_of_clusters(model, model.num_clusters)
        model.set_codebook(codebook)
        generator = torch.Generator()
        generator.manual_seed(
            derive_seed('classifiers', self.seed, runner.iter)
        )
        drawn = model.redraw_classifiers(generator, self.classifier_std)
        if kept is not None:
            keep_rows(drawn, before, kept)
        if self.classifier == 'fitted':
            fit_classifiers(
                runner,
                model,
                self.num_pairs,
                self.features_per_image,
                (self.seed, runner.iter),
            )
        forget(runner.optim_wrapper, drawn, self.keep_momentum, kept)
        for averaged in averaged_models(runner):
            hand_over(model, averaged, drawn)
        model.train(training)
        if is_main_process():
            name = f'clustering_iter_{runner.iter}.h5'
            write_codebook(Path(runner.work_dir) / name, codebook)
        figures['seconds'] = time.time() - start
        report(runner, figures, num_images, model.num_clusters)

    def gather_features(
        self, runner: Any, model: Any
    ) -> tuple[FeatureReservoir, int]:
        """Features of all images, on rank 0; number of images.

        Raises:
            RuntimeError: On all ranks, if one of them failed.
        """
        loader = runner.build_dataloader(
            {
                'batch_size': 1,
                'num_workers': 0,
                **self.dataloader,
                'sampler': dict(
                    type='DefaultSampler', shuffle=False, round_up=False
                ),
            },
            seed=runner.seed,
        )
        (reservoir,) = gather(
            runner,
            lambda reservoirs: sample_features(
                model,
                loader,
                reservoirs[0],
                self.features_per_image,
                self.fraction,
                (self.seed, runner.iter),
                self.keeps(model),
            ),
            self.max_features,
        )
        return reservoir, len(loader.dataset)

    def gather_pairs(self, runner: Any, model: Any) -> FeatureReservoir:
        """Corresponding features (N, 2 C) of training pairs, on rank 0."""
        (reservoir,) = gather(
            runner,
            lambda reservoirs: sample_pairs(
                runner,
                model,
                reservoirs[0],
                self.num_pairs,
                max(1, self.features_per_image // 2),
                (self.seed, runner.iter),
            ),
            self.max_features,
        )
        return reservoir

    def keeps(self, model: Any) -> bool:
        """Whether there are labels that may go on."""
        return self.classifier == 'kept' and model.has_labels


def unwrapped(model: Any) -> Any:
    """The model inside a distributed wrapper, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def feature_layer_of(model: Any) -> str:
    """Name of the layer whose output is clustered; '' where none is named."""
    head = getattr(unwrapped(model), 'main_head', None)
    return getattr(head, 'feature_layer', None) or ''
