from __future__ import annotations

import cv2
import numpy as np
import pytest
from miniature_training import SHORT_SIDE, tiny_network
from mmseg.apis import inference_model

from fgsn_mmseg.apis import load_segmentor
from fgsn_mmseg.evaluation import read_label_map

TOOL = 'tools/label_images.py'
NAMES = ('a/one.jpg', 'a/b/two.png', 'three.JPG')
SIZES = ((48, 64), (48, 64), (60, 44))


@pytest.fixture
def network(tmp_path):
    name = 'fgsn/test/fgsn-c200_r101-d8_pspnet_image-folder'
    options = {'model__num_clusters': 300}
    return tiny_network(name, tmp_path, **options)


@pytest.fixture
def images(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in zip(NAMES, SIZES):
        path = tmp_path / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (*size, 3), np.uint8))
    (tmp_path / 'images' / 'notes.txt').write_text('no image')
    return tmp_path / 'images'


def maps(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob('*.*')
    )


def test_labels_a_folder(tmp_path, network, images, call_tool):
    out, seen = tmp_path / 'out', tmp_path / 'seen'
    done = call_tool(
        *(TOOL, *network, images, out),
        *('--preview-dir', seen, '--batch-size', 2, '--num-workers', 0),
    )
    assert done.returncode == 0, done.error
    assert '3 images, 0 skipped, 3 label maps written' in done.stdout
    assert maps(out) == ['a/b/two.png', 'a/one.png', 'three.png']
    assert maps(seen) == ['a/b/two.jpg', 'a/one.jpg', 'three.jpg']
    model = load_segmentor(*network)
    used = set()
    for name, size in zip(NAMES, SIZES):
        stem = name.rsplit('.', 1)[0]
        labels = read_label_map(str(out / f'{stem}.png'))
        assert labels.shape == size
        # mmseg's own call gives the same labels.
        expected = inference_model(model, str(images / name))
        expected = expected.pred_sem_seg.data[0].numpy()
        assert (labels == expected).mean() > 0.99
        used |= set(np.unique(labels).tolist())
        photo, preview = (
            cv2.imread(str(path))
            for path in (images / name, seen / f'{stem}.jpg')
        )
        assert preview.shape == photo.shape
        assert np.abs(preview.astype(int) - photo).mean() > 5
    assert len(used) > 2 and max(used) > 20
    assert min(model.cfg.model.test_cfg.crop_size) < SHORT_SIDE  # windows


def test_goes_on_where_it_stopped(tmp_path, network, images, call_tool):
    out = tmp_path / 'out'
    call = (TOOL, *network, images, out, '--num-workers', 0)
    assert call_tool(*call).returncode == 0
    kept, lost = out / 'three.png', out / 'a/one.png'
    kept.write_bytes(b'already there')
    lost.unlink()
    done = call_tool(*call)
    assert '2 skipped, 1 label maps written' in done.stdout
    assert kept.read_bytes() == b'already there' and lost.is_file()
    done = call_tool(*call, '--overwrite')
    assert '0 skipped, 3 label maps written' in done.stdout
    assert read_label_map(str(kept)).shape == (60, 44)


def test_processes_share_the_images(
    tmp_path, network, images, call_tool, monkeypatch
):
    out = tmp_path / 'out'
    monkeypatch.setenv('WORLD_SIZE', '2')
    written = []
    for rank in '01':
        monkeypatch.setenv('RANK', rank)
        monkeypatch.setenv('LOCAL_RANK', rank)
        done = call_tool(TOOL, *network, images, out, '--num-workers', 0)
        written.append(len(maps(out)))
        assert f'by process {rank} of 2' in done.stdout
    assert written == [2, 3]


@pytest.mark.slow
def test_torchrun(tmp_path, network, images, repo_root, run_tool):
    import torch.distributed.run as launcher

    run_tool(
        launcher.__file__,
        *('--standalone', '--nproc-per-node', 2),
        *(repo_root / TOOL, *network, images, tmp_path / 'out'),
    )
    assert len(maps(tmp_path / 'out')) == 3


def test_one_broken_image_stops_no_other(tmp_path, network, images, call_tool):
    (images / 'a/broken.png').write_bytes(b'no picture')
    done = call_tool(TOOL, *network, images, tmp_path / 'out')
    assert done.returncode == 1
    assert done.error.startswith('error: 1 images could not be labelled')
    assert 'broken.png' in done.error and '\n' not in done.error
    assert len(maps(tmp_path / 'out')) == 3


def test_checkpoint_of_another_number(tmp_path, network, images, call_tool):
    call = (TOOL, *network, images, tmp_path / 'out')
    done = call_tool(*call, '--cfg-options', 'model.num_clusters=20')
    assert done.returncode == 1
    assert '`num_clusters` should be 300 as in the checkpoint' in done.error
    done = call_tool(*call, '--cfg-options', 'model.backbone.base_channels=8')
    assert done.returncode == 1
    assert 'tensors do not fit' in done.error and '\n' not in done.error


@pytest.mark.parametrize(
    'change, said',
    [
        ({0: 'none.py'}, 'none.py'),
        ({1: 'none.pth'}, 'none.pth'),
        ({2: 'none'}, '`images` should be a folder'),
        ({3: 'images/out'}, '`out_dir` should not lie in the folder'),
    ],
)
def test_broken_input(tmp_path, network, images, call_tool, change, said):
    call = [*network, images, tmp_path / 'out']
    for place, name in change.items():
        call[place] = tmp_path / name
    done = call_tool(TOOL, *call)
    assert done.returncode == 1
    assert done.error.startswith('error: ') and '\n' not in done.error
    assert said in done.error


def test_images_that_differ_in_their_extension(
    tmp_path, network, images, call_tool
):
    (images / 'three.png').write_bytes((images / 'three.JPG').read_bytes())
    done = call_tool(TOOL, *network, images, tmp_path / 'out')
    assert 'three.JPG and three.png' in done.error


def test_help_shows_every_default(check_help):
    check_help(TOOL)
