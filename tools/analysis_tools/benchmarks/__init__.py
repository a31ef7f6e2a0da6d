"""How long things take: what ``benchmark.py`` runs."""

import fgsn_mmseg  # noqa: F401  before mmseg
