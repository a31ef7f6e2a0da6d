"""What labels are worth in the town, whose truth is known."""

from pathlib import Path

_CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
BASE_CONFIG = _CONFIGS / 'pspnet_r18s-d8_1xb8-300_town-129x161.py'
FGSN_CONFIG = (
    _CONFIGS / 'fgsn-c20_r18s-d8_pspnet_1xb4-both-300_town-129x161.py'
)
DEMO_CONFIG = (
    _CONFIGS / 'fgsn-c20_r18s-d8_pspnet_1xb4-both-whitened-fitted-120_'
    'town-129x161.py'
)
