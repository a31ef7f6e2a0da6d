from __future__ import annotations

import subprocess
import sys

import pytest

# Peak memory above the logits, measured in a process of its own.
PROGRAM = """
import resource, torch, torch.nn.functional as F
from fgsn_mmseg.inference import winner_confidence, winning_labels

clusters, kind = {clusters}, {kind!r}
torch.manual_seed(0)
logits = torch.empty(clusters, 129, 172)
coarse = torch.randn(clusters, 1, 13, 18) * 3
for one, small in zip(logits, coarse):
    if kind == 'smooth':
        large = F.interpolate(small[None], (129, 172), mode='bilinear')
        one.copy_(large[0, 0] + 0.1 * torch.randn(129, 172))
    else:
        one.fill_(0)
winning_labels(logits[:10], (64, 64), True)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{call}(logits, (1024, 1365), True)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print((after - before) / 1024)
"""


def peak_mebibytes(**values):
    output = subprocess.run(
        [sys.executable, '-c', PROGRAM.format(**values)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return float(output)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('clusters', 'kind', 'call', 'limit'),
    [
        (1000, 'smooth', 'winning_labels', 150),
        (10000, 'smooth', 'winning_labels', 300),
        # Every cluster is a candidate everywhere.
        (1000, 'constant', 'winning_labels', 300),
        (1000, 'smooth', 'winner_confidence', 300),
    ],
)
def test_memory_does_not_grow_with_clusters(clusters, kind, call, limit):
    peak = peak_mebibytes(clusters=clusters, kind=kind, call=call)
    assert peak < limit
