"""The flow of LLFlow: an invertible map from a normal-light image to a latent, given features.

Every layer states the logarithm of its Jacobian's determinant. Sources: Wang et al., "Low-Light
Image Enhancement with Normalizing Flow", AAAI 2022, and its authors' program (widths, order of the
layers); Kingma and Dhariwal, "Glow", NeurIPS 2018 (actnorm, invertible 1x1 convolution).
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional

LEVELS = 3
SCALE = 2**LEVELS
"""Side of the square of pixels that one place of the latent stands for."""
LEAST_SCALE = 1e-4
"""What keeps the scales of a coupling from 0, so that it can be undone."""


class Mapped(NamedTuple):
    """What a layer makes of its input.

    Attributes:
        value: (N, C, H, W).
        logdet: (N,) or a scalar, logarithm of the absolute determinant of the Jacobian.
    """

    value: Tensor
    logdet: Tensor


class Undo(NamedTuple):
    """A 1x1 convolution that undoes a `Mix`.

    Attributes:
        matrix: (C, C, 1, 1).
        offset: (C,).
    """

    matrix: Tensor
    offset: Tensor


class Actnorm(nn.Module):
    """A shift and a scale of each channel, (x + shift) exp(log_scale).

    The first batch seen in training sets them, so that its result has mean 0 and variance 1.
    Whether that has happened is a buffer, so it is kept with the weights.
    """

    ready: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(channels, 1, 1))
        self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
        self.register_buffer("ready", torch.tensor(False))

    def forward(self, value: Tensor) -> Tensor:
        """Return (N, C, H, W) of the same shape."""
        if self.training and not self.ready:
            self._prepare(value)
        return (value + self.shift) * self.log_scale.exp()

    @torch.no_grad()
    def _prepare(self, value: Tensor) -> None:
        mean = _over_processes(value.mean((0, 2, 3), keepdim=True)[0])
        variance = _over_processes((value - mean).square().mean((0, 2, 3), keepdim=True)[0])
        self.shift.copy_(-mean)
        self.log_scale.copy_(-(variance.sqrt() + 1e-6).log())
        self.ready.fill_(True)


def _over_processes(mean: Tensor) -> Tensor:
    """Return the mean over all processes of the training, which must start from equal weights."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(mean)
        mean /= distributed.get_world_size()
    return mean


