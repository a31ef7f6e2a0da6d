"""How good: agreement across conditions, and what clusters mean."""

from .agreement import (
    agreement_figures,
    chance_agreement,
    label_agreement,
    match_bits,
    mutual_information,
)
from .correspondence_metric import CorrespondenceMetric

__all__ = [
    'CorrespondenceMetric',
    'agreement_figures',
    'chance_agreement',
    'label_agreement',
    'match_bits',
    'mutual_information',
]
