"""Mean, variance, minimum and maximum of every channel, gathered strip by strip."""

import torch
from torch import Tensor


class Moments:
    """Moments of the strips added so far, float64 (C,).

    Strips are merged by the formula of Chan, Golub and LeVeque (1979), which loses no digits if the
    mean is large compared with the deviation.

    Args:
        channels: Number of channels C.
        extremes: Whether to gather minimum and maximum as well.
    """

    def __init__(self, channels: int, extremes: bool = False) -> None:
        self.count = 0
        self.mean = torch.zeros(channels, dtype=torch.float64)
        self.squares = torch.zeros(channels, dtype=torch.float64)  # of deviations from the mean
        self.extremes = extremes
        self.amax = torch.full((channels,), -torch.inf, dtype=torch.float64)
        self.amin = torch.full((channels,), torch.inf, dtype=torch.float64)

    def add(self, strip: Tensor) -> None:
        """Add a strip (1, C, rows, W)."""
        values = strip[0].movedim(0, -1)  # (rows, W, C)
        count = values.shape[0] * values.shape[1]
        pivot = values[0].mean(0)
        apart = values - pivot
        # Row by row: float32 sums over millions of values, as PyTorch's own norm takes them where
        # channels are last, put the variance off by half a percent.
        shift = apart.sum(1).sum(0, dtype=torch.float64) / count
        squares = apart.square_().sum(1).sum(0, dtype=torch.float64) - count * shift**2
        mean = pivot + shift
        total = self.count + count
        moved = mean - self.mean
        self.squares += squares.clamp(min=0.0) + moved**2 * (self.count * count / total)
        self.mean += moved * (count / total)
        self.count = total
        if self.extremes:
            self.amax = torch.maximum(self.amax, strip.amax((0, 2, 3)))
            self.amin = torch.minimum(self.amin, strip.amin((0, 2, 3)))

    def of_groups(self, groups: int) -> tuple[Tensor, Tensor]:
        """Return mean and variance (C,) of the group to which each channel belongs."""
        means = self.mean.view(groups, -1)
        mean = means.mean(1, keepdim=True)
        squares = self.squares.view(groups, -1) / self.count + (means - mean) ** 2
        variance = squares.mean(1, keepdim=True)
        return mean.expand_as(means).flatten(), variance.expand_as(means).flatten()
