from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmseg.models import SegDataPreProcessor
from mmseg.registry import MODELS

from fgsn_mmseg.structures import PairDataSample

# What mmseg's stacking writes into a sample about one image.
_STACK_KEYS = ('img_shape', 'pad_shape', 'padding_size', 'img_padding_size')


@MODELS.register_module()
class PairDataPreProcessor(SegDataPreProcessor):
    """mmseg's preprocessor for image pairs as well as for single images.

    A batch whose ``inputs`` is a dict holds pairs: both images are
    normalized as mmseg does it. In training all images of a batch, reference
    and target, are padded to one size: ``size``, or the largest among them.
    In validation the two images of a pair may differ in size; with several
    pairs a batch the reference images must have one size, and so must the
    target images. Padding is on the right and at the bottom, so that points
    keep their coordinates.

    A batch whose ``inputs`` is a list holds single images and is treated by
    :class:`mmseg.models.SegDataPreProcessor` itself.

    Args:
        size (tuple[int], optional): Fixed (height, width) to pad to in
            training. Defaults to None.
        size_divisor (int, optional): Pad to a multiple of it. Defaults to
            None; with ``size`` None as well it is 1.
        **kwargs: As in :class:`mmseg.models.SegDataPreProcessor`.
    """

    def __init__(
        self,
        *args: Any,
        size: tuple | None = None,
        size_divisor: int | None = None,
        **kwargs: Any,
    ) -> None:
        if size is None and size_divisor is None:
            # mmseg's stacking asks for exactly one of the two.
            size_divisor = 1
        super().__init__(*args, size=size, size_divisor=size_divisor, **kwargs)

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        """Normalize, pad and stack.

        Args:
            data: ``inputs``: ``dict(img=[(3, H, W), ...],
                img2=[(3, H2, W2), ...])`` with B images each, or a list of
                images; ``data_samples``: list of B samples, or None when not
                training.
            training: Whether images are padded to one size.

        Returns:
            dict: ``inputs``: ``dict(img=(B, 3, H, W), img2=(B, 3, H2, W2))``
            or (B, 3, H, W), float32; ``data_samples`` as given, with
            ``img_shape``, ``pad_shape`` (and ``...2``) of the images.

        Raises:
            ValueError: The images of a validation batch differ in size, or a
                training image is larger than ``size``.
        """
        if not isinstance(data['inputs'], Mapping):
            return super().forward(data, training)
        images = [list(data['inputs'][key]) for key in ('img', 'img2')]
        samples = data.get('data_samples')
        # mmseg notes sizes in the samples: the target images get some of
        # their own, and the notes are then copied over.
        notes = [PairDataSample() for _ in images[1]]
        if training:
            both = dict(
                inputs=self._fitting(images[0] + images[1]),
                data_samples=None if samples is None else samples + notes,
            )
            done = super().forward(both, training=True)
            count = len(images[0])
            stacked = list(done['inputs'].split(count))
            samples = done['data_samples'][:count]
            notes = done['data_samples'][count:]
        else:
            first = self._stack_equal(images[0], samples)
            second = self._stack_equal(images[1], notes)
            stacked = [first['inputs'], second['inputs']]
            samples, notes = first['data_samples'], second['data_samples']
        if samples is not None:
            self._note_shapes(samples, notes, images, stacked)
        return dict(
            inputs=dict(img=stacked[0], img2=stacked[1]), data_samples=samples
        )

    def _fitting(self, images: list[torch.Tensor]) -> list[torch.Tensor]:
        """The images, if they fit into the fixed size."""
        for image in images if self.size is not None else []:
            if any(x > y for x, y in zip(image.shape[1:], self.size)):
                raise ValueError(
                    f'`size` of PairDataPreProcessor should hold every '
                    f'training image, but got {tuple(self.size)} for an image '
                    f'of {tuple(image.shape[1:])}. Add RandomCropPair to the '
                    'training pipeline.'
                )
        return images

    def _stack_equal(
        self, images: list[torch.Tensor], samples: list[PairDataSample] | None
    ) -> dict[str, Any]:
        """Batch of images of one size, as mmseg makes it in testing."""
        shapes = sorted({tuple(image.shape[1:]) for image in images})
        if len(shapes) > 1:
            raise ValueError(
                'the images of a validation batch should have one size, but '
                f'got {shapes!r}. Use batch_size=1 or resize them to one '
                'scale.'
            )
        blank = samples is None and self.test_cfg
        if blank:
            # mmseg's padding writes into samples without asking.
            samples = [PairDataSample() for _ in images]
        data = dict(inputs=images, data_samples=samples)
        done = super().forward(data, training=False)
        return {**done, 'data_samples': None} if blank else done

    @staticmethod
    def _note_shapes(
        samples: list[PairDataSample],
        notes: list[PairDataSample],
        images: list[list[torch.Tensor]],
        stacked: list[torch.Tensor],
    ) -> None:
        """Write sizes before and after padding into the samples."""
        for i, (sample, note) in enumerate(zip(samples, notes)):
            for key in _STACK_KEYS:
                if key in note:
                    sample.set_metainfo({f'{key}2': note.get(key)})
            for suffix, images_, batch in zip(('', '2'), images, stacked):
                sample.set_metainfo(
                    {
                        f'img_shape{suffix}': tuple(images_[i].shape[-2:]),
                        f'pad_shape{suffix}': tuple(batch.shape[-2:]),
                    }
                )
