"""mmseg's ways to a single image work on configs of trainings with pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from miniature_training import tiny_network
from mmengine import Config
from mmengine.dataset import pseudo_collate
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.registry import DATASETS, MODELS

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
NAMES = sorted(path.stem for path in (CONFIGS / 'fgsn').glob('*.py'))
SACRE_COEUR = 'fgsn-c20_r18s-d8_pspnet_1xb4-both-160_sacre-coeur-113x113'
CMU = 'fgsn-c20_r101-d8_pspnet_1xb1-60k_cmu-713x713'


@pytest.mark.parametrize('name', NAMES)
def test_pipelines(name):
    try:
        config = Config.fromfile(CONFIGS / 'fgsn' / f'{name}.py')
    except ImportError:
        pytest.skip('mmpretrain is not installed')
    assert config.test_pipeline[0].type == 'LoadImageFromFile'
    assert config.test_pipeline[-1].type == 'PackSegInputs'
    dataset = config.test_dataloader.dataset
    assert dataset.type == config.val_dataloader.dataset.type
    if dataset.type != 'ConcatDataset':  # mmseg looks in a single one only
        assert dataset.pipeline == config.test_pipeline


def make_network(name, folder, options):
    """Config and checkpoint of random weights."""
    if name == CMU:
        return tiny_network(f'fgsn/{name}', folder, **options)
    config = Config.fromfile(CONFIGS / 'fgsn' / f'{name}.py')
    config.merge_from_dict(
        {key.replace('__', '.'): value for key, value in options.items()}
    )
    config.dump(folder / 'config.py')
    meta = dict(dataset_meta=dict(dataset_type='correspondence'))
    state = MODELS.build(config.model).state_dict()
    torch.save(dict(state_dict=state, meta=meta), folder / 'random.pth')
    return folder / 'config.py', folder / 'random.pth'


@pytest.mark.parametrize('name', [SACRE_COEUR, CMU])
def test_single_images_and_pairs(name, tmp_path, sacre_coeur):
    options = {
        f'{split}_dataloader__dataset__{key}': value
        for split in ('val', 'test')
        for key, value in (('data_root', str(sacre_coeur)), ('ann_file', ''))
    }
    network = [str(p) for p in make_network(name, tmp_path, options)]
    model = init_model(*network, device='cpu')
    photo = sorted((sacre_coeur / 'images').rglob('*.jpg'))[0]
    labels = inference_model(model, str(photo)).pred_sem_seg.data[0]
    inferencer = MMSegInferencer(*network, device='cpu')
    found = inferencer(str(photo), return_vis=True)
    np.testing.assert_array_equal(found['predictions'], labels)
    # The loaders of validation and test give the same pairs.
    config = Config.fromfile(network[0])
    val, test = (
        DATASETS.build(config[f'{split}_dataloader'].dataset)
        for split in ('val', 'test')
    )
    for key in ('img', 'img2'):
        assert val[3]['inputs'][key].equal(test[3]['inputs'][key])
    (sample,) = model.test_step(pseudo_collate([test[3]]))
    assert len(sample.labels) == len(val[3]['data_samples'].points) > 0
