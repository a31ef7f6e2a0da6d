"""The authors' two networks in plain torch, from the description alone.

Every width is a multiple of `width` (64 in theirs). Names are those of their
checkpoints: `.conv` and `.bn` of each convolution in the first family,
torchvision's names in the second.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

DILATIONS = (1, 1, 2, 4)
STRIDES = (1, 2, 1, 1)


class ConvBN(nn.Module):
    def __init__(self, inputs, outputs, size, stride=1, dilation=1):
        super().__init__()
        padding = dilation * (size // 2)
        self.conv = nn.Conv2d(
            inputs, outputs, size, stride, padding, dilation, bias=False
        )
        self.bn = nn.BatchNorm2d(outputs, eps=1e-5)

    def forward(self, x):
        return self.bn(self.conv(x))


class Block(nn.Module):
    """Bottleneck of the first family: the stride is on `reduce`."""

    def __init__(self, inputs, planes, stride, dilation, project):
        super().__init__()
        self.reduce = ConvBN(inputs, planes, 1, stride)
        self.conv3x3 = ConvBN(planes, planes, 3, 1, dilation)
        self.increase = ConvBN(planes, 4 * planes, 1)
        self.proj = ConvBN(inputs, 4 * planes, 1, stride) if project else None

    def forward(self, x):
        out = F.relu(self.reduce(x))
        out = F.relu(self.conv3x3(out))
        out = self.increase(out)
        return F.relu(out + (x if self.proj is None else self.proj(x)))


class TorchvisionBlock(nn.Module):
    """Bottleneck of the second family: the stride is on `conv2`."""

    def __init__(self, inputs, planes, stride, dilation, project):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, planes, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(
            planes, planes, 3, stride, dilation, dilation, bias=False
        )
        self.bn2 = nn.BatchNorm2d(planes)
        self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * planes)
        if project:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, 4 * planes, 1, stride, bias=False),
                nn.BatchNorm2d(4 * planes),
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        same = self.downsample(x) if hasattr(self, 'downsample') else x
        return F.relu(out + same)


def stages(block, width, inputs, counts):
    """Four lists of blocks, strided and dilated as described."""
    made = []
    for k, count in enumerate(counts):
        planes = width * 2**k
        blocks = []
        for n in range(count):
            stride = STRIDES[k] if n == 0 else 1
            blocks.append(block(inputs, planes, stride, DILATIONS[k], n == 0))
            inputs = 4 * planes
        made.append(blocks)
    return made


class Backbone(nn.Module):
    """First family: layer1 is the stem, layer2..5 the stages."""

    def __init__(self, width, counts):
        super().__init__()
        self.layer1 = nn.Module()
        self.layer1.conv1 = ConvBN(3, width, 3, 2)
        self.layer1.conv2 = ConvBN(width, width, 3)
        self.layer1.conv3 = ConvBN(width, 2 * width, 3)
        for k, blocks in enumerate(stages(Block, width, 2 * width, counts)):
            stage = nn.Sequential()
            for n, one in enumerate(blocks):
                stage.add_module(f'block{n + 1}', one)
            self.add_module(f'layer{k + 2}', stage)

    def forward(self, x):
        for conv in (self.layer1.conv1, self.layer1.conv2, self.layer1.conv3):
            x = F.relu(conv(x))
        x = F.max_pool2d(x, 3, 2, 1)
        third = self.layer4(self.layer3(self.layer2(x)))
        return third, self.layer5(third)


class TorchvisionBackbone(nn.Module):
    def __init__(self, width, counts):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        made = stages(TorchvisionBlock, width, width, counts)
        for k, blocks in enumerate(made):
            self.add_module(f'layer{k + 1}', nn.Sequential(*blocks))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        third = self.layer3(self.layer2(self.layer1(x)))
        return third, self.layer4(third)


class Stage(nn.Module):
    """One pooling of the pyramid."""

    def __init__(self, size, inputs, outputs):
        super().__init__()
        self.size = size
        self.conv = ConvBN(inputs, outputs, 1)

    def forward(self, x):
        out = F.relu(self.conv(F.adaptive_avg_pool2d(x, self.size)))
        return F.interpolate(
            out, x.shape[2:], mode='bilinear', align_corners=True
        )


class AuthorsNetwork(nn.Module):
    """PSPNet of the release.

    Args:
        width: 64 in theirs.
        counts: Blocks of the four stages, 3, 4, 23, 3 in theirs.
        num_classes: Outputs.
        torchvision: Whether it is of the second family.
        old_names: Classifiers inside `final` and `aux`.
    """

    def __init__(self, width, counts, num_classes, torchvision, old_names):
        super().__init__()
        self.fcn = (TorchvisionBackbone if torchvision else Backbone)(
            width, counts
        )
        inputs, channels, aux = 32 * width, 8 * width, 4 * width
        self.ppm = nn.Module()
        self.ppm.stages = nn.ModuleList(
            Stage(size, inputs, channels) for size in (6, 3, 2, 1)
        )
        self.final = nn.Module()
        self.final.conv5_4 = ConvBN(inputs + 4 * channels, channels, 3)
        self.aux = nn.Module()
        self.aux.conv4_aux = ConvBN(16 * width, aux, 3)
        holders = (self.final, self.aux) if old_names else (self, self)
        holders[0].conv6 = nn.Conv2d(channels, num_classes, 1)
        holders[1].conv6_1 = nn.Conv2d(aux, num_classes, 1)
        self.classifiers = [holders[0].conv6, holders[1].conv6_1]

    def forward(self, x):
        """Features before ReLU, logits and auxiliary logits, low res."""
        third, fourth = self.fcn(x)
        pyramid = [fourth, *(stage(fourth) for stage in self.ppm.stages)]
        features = self.final.conv5_4(torch.cat(pyramid, 1))
        logits = self.classifiers[0](F.relu(features))
        aux = self.classifiers[1](F.relu(self.aux.conv4_aux(third)))
        return features, logits, aux


def make_network(num_classes, torchvision, old_names=False, seed=0):
    """A narrow one of ResNet-50's depth, its statistics far from 0 and 1."""
    torch.manual_seed(seed)
    network = AuthorsNetwork(
        4, (3, 4, 6, 3), num_classes, torchvision, old_names
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.0)
            nn.init.normal_(module.bias, 0.0, 0.3)
            nn.init.normal_(module.running_mean, 0.0, 0.3)
            nn.init.uniform_(module.running_var, 0.2, 0.6)
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            nn.init.normal_(module.weight, 0.0, 0.2)
            nn.init.normal_(module.bias, 0.0, 0.3)
    return network.eval()
