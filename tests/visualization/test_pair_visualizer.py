import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import VISUALIZERS
from mmseg.structures import SegDataSample
from mmseg.visualization import SegLocalVisualizer

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.structures import PairDataSample
from fgsn_mmseg.visualization import PairVisualizer, cluster_palette
from fgsn_mmseg.visualization.drawing import AGREE, DISAGREE


def make_pair(labels=(7, 299), labels2=(7, 298)):
    # The network saw half-size images.
    sample = PairDataSample(
        metainfo={
            'img_path': 'images/snow/a.jpg',
            'img_path2': 'images/night/b.jpg',
            'img_shape': (30, 45),
            'img_shape2': (50, 25),
            'num_clusters': 300,
        }
    )
    sample.points = torch.tensor([[15.0, 10], [30, 20]])
    sample.points2 = torch.tensor([[12.5, 12.5], [20, 37]])
    if labels is not None:
        sample.labels = torch.tensor(labels)
        sample.labels2 = torch.tensor(labels2)
        sample.pred_sem_seg = PixelData(data=torch.full((1, 6, 9), 299))
        sample.pred_sem_seg2 = PixelData(data=torch.full((1, 10, 5), 255))
    return sample


def make_photos():
    return (
        np.full((60, 90, 3), 128, np.uint8),
        np.full((100, 50, 3), 128, np.uint8),
    )


def test_takes_the_place_of_the_local_visualizer():
    visualizer = VISUALIZERS.build(
        {'type': 'PairVisualizer', 'name': 'test_pair_visualizer'}
    )
    assert isinstance(visualizer, PairVisualizer)
    assert isinstance(visualizer, SegLocalVisualizer)


def test_pair_is_drawn_in_pixels_of_the_file(tmp_path):
    visualizer = PairVisualizer(pair_height=200, max_lines=0, alpha=1.0)
    photo, photo2 = make_photos()
    path = str(tmp_path / 'pair.png')
    visualizer.add_datasample(
        'x', photo, make_pair(), image2=photo2, out_file=path
    )
    picture = cv2.imread(path)[..., ::-1]
    assert picture.shape == (24 + 200 + 6 + 200, 406, 3)
    # (15 + 0.5) * 200 / 30 - 0.5 = 102.8, (10 + 0.5) * 200 / 30 - 0.5 = 69.5
    assert picture[24 + 70, 103].tolist() == list(AGREE)
    assert picture[24 + 136, 203].tolist() == list(DISAGREE)
    assert picture[24 + 52, 306 + 52].tolist() == list(AGREE)
    assert (picture[-1, 0] == cluster_palette(300)[299]).all()
    assert (picture[-1, -1] == cluster_palette(300)[255]).all()


def test_pair_of_photos_that_are_not_shown(tmp_path):
    path = str(tmp_path / 'pair.png')
    photo, photo2 = make_photos()
    PairVisualizer(pair_height=200, edges=True).add_datasample(
        'x', photo, make_pair(), image2=photo2, out_file=path
    )
    picture = cv2.imread(path)[..., ::-1]
    assert picture.shape == (24 + 200, 406, 3)
    expected = 0.4 * 255 + 0.6 * cluster_palette(300)[299]
    assert np.abs(picture[-1, 0] - expected).max() < 1


def test_pair_without_predictions(tmp_path):
    path = str(tmp_path / 'pair.png')
    photo, photo2 = make_photos()
    PairVisualizer(pair_height=200).add_datasample(
        'x', photo, make_pair(labels=None), image2=photo2, out_file=path
    )
    assert cv2.imread(path).shape == (24 + 200, 406, 3)


def test_caption_says_the_agreement(monkeypatch):
    captions = []
    monkeypatch.setattr(
        'fgsn_mmseg.visualization.pair_picture.caption_bar',
        lambda lines, width, height: (
            captions.append(lines) or np.zeros((1, width, 3), np.uint8)
        ),
    )
    photo, photo2 = make_photos()
    visualizer = PairVisualizer()
    visualizer.add_datasample('x', photo, make_pair(), image2=photo2)
    empty = make_pair((), ())
    empty.points = empty.points2 = torch.zeros(0, 2)
    visualizer.add_datasample('x', photo, empty, image2=photo2)
    assert captions == [
        [
            'agreement 0.500 = 1 of 2 correspondences, by chance 0.250, '
            'K = 300',
            'snow/a.jpg   |   night/b.jpg',
        ],
        ['0 correspondences, K = 300', 'snow/a.jpg   |   night/b.jpg'],
    ]


def test_single_image_without_class_names():
    visualizer = PairVisualizer(alpha=1.0)
    sample = SegDataSample()
    labels = torch.tensor([[0, 255, 9999], [-1, 1, 20_000]])
    sample.pred_sem_seg = PixelData(data=labels[None])
    visualizer.add_datasample('x', np.zeros((2, 3, 3), np.uint8), sample)
    palette = cluster_palette(20_001)
    drawn = visualizer._image
    assert (drawn[0] == palette[[0, 255, 9999]]).all()
    assert drawn[1].tolist() == [
        [0, 0, 0],
        palette[1].tolist(),
        palette[20_000].tolist(),
    ]


def test_annotation_beside_the_prediction():
    visualizer = PairVisualizer(alpha=1.0)
    visualizer.dataset_meta = {
        'classes': ('road', 'sky'),
        'palette': [[1, 2, 3], [4, 5, 6]],
    }
    sample = SegDataSample()
    sample.gt_sem_seg = PixelData(data=torch.tensor([[[1, 255]]]))
    sample.pred_sem_seg = PixelData(data=torch.tensor([[[300, 300]]]))
    image = np.zeros((1, 2, 3), np.uint8)
    visualizer.add_datasample('x', image, sample)
    colour = cluster_palette(301)[300].tolist()
    assert visualizer._image.tolist() == [
        [[4, 5, 6], [0, 0, 0], colour, colour]
    ]
    visualizer.add_datasample('x', image, sample, draw_gt=False)
    assert visualizer._image.shape == (1, 2, 3)
    visualizer.add_datasample('x', image)
    assert (visualizer._image == image).all()


@pytest.mark.parametrize('with_pair', [True, False])
def test_both_backends_get_the_picture(tmp_path, with_pair):
    visualizer = PairVisualizer(
        vis_backends=[
            {'type': 'LocalVisBackend'},
            {'type': 'TensorboardVisBackend'},
        ],
        save_dir=str(tmp_path),
    )
    photo, photo2 = make_photos()
    pair = {'image2': photo2} if with_pair else {}
    visualizer.add_datasample('val_x', photo, make_pair(), step=5, **pair)
    visualizer.close()
    image_dir = tmp_path / 'vis_data' / 'vis_image'
    written = cv2.imread(str(image_dir / 'val_x_5.png'))
    assert (written[..., ::-1] == visualizer._image).all()
    events = list((tmp_path / 'vis_data').glob('events.out.tfevents*'))
    assert b'val_x' in events[0].read_bytes()
