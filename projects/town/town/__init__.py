"""A street in six conditions, to try everything without a download.

What `generate_world` writes; <name> is street000/winter/s000_p003_winter,
that is street, traversal, and both with the place::

    images/<name>.jpg
    labels/<name>_labelTrainIds.png   Cityscapes train ids, no ignore label
    correspondence_data/*.mat         reference with each other traversal
    corr_train.txt, corr_val.txt      names of .mat files; separate streets
    reference_image_names.txt         references of the training streets
    lists/seg_{train,val}.txt         names without extension for `ann_file`
    lists/seg_{train,val}_<traversal>.txt
    lists/corr_{train,val}_<traversal>.txt
    lists/conditions.txt              image, traversal, condition
    colmap/*.txt                      map from the reference traversal
    point_labels.txt                  point3D_id, train id
    poses.txt                         image qw qx qy qz tx ty tz, all images
    queries_with_intrinsics.txt       all but the reference traversal
    query_pairs.txt                   query, reference images around it
    observations/<name>.npz           all points seen: `index` in the cloud
                                      of the street, `pixels` (N, 2); the
                                      point3D_id of an index in street s is
                                      10,000,000 s + index + 1
    depth/<name>.npz                  `depth` (H, W) metres, on request
    world.json, complete.json         settings, counts

The traversal `summer` is the reference; `summer2` is a second drive in the
same condition: it shows what viewpoint and traffic alone change. World axes:
z up, metres; poses are world to camera.
"""

from .conditions import CONDITIONS, REFERENCE, Condition
from .settings import SIZES, TRAVERSALS, WorldSettings, settings_for
from .world.generate import generate_world

__all__ = [
    'CONDITIONS',
    'REFERENCE',
    'SIZES',
    'TRAVERSALS',
    'Condition',
    'WorldSettings',
    'generate_world',
    'settings_for',
]
