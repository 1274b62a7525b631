"""What each level, branch and convolution of a trained MLSM contributes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlsm.losses import kl_divergence
from mlsm.mapping import BranchMapping, resize_like
from mlsm.model import MLSM, pad
from mlsm.vae import VAE, to_signed, to_unit


def psnr(output: Tensor, reference: Tensor) -> float:
    """Compute the PSNR in dB of (N, 3, H, W) in [0, 1], clipped, mean over images."""
    error = (output.clamp(0, 1) - reference).square().mean((1, 2, 3))
    return float(-10 * error.clamp(min=1e-10).log10().mean())


def reconstruction(vae: VAE, image: Tensor, without: int | None = None) -> Tensor:
    """Reconstruct (1, 3, H, W) in [0, 1] from the means, one level replaced by its own mean.

    The mean is taken over positions, channel by channel, as if the level had collapsed to a
    constant.
    """
    height, width = image.shape[-2:]
    latents = [p.mu for p in vae.encoder(pad(to_signed(image), vae.config.stride))]
    return to_unit(vae.decoder(flattened(latents, without)))[..., :height, :width]


def flattened(latents: Sequence[Tensor], level: int | None) -> list[Tensor]:
    """Return the latents, one level replaced by its mean over positions."""
    return [
        latent.mean((2, 3), keepdim=True).expand_as(latent) if index == level else latent
        for index, latent in enumerate(latents)
    ]


def enhanced(model: MLSM, image: Tensor, without: int | None = None) -> Tensor:
    """Enhance (1, 3, H, W) in [0, 1], one mapped level replaced by its mean over positions."""
    height, width = image.shape[-2:]
    latents = model.latents(pad(to_signed(image), model.config.stride))
    return to_unit(model.decoder(flattened(latents, without)))[..., :height, :width]


@torch.no_grad()
def kl_by_level(vae: VAE, image: Tensor) -> list[float]:
    """Return the KL to N(0, 1) of each level in nats per element, finest first."""
    posteriors = vae.encoder(pad(to_signed(image), vae.config.stride))
    return [float(kl_divergence(posterior)) for posterior in posteriors]


def brightness_slope(vae: VAE, image: Tensor, factors: Sequence[float] = (0.5, 1.0, 2.0)) -> float:
    """Return how the mean of the reconstruction follows the mean of the input, as a slope.

    The image is scaled by each factor; 1 means that brightness is reconstructed, 0 that the
    reconstruction ignores it.
    """
    inputs = torch.tensor([float((image * f).clamp(0, 1).mean()) for f in factors])
    outputs = torch.tensor(
        [float(reconstruction(vae, (image * f).clamp(0, 1)).clamp(0, 1).mean()) for f in factors]
    )
    centred = inputs - inputs.mean()
    return float((centred * (outputs - outputs.mean())).sum() / centred.square().sum())


def branch_movement(model: MLSM, images: Sequence[Tensor]) -> list[tuple[float, float]]:
    """Return for each level how far the output of each branch moves with the image.

    Returns:
        (enlighten, deblocking): standard deviation over images, per channel and position, mean.
        0 means that a branch returns the same for every image. All images have one size.
    """
    outputs: list[list[tuple[Tensor, Tensor]]] = [[] for _ in model.mapping.levels]
    for image in images:
        latents = [p.mu for p in model.encoder(pad(to_signed(image), model.config.stride))]
        for level, network in enumerate(model.mapping.levels):
            assert isinstance(network, BranchMapping)
            top = resize_like(latents[-1], latents[level])
            cues = network.residual(latents[level], top)
            outputs[level].append((network.enlighten(latents[level]), network.deblock(cues)))
    return [
        (
            float(torch.cat([first for first, _ in pairs]).std(0).mean()),
            float(torch.cat([second for _, second in pairs]).std(0).mean()),
        )
        for pairs in outputs
    ]


def reach(side: int, rate: int) -> float:
    """Return the share of positions at which an off-centre tap reads the image, one axis.

    Args:
        side: Side of the feature map.
        rate: Dilation of a 3-tap kernel.
    """
    return max(0, side - rate) / side


def dilated(model: MLSM, level: int) -> dict[int, nn.Conv2d]:
    """Return rate -> the dilated convolution of a level's ASPP."""
    network = model.mapping.levels[level]
    assert isinstance(network, BranchMapping)
    convolutions = [m for m in network.enlighten.modules() if isinstance(m, nn.Conv2d)]
    return {c.dilation[0]: c for c in convolutions if c.dilation[0] > 1}


def off_centre_gradient(model: MLSM, level: int, rate: int, crop: Tensor) -> float:
    """Return the share of a dilated kernel's gradient that its off-centre taps get on a crop.

    The loss is the mean of the output, so only what reaches the kernel matters. 0 means that
    training on such crops never moves those taps.
    """
    weight = dilated(model, level)[rate].weight
    weight.requires_grad_(True)
    (gradient,) = torch.autograd.grad(enhanced(model, crop).mean(), weight)
    weight.requires_grad_(False)
    off_centre = gradient.abs().clone()
    off_centre[..., 1, 1] = 0.0
    return float(off_centre.sum() / gradient.abs().sum().clamp(min=1e-20))


@contextmanager
def centre_taps_alone(convolution: nn.Conv2d) -> Iterator[None]:
    """Make a 3x3 convolution a 1x1 convolution inside the context."""
    kept = convolution.weight.detach().clone()
    with torch.no_grad():
        mask = torch.zeros_like(kept)
        mask[..., 1, 1] = 1.0
        convolution.weight.mul_(mask)
    try:
        yield
    finally:
        with torch.no_grad():
            convolution.weight.copy_(kept)


def blocking(features: Tensor, block: int) -> float:
    """Return how much larger squared differences are across block borders than elsewhere.

    Args:
        features: (1, C, H, W), the grid starting at the top left.
        block: Side of a block in positions, at least 2.
    """
    across = functional.pad(features.diff(dim=3), (1, 0)).square()
    down = functional.pad(features.diff(dim=2), (0, 0, 1, 0)).square()
    border, inside = [], []
    for moves, axis in ((across, 3), (down, 2)):
        where = torch.arange(moves.shape[axis])
        on = (where % block == 0) & (where > 0)
        off = where % block != 0
        border.append(moves.index_select(axis, where[on]).mean())
        inside.append(moves.index_select(axis, where[off]).mean())
    return float(torch.stack(border).mean() / torch.stack(inside).mean().clamp(min=1e-20))
