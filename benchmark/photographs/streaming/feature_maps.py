"""Feature maps whose rows are computed on demand.

A plane represents a tensor (1, C, H, W); a strip consists of some of its rows, (1, C, rows, W), in
channels-last memory order, so that rows are contiguous.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from benchmark.core.images import Bytes


class Rows(NamedTuple):
    """Rows from `first` to before `last`."""

    first: int
    last: int

    def clipped(self, height: int) -> "Rows":
        """Return the part of the rows that exists in a plane of this height."""
        return Rows(max(self.first, 0), min(self.last, height))


Shape: TypeAlias = tuple[int, int, int]
"""C, H, W."""


class Plane(ABC):
    """A feature map.

    Attributes:
        shape: C, H, W.
        sources: The planes that it is computed from.
        work: Multiply-adds to compute all its rows from stored planes.
        depth: Number of steps from stored planes.
        shared: Whether several planes read it, so that its last strip is kept.
    """

    def __init__(
        self, shape: Shape, sources: "Sequence[Plane]" = (), own_work: float = 0.0
    ) -> None:
        self.shape = shape
        self.sources = tuple(sources)
        self.work: float = own_work + sum(source.work for source in sources)
        self.depth: int = 1 + max((source.depth for source in sources), default=-1)
        self.shared = False
        self._kept: tuple[Rows, Tensor] | None = None
        # The deepest first: what it computes of a shared plane covers what the others ask for.
        self._order = sorted(range(len(sources)), key=lambda place: -self.sources[place].depth)

    def strip(self, rows: Rows) -> Tensor:
        """Return rows as float32 (1, C, rows, W)."""
        if self._kept and self._kept[0].first <= rows.first and rows.last <= self._kept[0].last:
            start = self._kept[0].first
            return self._kept[1][:, :, rows.first - start : rows.last - start]
        needed = self.needs(rows)
        strips = {place: self.sources[place].strip(needed) for place in self._order}
        strip = self.compute(rows, *(strips[place] for place in range(len(self.sources))))
        if self.shared:
            self._kept = (rows, strip)
        return strip

    def needs(self, rows: Rows) -> Rows:
        """Return the rows of every source that are needed to compute these rows."""
        return rows

    @abstractmethod
    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Compute rows from the strips of the sources that `needs` returns."""

    def reach(self, rows: Rows, reached: "dict[Stored, Rows]") -> None:
        """Add the stored planes, and their rows, that are needed to compute these rows."""
        for source in self.sources:
            source.reach(self.needs(rows), reached)


class Pixels(Plane):
    """The image itself, from uint8 (H, W, 3) to [0, 1]."""

    def __init__(self, pixels: Bytes) -> None:
        super().__init__((3, *pixels.shape[:2]))
        self.pixels = torch.from_numpy(pixels)

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Return rows scaled as `benchmark.core.images.to_float` does."""
        return self.pixels[rows.first : rows.last].permute(2, 0, 1)[None].float() / 255.0


class Stored(Plane):
    """A complete feature map in memory."""

    def __init__(self, tensor: Tensor) -> None:
        _, channels, height, width = tensor.shape
        super().__init__((channels, height, width))
        self.tensor = tensor

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Return a view of the rows, which must not be modified."""
        return self.tensor[:, :, rows.first : rows.last]

    def reach(self, rows: Rows, reached: "dict[Stored, Rows]") -> None:
        """Add itself."""
        before = reached.get(self, rows)
        reached[self] = Rows(min(before.first, rows.first), max(before.last, rows.last))


class Pointwise(Plane):
    """A plane computed row by row from its sources: sums, activations, norms, concatenation."""

    def __init__(
        self, shape: Shape, sources: Sequence[Plane], function: Callable[..., Tensor]
    ) -> None:
        super().__init__(shape, sources)
        self.function = function

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Apply the function."""
        return self.function(*strips)


class Convolved(Plane):
    """A convolution with zero padding."""

    def __init__(
        self,
        source: Plane,
        weight: Tensor,
        bias: Tensor | None,
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> None:
        _, height, width = source.shape
        size = [
            (side + 2 * pad - step * (kernel - 1) - 1) // jump + 1
            for side, pad, step, kernel, jump in zip(
                (height, width), padding, dilation, weight.shape[2:], stride, strict=True
            )
        ]
        shape = (weight.shape[0], size[0], size[1])
        super().__init__(shape, [source], float(weight.numel()) * size[0] * size[1])
        self.weight = weight.contiguous(memory_format=torch.channels_last)
        self.bias, self.groups = bias, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation

    def _span(self, rows: Rows) -> Rows:
        """Return the rows under the kernel, including rows of the padding."""
        first = rows.first * self.stride[0] - self.padding[0]
        reach = self.dilation[0] * (self.weight.shape[2] - 1)
        return Rows(first, (rows.last - 1) * self.stride[0] - self.padding[0] + reach + 1)

    def needs(self, rows: Rows) -> Rows:
        """Return the rows under the kernel."""
        return self._span(rows).clipped(self.sources[0].shape[1])

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Convolve a strip."""
        span, needed = self._span(rows), self.needs(rows)
        above, below = needed.first - span.first, span.last - needed.last
        strip = functional.pad(strips[0], (0, 0, above, below)) if above or below else strips[0]
        sides = (0, self.padding[1])
        return functional.conv2d(
            strip, self.weight, self.bias, self.stride, sides, self.dilation, self.groups
        )


