"""Tables between the label ids of Cityscapes and of Mapillary Vistas v1.

Cityscapes counts its 34 kinds of things 0..33 ("ids") and trains on 19 of
them, counted 0..18 ("train ids"). Everything else is `IGNORE`.
"""

from __future__ import annotations

import numpy as np

IGNORE = 255

# In the order of their train ids: road, sidewalk, building, wall, fence,
# pole, traffic light, traffic sign, vegetation, terrain, sky, person, rider,
# car, truck, bus, train, motorcycle, bicycle.
CITYSCAPES_TRAINED_IDS = (
    (7, 8, 11, 12, 13, 17, 19, 20, 21, 22)
    + (23, 24, 25, 26, 27, 28, 31, 32, 33)
)  # fmt: skip

#: Cityscapes id 0..33 -> train id 0..18, or `IGNORE`.
CITYSCAPES_TRAIN_IDS: dict[int, int] = {
    i: CITYSCAPES_TRAINED_IDS.index(i)
    if i in CITYSCAPES_TRAINED_IDS
    else IGNORE
    for i in range(34)
}

NUM_VISTAS_LABELS = 66

#: Mapillary Vistas v1 label id -> Cityscapes id; ids not named are ignored.
VISTAS_TO_CITYSCAPES: dict[int, int] = {
    3: 13, 6: 12, 8: 7, 13: 7, 14: 7, 15: 8, 17: 11, 19: 24, 20: 25, 21: 25,
    22: 25, 23: 7, 24: 7, 27: 23, 29: 22, 30: 21, 44: 17, 45: 17, 47: 17,
    48: 19, 50: 20, 52: 33, 54: 28, 55: 26, 57: 32, 58: 31, 61: 27,
}  # fmt: skip


def vistas_train_ids() -> np.ndarray:
    """Make the table from a Vistas v1 label to a Cityscapes train id.

    Returns:
        np.ndarray: (66,) uint8, 0..18 or `IGNORE`.
    """
    table = np.full(NUM_VISTAS_LABELS, IGNORE, np.uint8)
    for vistas_id, cityscapes_id in VISTAS_TO_CITYSCAPES.items():
        table[vistas_id] = CITYSCAPES_TRAIN_IDS[cityscapes_id]
    return table
