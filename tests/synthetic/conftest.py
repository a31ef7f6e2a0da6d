from __future__ import annotations

import pytest

from fgsn_mmseg.synthetic import generate_world, settings_for


@pytest.fixture(scope='session')
def tiny():
    return settings_for('tiny', save_depth=True)


@pytest.fixture(scope='session')
def tiny_world(tiny, tmp_path_factory):
    """The tiny world, made once for all tests: do not write into it."""
    root = tmp_path_factory.mktemp('town')
    return generate_world(root, tiny, workers=2)
