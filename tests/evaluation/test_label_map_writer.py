import cv2
import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample

import fgsn_mmseg  # noqa: F401
from fgsn_mmseg.evaluation import (
    label_map_path,
    read_label_map,
    write_label_map,
)


def make_sample(img_path, labels):
    sample = SegDataSample(metainfo={'img_path': img_path})
    sample.pred_sem_seg = PixelData(data=torch.tensor(labels)[None])
    return sample.to_dict()


def test_round_trip_of_every_id(tmp_path):
    labels = np.arange(-1, 65535).reshape(128, 512)
    path = str(tmp_path / 'new' / 'map.png')
    write_label_map(path, labels)
    assert (read_label_map(path) == labels).all()
    on_disk = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    assert on_disk.dtype == np.uint16
    assert on_disk[0, 0] == 65535
    # Nothing else is left behind.
    assert [p.name for p in (tmp_path / 'new').iterdir()] == ['map.png']


def test_written_map_is_replaced(tmp_path):
    path = str(tmp_path / 'map.png')
    write_label_map(path, np.array([[1, 2, 3]]))
    write_label_map(path, np.array([[256], [65535]], np.uint16))
    assert read_label_map(path).tolist() == [[256], [-1]]


@pytest.mark.parametrize(
    'labels, message',
    [
        (np.zeros((2, 2)), 'should be integers'),
        (np.zeros((1, 2, 2), int), 'should be integers'),
        (np.array([[65536]]), r'from 65536 to 65536'),
        (np.array([[-2]]), r'from -2 to -2'),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, labels, message):
    path = tmp_path / 'map.png'
    with pytest.raises(ValueError, match=f'{message}.*File: .*map.png'):
        write_label_map(str(path), labels)
    assert not path.exists()


def test_reading_refuses_what_is_no_label_map(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_label_map(str(tmp_path / 'none.png'))
    eight_bits = str(tmp_path / 'eight.png')
    cv2.imwrite(eight_bits, np.zeros((2, 3), np.uint8))
    with pytest.raises(ValueError, match=r'16-bit PNG.*uint8'):
        read_label_map(eight_bits)
    text = tmp_path / 'text.png'
    text.write_text('no image')
    with pytest.raises(ValueError, match='no image'):
        read_label_map(str(text))


def test_paths():
    assert label_map_path('data/im/a/b.jpg', 'out') == 'out/b.png'
    assert label_map_path('data/im/a/b.c.jpg', 'out', 'data/im') == (
        'out/a/b.c.png'
    )
    with pytest.raises(ValueError, match=r'data/x\.jpg is outside'):
        label_map_path('data/x.jpg', 'out', 'data/im')


def test_writer_in_the_test_loop(tmp_path):
    writer = METRICS.build(
        {
            'type': 'LabelMapWriter',
            'output_dir': str(tmp_path),
            'img_root': 'im',
            'keep_results': True,
        }
    )
    writer.process(
        None,
        [
            make_sample('im/a/x.jpg', [[0, 255, 999]]),
            make_sample('im/b/x.jpg', [[256], [1]]),
        ],
    )
    assert writer.evaluate(2) == {}
    first = read_label_map(str(tmp_path / 'a' / 'x.png'))
    second = read_label_map(str(tmp_path / 'b' / 'x.png'))
    assert first.tolist() == [[0, 255, 999]]
    assert second.tolist() == [[256], [1]]


def test_writer_refuses_to_overwrite_another_image(tmp_path):
    writer = METRICS.build(
        {'type': 'LabelMapWriter', 'output_dir': str(tmp_path)}
    )
    writer.process(None, [make_sample('im/a/x.jpg', [[0]])])
    writer.process(None, [make_sample('im/a/x.jpg', [[0]])])  # padding
    with pytest.raises(ValueError, match=r'im/b/x\.jpg and im/a/x\.jpg'):
        writer.process(None, [make_sample('im/b/x.jpg', [[0]])])
