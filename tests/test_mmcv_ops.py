from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

import mmcv
import mmseg
import numpy as np
import pytest
import torch
from mmcv.utils import collect_env
from mmengine.registry import Registry
from torch import nn

from fgsn_mmseg import compat, mmcv_ops

lite_only = pytest.mark.skipif(
    importlib.util.find_spec('mmcv._ext') is not None,
    reason='compiled mmcv: there is no stand-in',
)


def bilinear(feature_map, x, y):
    """Interpolate (C, H, W) at pixel (x, y), zeros outside."""
    channels, height, width = feature_map.shape
    value = torch.zeros(channels)
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for col in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= row < height and 0 <= col < width:
                weight = (1 - abs(y - row)) * (1 - abs(x - col))
                value += weight * feature_map[:, row, col]
    return value


class TestPointSample:
    def test_hand_computed(self):
        feature_map = torch.arange(6.0).view(1, 1, 2, 3)  # rows 012, 345
        points = torch.tensor([[[0.5, 0.5], [0.5, 0.25], [0.0, 0.0]]])
        # The middle; the centre of the first row's middle pixel; the outer
        # corner, three quarters of which are zeros outside.
        sampled = mmcv_ops.point_sample(feature_map, points)
        assert sampled.tolist() == [[[2.5, 1.0, 0.0]]]
        sampled = mmcv_ops.point_sample(feature_map, points, True)
        assert sampled.tolist() == [[[2.5, 1.75, 0.0]]]

    @pytest.mark.parametrize('align_corners', [False, True])
    def test_naive_loop(self, align_corners):
        generator = torch.Generator().manual_seed(0)
        features = torch.rand(2, 3, 4, 7, generator=generator)
        points = torch.rand(2, 11, 2, generator=generator)
        points[:, 0], points[:, 1] = 0, 1
        sampled = mmcv_ops.point_sample(
            features, points, align_corners=align_corners
        )
        assert sampled.shape == (2, 3, 11)
        for b in range(2):
            for n in range(11):
                x, y = points[b, n].tolist()
                if align_corners:
                    x, y = x * (7 - 1), y * (4 - 1)
                else:
                    x, y = x * 7 - 0.5, y * 4 - 0.5
                expected = bilinear(features[b], x, y)
                torch.testing.assert_close(
                    sampled[b, :, n], expected, atol=1e-5, rtol=0
                )

    @pytest.mark.parametrize('shape', [(2, 5, 2), (2, 3, 4, 2)])
    @pytest.mark.parametrize(
        'options', [{}, {'align_corners': True}, {'padding_mode': 'border'}]
    )
    def test_equals_mmcv(self, shape, options):
        # mmcv-lite ships this file, but its package cannot be imported.
        path = Path(mmcv.__file__).parent / 'ops' / 'point_sample.py'
        spec = importlib.util.spec_from_file_location('theirs', path)
        theirs = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(theirs)
        generator = torch.Generator().manual_seed(1)
        features = torch.rand(2, 3, 4, 7, generator=generator)
        points = torch.rand(*shape, generator=generator)
        assert torch.equal(
            mmcv_ops.point_sample(features, points, **options),
            theirs.point_sample(features, points, **options),
        )


@lite_only
class TestMmcvOps:
    def test_is_in_place(self):
        assert importlib.import_module('mmcv.ops') is mmcv_ops
        assert mmcv.ops is mmcv_ops
        before = dict(sys.modules)
        compat.prepare()
        assert sys.modules['mmcv.ops'] is before['mmcv.ops']

    def test_all_of_mmseg_imports(self):
        names = [
            module.name
            for module in pkgutil.walk_packages(mmseg.__path__, 'mmseg.')
            if '.configs' not in module.name
        ]
        for name in names:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                # One family imports these optional packages unguarded.
                assert error.name in ('mmpretrain', 'onedl')
        assert len(names) > 150
        models = importlib.import_module('mmseg.registry').MODELS
        assert {'SideAdapterCLIPHead', 'FocalLoss', 'CCHead'} <= set(
            models.module_dict
        )

    def test_placeholder_raises_when_used(self):
        from mmcv.ops import DeformConv2d, batched_nms

        assert mmcv.ops.DeformConv2d is DeformConv2d
        assert not isinstance(nn.Conv2d(1, 1, 1), DeformConv2d)
        with pytest.raises(RuntimeError, match=r'`mmcv.ops.batched_nms`'):
            batched_nms(torch.zeros(1, 4), score_threshold=0.5)
        with pytest.raises(RuntimeError, match=r'fgsn-mmseg\[full\]'):
            DeformConv2d(3, 3, kernel_size=3)

    def test_placeholder_can_be_subclassed_and_registered(self):
        from mmcv.ops import ModulatedDeformConv2d

        registry = Registry('toy')

        @registry.register_module()
        class Pack(ModulatedDeformConv2d):
            def __init__(self, channels):
                super().__init__(channels, channels, 3)

        class PackOfPack(Pack, nn.Module):
            pass

        registry.register_module(name='DCNv2', module=ModulatedDeformConv2d)
        expected = '`mmcv.ops.ModulatedDeformConv2d` needs compiled'
        for build in (
            lambda: registry.build(dict(type='Pack', channels=3)),
            lambda: registry.build(dict(type='DCNv2')),
            lambda: PackOfPack(3),
        ):
            with pytest.raises(RuntimeError, match=expected):
                build()

    def test_private_names_are_absent(self):
        for name in ('__path__', '__wrapped__', '_ext'):
            assert not hasattr(mmcv.ops, name)
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module('mmcv.ops.multi_scale_deform_attn')

    def test_report_of_the_environment(self):
        assert collect_env()['MMCV Compiler'] == 'n/a'


def test_compiled_ops_are_left_alone(site, import_in):
    real = (site / 'mmcv').resolve()
    (site / 'mmcv').unlink()
    (site / 'mmcv').mkdir()
    for entry in real.iterdir():
        if entry.name not in ('ops', '__pycache__'):
            (site / 'mmcv' / entry.name).symlink_to(entry)
    (site / 'mmcv' / '_ext.py').touch()
    (site / 'mmcv' / 'ops').mkdir()
    (site / 'mmcv' / 'ops' / '__init__.py').write_text(
        'def point_sample(): return "compiled"\n'
        'def sigmoid_focal_loss(): ...\n'
        'class CrissCrossAttention: ...\n'
        'class PSAMask: ...\n'
        'class DeformConv2d: ...\n'
        'class ModulatedDeformConv2d: ...\n'
    )
    done = import_in(
        site,
        'import fgsn_mmseg, sys, mmcv.ops, mmseg.models\n'
        'from mmseg.models.utils.point_sample import point_sample\n'
        'assert "fgsn_mmseg.mmcv_ops" not in sys.modules\n'
        'print(mmcv.ops.__file__, point_sample())\n',
    )
    assert done.returncode == 0, done.stderr
    expected = site / 'mmcv' / 'ops' / '__init__.py'
    assert done.stdout.splitlines()[-1] == f'{expected} compiled'
