import pytest
import torch
import torch.nn.functional as F
from torch import nn

from fgsn_mmseg.models.backbones.adapters import add_adapters


class Block(nn.Module):
    """As in a ViT: the attention's layers are used by their weights."""

    def __init__(self):
        super().__init__()
        self.attn = nn.Module()
        self.attn.qkv = nn.Linear(4, 6)
        self.attn.proj = nn.Conv2d(6, 4, 1)
        self.mlp = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))

    def forward(self, x):
        y = F.linear(x, self.attn.qkv.weight, self.attn.qkv.bias)
        y = self.attn.proj(y[..., None, None])[..., 0, 0]
        return self.mlp(x + y)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(Block(), Block()).requires_grad_(False)


@pytest.mark.parametrize('kind', ['low_rank', 'bottleneck'])
def test_starts_as_the_network_and_learns(network, kind):
    x = torch.randn(3, 4)
    before = network(x)
    learned = add_adapters(network, kind, 2)
    assert torch.equal(network(x), before)
    assert [p for p in network.parameters() if p.requires_grad] == learned
    # Two layers (low ranks) or weight and bias of two (bottleneck) a block.
    assert len(learned) == 8
    network(x).sum().backward()
    assert any(p.grad.any() for p in learned)


def test_low_rank_weights_by_hand(network):
    x = torch.randn(3, 4)
    plain = [block.attn.qkv.weight.clone() for block in network]
    learned = add_adapters(network, 'low_rank', 2, r'^0\.attn\.qkv$')
    down, up = learned
    assert down.shape == (2, 4) and up.shape == (6, 2)
    nn.init.normal_(up)
    expected = plain[0].clone()
    for o in range(6):
        for i in range(4):
            expected[o, i] += sum(up[o, r] * down[r, i] for r in range(2))
    torch.testing.assert_close(network[0].attn.qkv.weight, expected)
    assert torch.equal(network[1].attn.qkv.weight, plain[1])
    assert network(x).isfinite().all()


def test_bottleneck_by_hand(network):
    x = torch.randn(3, 4)
    mlp = network[1].mlp
    learned = add_adapters(network, 'bottleneck', 1, r'^1\.mlp$')
    down, down_bias, up, up_bias = learned
    nn.init.normal_(up)
    nn.init.normal_(up_bias)
    y = mlp(x)
    middle = F.gelu(y @ down.T + down_bias)
    expected = y + middle * up[:, 0] + up_bias
    torch.testing.assert_close(network[1].mlp(x), expected)


@pytest.mark.parametrize(
    'arguments, message',
    [
        (('prefix', 2), "`adapter` should be one of .*, but got 'prefix'"),
        (('low_rank', 0), '`adapter_width` should be positive, but got 0'),
        (('low_rank', 2, 'k_proj'), "but got 'k_proj', which matches none"),
        (('low_rank', 2, r'^0\.attn$'), r"but got '0\.attn', a Module"),
        (('bottleneck', 2, r'mlp\.1$'), 'got a GELU without one'),
    ],
)
def test_says_what_is_wrong(network, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        add_adapters(network, *arguments)
    assert '\n' not in str(error.value)