class Mix(nn.Module):
    """Actnorm, then a 1x1 convolution with a square matrix that starts as a rotation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.actnorm = Actnorm(channels)
        self.weight = nn.Parameter(torch.empty(channels, channels))
        nn.init.orthogonal_(self.weight)

    def forward(self, value: Tensor) -> Mapped:
        """Map (N, C, H, W) to the same shape."""
        mixed = functional.conv2d(self.actnorm(value), self.weight[..., None, None])
        at_a_place = self.actnorm.log_scale.sum() + torch.linalg.slogdet(self.weight).logabsdet
        return Mapped(mixed, at_a_place * value.shape[2] * value.shape[3])

    @torch.no_grad()
    def undo(self) -> Undo:
        """Return what undoes this layer with its present weights; inverted in float64."""
        inverse = torch.linalg.inv(self.weight.double())
        matrix = inverse * (-self.actnorm.log_scale.double()).exp()[..., 0]
        matrix = matrix.to(self.weight.dtype)[..., None, None]
        return Undo(matrix, -self.actnorm.shift.flatten())


class Conv(nn.Module):
    """A convolution without bias, then actnorm, then ReLU."""

    def __init__(self, inside: int, outside: int, side: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, side, padding=side // 2, bias=False)
        nn.init.normal_(self.conv.weight, 0.0, 0.05)
        self.actnorm = Actnorm(outside)

    def forward(self, value: Tensor) -> Tensor:
        """Return (N, outside, H, W)."""
        return functional.relu(self.actnorm(self.conv(value)))


class Affine(nn.Module):
    """A small network that says how to shift and scale: at first not at all, and by sigmoid(2)."""

    def __init__(self, inside: int, outside: int, hidden: int) -> None:
        super().__init__()
        self.body = nn.Sequential(Conv(inside, hidden, 3), Conv(hidden, hidden, 1))
        self.last = nn.Conv2d(hidden, 2 * outside, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.log_gain = nn.Parameter(torch.zeros(2 * outside, 1, 1))

    def forward(self, given: Tensor) -> tuple[Tensor, Tensor]:
        """Return shift and scale, each (N, outside, H, W); scales lie between 1e-4 and 1.0001."""
        parameters = self.last(self.body(given)) * (3 * self.log_gain).exp()
        shift, raw = parameters[:, 0::2], parameters[:, 1::2]
        return shift, torch.sigmoid(raw + 2) + LEAST_SCALE


class Coupling(nn.Module):
    """Shift and scale all channels given the features, then one half given the other as well."""

    def __init__(self, channels: int, features: int, hidden: int) -> None:
        super().__init__()
        self.kept = channels // 2
        self.by_features = Affine(features, channels, hidden)
        self.by_both = Affine(self.kept + features, channels - self.kept, hidden)

    def forward(self, value: Tensor, features: Tensor) -> Mapped:
        """Map (N, C, H, W), given features of its height and width, to the same shape."""
        shift, scale = self.by_features(features)
        kept, rest = self._halves((value + shift) * scale)
        second_shift, second_scale = self.by_both(torch.cat([kept, features], 1))
        logdet = scale.log().sum((1, 2, 3)) + second_scale.log().sum((1, 2, 3))
        return Mapped(torch.cat([kept, (rest + second_shift) * second_scale], 1), logdet)

    def inverse(self, value: Tensor, features: Tensor) -> Tensor:
        """Return what `forward` maps to `value`."""
        kept, rest = self._halves(value)
        shift, scale = self.by_both(torch.cat([kept, features], 1))
        value = torch.cat([kept, rest / scale - shift], 1)
        shift, scale = self.by_features(features)
        before: Tensor = value / scale - shift
        return before

    def _halves(self, value: Tensor) -> tuple[Tensor, Tensor]:
        return value[:, : self.kept], value[:, self.kept :]


class Level(nn.Module):
    """Squeeze 2x2 pixels into channels, mix twice, then steps of a mix and a coupling."""

    def __init__(self, channels: int, features: int, hidden: int, steps: int) -> None:
        super().__init__()
        self.mixes = nn.ModuleList(Mix(channels) for _ in range(2 + steps))
        self.couplings = nn.ModuleList(Coupling(channels, features, hidden) for _ in range(steps))

    def forward(self, value: Tensor, features: Tensor) -> Mapped:
        """Map (N, C/4, 2H, 2W), given features (N, F, H, W), to (N, C, H, W)."""
        value = functional.pixel_unshuffle(value, 2)
        logdet = value.new_zeros(value.shape[0])
        for mix, coupling in zip(self.mixes, self._after_each_mix(), strict=True):
            value, change = mix(value)
            logdet = logdet + change
            if coupling is not None:
                value, change = coupling(value, features)
                logdet = logdet + change
        return Mapped(value, logdet)

    def inverse(self, value: Tensor, features: Tensor, undos: Sequence[Undo]) -> Tensor:
        """Return what `forward` maps to `value`, given an `Undo` for each of `mixes`."""
        for undo, coupling in reversed(list(zip(undos, self._after_each_mix(), strict=True))):
            if coupling is not None:
                value = coupling.inverse(value, features)
            value = functional.conv2d(value, undo.matrix, undo.offset)
        return functional.pixel_shuffle(value, 2)

    def _after_each_mix(self) -> Iterator[Coupling | None]:
        yield from (None, None)
        for coupling in self.couplings:
            assert isinstance(coupling, Coupling)
            yield coupling


class Flow(nn.Module):
    """Three levels; the latent has 192 channels at an eighth of the image's height and width."""

    def __init__(self, features: int, hidden: int, steps: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            Level(3 * 4**level, features, hidden, steps) for level in range(1, LEVELS + 1)
        )

    def forward(self, image: Tensor, features: Sequence[Tensor]) -> Mapped:
        """Map an image to its latent.

        Args:
            image: (N, 3, H, W), sides multiples of 8.
            features: (N, F, .., ..) at a half, a quarter and an eighth of the image's sides.
        """
        logdet = image.new_zeros(image.shape[0])
        for level, given in zip(self.levels, features, strict=True):
            image, change = level(image, given)
            logdet = logdet + change
        return Mapped(image, logdet)

    def undos(self) -> list[list[Undo]]:
        """Return what undoes the mixes of each level, with their present weights."""
        return [[mix.undo() for mix in _mixes(level)] for level in self.levels]

    def inverse(
        self, latent: Tensor, features: Sequence[Tensor], undos: Sequence[Sequence[Undo]]
    ) -> Tensor:
        """Return the image (N, 3, H, W) that `forward` maps to `latent`."""
        for level, given, undo in reversed(list(zip(self.levels, features, undos, strict=True))):
            assert isinstance(level, Level)
            latent = level.inverse(latent, given, undo)
        return latent


def _mixes(level: nn.Module) -> Iterator[Mix]:
    return (module for module in level.modules() if isinstance(module, Mix))
