"""Perceptual loss of the paper, on the suite's VGG16 trunk.

The paper cites Johnson et al. (ECCV 2016) and leaves layers and weights open.
"""

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.training.vgg import Trunk

WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
"""Weight of each slice's mean absolute difference, as pix2pixHD weighs its five VGG layers."""


class Perceptual(Trunk):
    """L_PL of eqs. 12, 13 and 18: weighted L1 between the features of two images.

    L_PL(a, b) = sum_s WEIGHTS[s] * mean |f_s(a) - f_s(b)|, f_s the output of slice s. The network
    never learns; gradients reach the first image alone.
    """

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """Compare two batches (N, 3, H, W) in [-1, 1]; returns a scalar, 0 for equal ones."""
        with torch.no_grad():
            reference = self.features(target)
        parts = [
            weight * functional.l1_loss(made, want)
            for weight, made, want in zip(WEIGHTS, self.features(output), reference, strict=False)
        ]
        return torch.stack(parts).sum()
