from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import (
    all_gather_object,
    broadcast,
    broadcast_object_list,
    collect_results,
    is_main_process,
)
from mmengine.hooks import EMAHook, Hook
from mmengine.model import is_model_wrapper
from mmseg.registry import HOOKS

from ..clustering import Codebook, FeatureReservoir, write_codebook
from .feature_sampling import check_clusterable, sample_features
from .new_labels import forget, hand_over, report
from .seeding import derive_seed, shared_seed


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
    ) -> None:
        for name, value in (
            ('interval', interval),
            ('num_clusterings', num_clusterings),
            ('features_per_image', features_per_image),
            ('max_features', max_features),
            ('kmeans_iterations', kmeans_iterations),
        ):
            if value is not None and value < 1:
                raise ValueError(
                    f'`{name}` should be positive, but got {value!r}.'
                )
        if not 0 <= fraction <= 1:
            raise ValueError(
                f'`fraction` should be in [0, 1], but got {fraction!r}.'
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
        self.seed = 0

    def before_train(self, runner: Any) -> None:
        """Refuse a model that cannot be clustered; agree on a seed."""
        check_clusterable(unwrapped(runner.model))
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
        codebook, figures = self.fit(runner, model, reservoir, num_images)
        model.set_codebook(codebook)
        generator = torch.Generator()
        generator.manual_seed(
            derive_seed('classifiers', self.seed, runner.iter)
        )
        drawn = model.redraw_classifiers(generator, self.classifier_std)
        forget(runner.optim_wrapper, drawn, self.keep_momentum)
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):
                hand_over(model, hook.ema_model.module, drawn)
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
        reservoir = FeatureReservoir(self.max_features)
        failure: Exception | None = None
        try:
            sample_features(
                model,
                loader,
                reservoir,
                self.features_per_image,
                self.fraction,
                (self.seed, runner.iter),
            )
        except Exception as error:  # the other ranks would wait for ever
            failure = error
        reasons = all_gather_object(None if failure is None else str(failure))
        if failure is not None:
            raise failure
        for rank, reason in enumerate(reasons):
            if reason is not None:
                raise RuntimeError(
                    f'Clustering failed on rank {rank}: {reason}'
                )
        parts = collect_results(
            [reservoir],
            loader.sampler.world_size,
            'cpu',
            tmpdir=str(Path(runner.work_dir) / '.clustering'),
        )
        merged = FeatureReservoir(self.max_features)
        merged.merge(parts or [])
        return merged, len(loader.dataset)

    def fit(
        self,
        runner: Any,
        model: Any,
        reservoir: FeatureReservoir,
        num_images: int,
    ) -> tuple[Codebook, dict]:
        """Fit the codebook on rank 0 and hand it to all."""
        message: list[Any] = [None]
        if is_main_process():
            rows = reservoir.features()
            if len(rows) < model.num_clusters:
                message = [
                    'Clustering needs at least num_clusters='
                    f'{model.num_clusters} features, but only {len(rows)} '
                    f'were sampled from {num_images} images. Raise '
                    'features_per_image or use more reference images.'
                ]
            else:
                codebook = Codebook(
                    model.num_clusters,
                    rows.shape[1],
                    min(model.pca_dim, rows.shape[1]),
                )
                seed = derive_seed('k-means', self.seed, runner.iter) % 2**31
                try:
                    figures = codebook.fit(rows, seed, self.kmeans_iterations)
                    message = [(codebook, {'features': len(rows), **figures})]
                except ValueError as error:
                    # The other ranks wait for an answer.
                    message = [str(error)]
        broadcast_object_list(message)
        if isinstance(message[0], str):
            raise ValueError(message[0])
        return message[0]


def unwrapped(model: Any) -> Any:
    """The model inside a distributed wrapper, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def feature_layer_of(model: Any) -> str:
    """Name of the layer whose output is clustered; '' where none is named."""
    head = getattr(unwrapped(model), 'main_head', None)
    return getattr(head, 'feature_layer', None) or ''
