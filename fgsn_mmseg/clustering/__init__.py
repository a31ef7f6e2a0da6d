from .balance import (
    balanced_labels,
    check_balance,
    column_offsets,
    sinkhorn,
)
from .codebook import Codebook, clustering_figures
from .codebook_file import read_codebook, write_codebook
from .kmeans import kmeans, nearest_centroids
from .learned_whitening import learned_whitening
from .linear_classifier import fit_linear_classifier
from .pca import pca_whitening
from .relabelling import label_means, match_clusters
from .reservoir import FeatureReservoir
from .sampling import sample_cells

__all__ = [
    'Codebook',
    'FeatureReservoir',
    'balanced_labels',
    'check_balance',
    'clustering_figures',
    'column_offsets',
    'fit_linear_classifier',
    'kmeans',
    'label_means',
    'learned_whitening',
    'match_clusters',
    'nearest_centroids',
    'pca_whitening',
    'read_codebook',
    'sample_cells',
    'sinkhorn',
    'write_codebook',
]
