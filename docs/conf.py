"""The site: `make docs` builds it, in an environment without torch.

The reference is made of the sources by sphinx-autoapi, which imports nothing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
sys.path.insert(0, str(HERE / '_ext'))

project = 'fgsn-mmseg'
author = 'the fgsn-mmseg authors'
copyright = author
version = release = re.search(
    "'(.+)'", (REPO / 'fgsn_mmseg/version.py').read_text()
)[1]

extensions = [
    'myst_parser',
    'autoapi.extension',
    'sphinx.ext.napoleon',
    'sphinx.ext.mathjax',
    'sphinx_copybutton',
    'site_pages',
]
exclude_patterns = ['_build', 'api/fgsn_mmseg/index.rst']
nitpicky = True
# What stands in signatures and belongs to other projects: no link.
nitpick_ignore_regex = [
    (r'py:.*', r'(?!fgsn_mmseg).*'),
]

myst_heading_anchors = 4
myst_enable_extensions = ['dollarmath', 'attrs_inline']

html_theme = 'furo'
html_title = f'fgsn-mmseg {version}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_copy_source = False

autoapi_dirs = ['../fgsn_mmseg']
autoapi_root = 'api'
autoapi_ignore = ['*/.mim/*', '*/__main__.py']
autoapi_options = ['members', 'show-inheritance', 'imported-members']
autoapi_member_order = 'groupwise'
autoapi_python_class_content = 'both'
autoapi_add_toctree_entry = False
# Rooms; of `localization` also what has no name in the room itself.
_ROOMS = [
    'geometry',
    'structures',
    'datasets',
    'clustering',
    'inference',
    'models',
    'engine',
    'evaluation',
    'visualization',
    'localization',
    'apis',
]
_SHOWN = 'gsmc label_alignment localize particle_filter weighted_ransac'
api_modules = [
    'fgsn_mmseg',
    *(f'fgsn_mmseg.{room}' for room in _ROOMS),
    *(f'fgsn_mmseg.localization.{name}' for name in _SHOWN.split()),
]
