from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import (
    broadcast,
    broadcast_object_list,
    collect_results,
    get_rank,
    is_main_process,
)
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmseg.registry import HOOKS

from ..clustering import Codebook, sample_cells, write_codebook
from ..geometry import to_cells
from ..models import FGSN
from .clustering_report import report
from .seeding import derive_seed, shared_seed

SECONDS_BETWEEN_LINES = 10


@HOOKS.register_module()
class ClusteringHook(Hook):
    """Makes the labels: clusters the student's features now and then.

    At the start of iteration 0 and of every ``interval``-th (method, "one
    clustering"): features of all reference images, PCA-whitening, k-means,
    new classifiers, teacher := student. The codebook is the same on any
    number of ranks and goes to ``<work_dir>/clustering_iter_<n>.h5``.

    Args:
        dataloader: Config of the loader of a
            :class:`~fgsn_mmseg.datasets.ReferenceImageDataset`; batch size 1
            unless all images are of one size.
        interval: Iterations between clusterings.
        num_clusterings: How many there are at most, so that the last labels
            get more time to be learnt. Defaults to None, no limit.
        features_per_image: Upper limit of the features of an image.
        fraction: Share of those taken at random places, in [0, 1].
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
        kmeans_iterations: int = 20,
        classifier_std: float = 0.01,
        keep_momentum: bool = False,
    ) -> None:
        for name, value in (
            ('interval', interval),
            ('num_clusterings', num_clusterings),
            ('features_per_image', features_per_image),
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
        self.kmeans_iterations = kmeans_iterations
        self.classifier_std = classifier_std
        self.keep_momentum = keep_momentum
        self.seed = 0

    def before_train(self, runner: Any) -> None:
        """Refuse a model that cannot learn clusters; agree on a seed."""
        model = unwrapped(runner.model)
        if not isinstance(model, FGSN):
            raise TypeError(
                'ClusteringHook needs a model of type FGSN, but got '
                f"{type(model).__name__}. Set `model = dict(type='FGSN', "
                'num_clusters=...)`.'
            )
        self.seed = shared_seed(runner.seed)

    def before_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Seed the step's draws, and cluster if it is time."""
        model = unwrapped(runner.model)
        if self.due(runner.iter) or model.codebook is None:
            self.cluster(runner, model)
        model.generator.manual_seed(
            derive_seed('side', runner.seed, runner.iter, get_rank())
        )

    def due(self, iteration: int) -> bool:
        """Whether new labels are made at the start of an iteration."""
        number, rest = divmod(iteration, self.interval)
        limit = self.num_clusterings
        return rest == 0 and (limit is None or number < limit)

    def cluster(self, runner: Any, model: FGSN) -> None:
        """Make new labels and everything that hangs on them.

        Raises:
            ValueError: If fewer features than clusters were sampled.
        """
        start = time.time()
        training = model.training
        model.eval()
        for buffer in model.buffers():
            broadcast(buffer)
        features, num_images = self.sample_features(runner, model)
        codebook, figures = self.fit(runner, model, features, num_images)
        model.set_codebook(codebook)
        generator = torch.Generator()
        generator.manual_seed(
            derive_seed('classifiers', self.seed, runner.iter)
        )
        drawn = model.redraw_classifiers(generator, self.classifier_std)
        if not self.keep_momentum:
            forget(runner.optim_wrapper, drawn)
        model.train(training)
        if is_main_process():
            name = f'clustering_iter_{runner.iter}.h5'
            write_codebook(Path(runner.work_dir) / name, codebook)
        figures['seconds'] = time.time() - start
        report(runner, figures, num_images, model.num_clusters)

    @torch.no_grad()
    def sample_features(
        self, runner: Any, model: FGSN
    ) -> tuple[list[np.ndarray], int]:
        """Features of this rank's images, gathered in order on rank 0.

        Returns:
            For each image (S, C) float32, on rank 0 only; number of images.
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
        generator = torch.Generator()
        rows: list[np.ndarray] = []
        last = time.time()
        for batch in loader:
            data = model.data_preprocessor(batch, False)
            maps = model.over_windows(model.student_features, data['inputs'])
            size = data['inputs'].shape[-2:]
            inside = maps.cells_inside(tuple(size))
            for one, sample in zip(maps.data, data['data_samples']):
                cells, _ = to_cells(
                    sample.points, maps.extent, one.shape[-2:], model.grid
                )
                limits = cells.new_tensor([inside[1], inside[0]])
                valid = ((cells >= 0) & (cells < limits)).all(1)
                index = get_rank() + len(rows) * loader.sampler.world_size
                generator.manual_seed(
                    derive_seed('sampling', self.seed, runner.iter, index)
                )
                chosen = sample_cells(
                    cells[valid],
                    inside,
                    self.features_per_image,
                    self.fraction,
                    generator,
                ).to(one.device)
                one = one[:, : inside[0], : inside[1]].flatten(1)
                rows.append(one[:, chosen].T.float().cpu().numpy())
            if time.time() - last > SECONDS_BETWEEN_LINES:
                last = time.time()
                runner.logger.info(
                    f'Clustering: {len(rows)} of {len(loader.sampler)} images'
                )
        total = len(loader.dataset)
        device = 'gpu' if torch.cuda.is_available() else 'cpu'
        return collect_results(rows, total, device) or [], total

    def fit(
        self,
        runner: Any,
        model: FGSN,
        features: list[np.ndarray],
        num_images: int,
    ) -> tuple[Codebook, dict]:
        """Fit the codebook on rank 0 and hand it to all."""
        message: list[Any] = [None]
        if is_main_process():
            rows = np.concatenate(features)
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
                figures: dict[str, Any] = {'features': len(rows)}
                seed = derive_seed('k-means', self.seed, runner.iter) % 2**31
                try:
                    figures.update(
                        codebook.fit(rows, seed, self.kmeans_iterations)
                    )
                    message = [(codebook, figures)]
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


def forget(optim_wrapper: Any, parameters: list[torch.nn.Parameter]) -> None:
    """Drop the optimizer's state (momentum) of some parameters."""
    wrappers = [optim_wrapper]
    if isinstance(optim_wrapper, dict) or hasattr(optim_wrapper, 'values'):
        wrappers = list(optim_wrapper.values())
    for wrapper in wrappers:
        for parameter in parameters:
            wrapper.optimizer.state.pop(parameter, None)
