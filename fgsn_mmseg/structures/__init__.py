from .pair_data_sample import PairDataSample

IGNORED_LABEL = 65535
"""No label, on disk and in ``gt_sem_seg``; 255 is an ordinary cluster."""

__all__ = ['IGNORED_LABEL', 'PairDataSample']