class Unfolded(Plane):
    """A transposed convolution with kernel size equal to stride: each pixel becomes a block."""

    def __init__(self, source: Plane, weight: Tensor, bias: Tensor | None, groups: int) -> None:
        down, across = weight.shape[2:]
        _, height, width = source.shape
        shape = (weight.shape[1] * groups, height * down, width * across)
        super().__init__(shape, [source], float(weight.numel()) * height * width)
        self.weight, self.bias, self.groups, self.factor = weight, bias, groups, down

    def needs(self, rows: Rows) -> Rows:
        """Return the source rows whose blocks contain these rows."""
        return Rows(rows.first // self.factor, -(-rows.last // self.factor))

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Convolve a strip."""
        stride = self.weight.shape[2:]
        blocks = functional.conv_transpose2d(
            strips[0], self.weight, self.bias, stride, groups=self.groups
        )
        start = self.needs(rows).first * self.factor
        return blocks[:, :, rows.first - start : rows.last - start]


class Padded(Plane):
    """A plane with a border in mode `reflect`, `replicate`, or `constant` (zeros)."""

    def __init__(self, source: Plane, sides: Sequence[int], mode: str) -> None:
        channels, height, width = source.shape
        left, right, above, below = sides
        super().__init__((channels, height + above + below, width + left + right), [source])
        self.sides, self.mode = (left, right), mode
        self.origin = torch.arange(-above, height + below)  # row -> row of the source
        if mode == "reflect":
            self.origin = (height - 1) - ((height - 1) - self.origin.abs()).abs()
        elif mode == "replicate":
            self.origin = self.origin.clamp(0, height - 1)
        self.height = height

    def needs(self, rows: Rows) -> Rows:
        """Return the source rows that these rows copy."""
        origin = self.origin[rows.first : rows.last].clamp(0, self.height - 1)
        return Rows(int(origin.min()), int(origin.max()) + 1)

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Select rows, then pad columns."""
        strip, start = strips[0], self.needs(rows).first
        origin = self.origin[rows.first : rows.last]
        inside = (origin >= 0) & (origin < self.height)
        if not bool(inside.all()):
            known = strip[:, :, origin[inside] - start]
            strip = torch.zeros(*strip.shape[:2], len(origin), strip.shape[3])
            strip[:, :, inside] = known
        elif len(origin) != strip.shape[2] or not bool((origin.diff() == 1).all()):
            strip = strip[:, :, origin - start]
        return functional.pad(strip, (*self.sides, 0, 0), mode=self.mode)


class Enlarged(Plane):
    """A plane enlarged by integer factors, `bilinear` (corners not aligned) or `nearest`."""

    def __init__(self, source: Plane, factors: tuple[int, int], mode: str) -> None:
        channels, height, width = source.shape
        super().__init__((channels, height * factors[0], width * factors[1]), [source])
        self.factors, self.mode = factors, mode

    def needs(self, rows: Rows) -> Rows:
        """Return the source rows that contain these rows, with one neighbour on each side."""
        factor = self.factors[0]
        span = Rows(rows.first // factor - 1, -(-rows.last // factor) + 1)
        return span.clipped(self.sources[0].shape[1])

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Enlarge a strip, whose outer rows are valid only at the border of the image."""
        factors = tuple(float(factor) for factor in self.factors)
        enlarged = functional.interpolate(strips[0], scale_factor=factors, mode=self.mode)
        start = self.needs(rows).first * self.factors[0]
        return enlarged[:, :, rows.first - start : rows.last - start]


class Cropped(Plane):
    """Some of the channels, rows or columns of a plane."""

    def __init__(self, source: Plane, dim: int, first: int, last: int) -> None:
        shape = list(source.shape)
        shape[dim - 1] = last - first
        super().__init__((shape[0], shape[1], shape[2]), [source])
        self.dim, self.first = dim, first

    def needs(self, rows: Rows) -> Rows:
        """Return the rows in the uncropped plane."""
        shift = self.first if self.dim == 2 else 0
        return Rows(rows.first + shift, rows.last + shift)

    def compute(self, rows: Rows, *strips: Tensor) -> Tensor:
        """Cut columns or channels; rows were cut by `needs`."""
        if self.dim == 2:
            return strips[0]
        return strips[0].narrow(self.dim, self.first, self.shape[self.dim - 1])
