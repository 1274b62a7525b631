"""Trace the operations of a network for one image size and represent them as planes.

PyTorch traces the network on tensors without memory; each operation of the trace becomes a plane.
Operations that need their whole input (norms, global pooling) read its moments, which the schedule
gathers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
from torch import Tensor, fx, nn

from benchmark.photographs.streaming.feature_maps import (
    Convolved,
    Cropped,
    Enlarged,
    Padded,
    Plane,
    Pointwise,
    Stored,
    Unfolded,
)
from benchmark.photographs.streaming.statistics import Moments

Value: TypeAlias = Any
"""A plane, a tensor, or a plain argument."""
ReadMoments: TypeAlias = Callable[[Plane, str], Moments]
"""Function that returns the moments of a plane for an operation of this name."""

POINTWISE: Mapping[str, Callable[..., Tensor]] = MappingProxyType(
    {
        "add": torch.add,
        "sub": torch.sub,
        "rsub": torch.rsub,
        "mul": torch.mul,
        "div": torch.div,
        "pow": torch.pow,
        "neg": torch.neg,
        "abs": torch.abs,
        "exp": torch.exp,
        "log": torch.log,
        "maximum": torch.maximum,
        "minimum": torch.minimum,
        "clamp": torch.clamp,
        "clamp_min": torch.clamp_min,
        "relu": torch.relu,
        "leaky_relu": nn.functional.leaky_relu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "alias": torch.positive,
    }
)
GLOBAL = ("native_group_norm", "mean", "amax", "amin")
"""Operations that may read moments."""


class UnknownOperation(Exception):  # noqa: N818 - says what it is
    """The network has an operation that cannot run strip by strip."""


def capture(network: nn.Module, height: int, width: int) -> fx.GraphModule:
    """Trace a network on an input (1, 3, H, W) without computing it.

    Args:
        network: The network in evaluation mode.
        height: Height H of the image.
        width: Width W of the image.

    Returns:
        Its operations, without unused ones; parameters are constants.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        traced = make_fx(network)(torch.empty(1, 3, height, width))
    traced.graph.eliminate_dead_code()
    return traced


def name_of(node: fx.Node) -> str:
    """Return the name of an operation without overload and without the suffix of in-place ones."""
    text = getattr(node.target, "__name__", str(node.target))
    return text.split(".")[0].rstrip("_")


def reads_moments(node: fx.Node) -> bool:
    """Return True if an operation may need its whole input before its first row."""
    return node.op == "call_function" and name_of(node) in GLOBAL


def apply(
    node: fx.Node, args: Sequence[Value], kwargs: Mapping[str, Value], read_moments: ReadMoments
) -> Value:
    """Return the value of an operation.

    Raises:
        UnknownOperation: Its input is a plane and the operation is not supported.
    """
    if not any(isinstance(value, Plane) for value in _flat(args)):
        return node.target(*args, **kwargs)  # type: ignore[operator]
    name = name_of(node)
    if name in POINTWISE:
        return _pointwise(POINTWISE[name], args, kwargs)
    make = _OPERATIONS.get(name)
    if make is None:
        raise UnknownOperation(name)
    return make(read_moments, *args, **kwargs)


def _flat(args: Sequence[Value]) -> list[Value]:
    return [
        part for value in args for part in (value if isinstance(value, list | tuple) else [value])
    ]


def _pointwise(
    function: Callable[..., Tensor], args: Sequence[Value], kwargs: Mapping[str, Value]
) -> Plane:
    size = next(value.shape[1:] for value in args if isinstance(value, Plane))
    values = [
        Stored(value) if isinstance(value, Tensor) and tuple(value.shape[2:]) == size else value
        for value in args
    ]
    sources = [value for value in values if isinstance(value, Plane)]
    for value in values:
        if isinstance(value, Plane) and value.shape[1:] != size:
            raise UnknownOperation("broadcasting over rows")
        if isinstance(value, Tensor) and math.prod(value.shape[2:]) != 1:
            raise UnknownOperation("broadcasting over rows")
    if any(isinstance(value, Plane) for value in kwargs.values()):
        raise UnknownOperation("named operand")

    def apply_to(*strips: Tensor) -> Tensor:
        remaining = iter(strips)
        return function(
            *(next(remaining) if isinstance(value, Plane) else value for value in values), **kwargs
        )

    channels = max(
        value.shape[0 if isinstance(value, Plane) else 1]
        for value in values
        if isinstance(value, Plane) or (isinstance(value, Tensor) and value.dim() == 4)
    )
    return Pointwise((channels, *size), sources, apply_to)


def _convolution(
    read_moments: ReadMoments,
    source: Plane,
    weight: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    more: list[int],
    groups: int,
) -> Plane:
    if not transposed:
        return Convolved(source, weight, bias, stride, padding, dilation, groups)
    if list(weight.shape[2:]) != list(stride) or any(padding) or any(more) or max(dilation) > 1:
        raise UnknownOperation("transposed convolution with overlap")
    return Unfolded(source, weight, bias, groups)


def _group_norm(
    read_moments: ReadMoments,
    source: Plane,
    weight: Tensor | None,
    bias: Tensor | None,
    batch: int,
    channels: int,
    area: int,
    groups: int,
    eps: float,
) -> tuple[Plane]:
    mean, variance = read_moments(source, "native_group_norm").of_groups(groups)  # float64 (C,)
    scale = torch.rsqrt(variance + eps)
    if weight is not None:
        scale = scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    factor, offset = (value.float().view(1, -1, 1, 1) for value in (scale, shift))
    return (Pointwise(source.shape, [source], lambda x: torch.addcmul(offset, x, factor)),)


def _padding(mode: str) -> Callable[..., Plane]:
    def make(
        read_moments: ReadMoments, source: Plane, sides: list[int], value: float = 0.0
    ) -> Plane:
        if len(sides) != 4 or min(sides) < 0 or value != 0.0:
            raise UnknownOperation(f"padding {sides}")
        return Padded(source, sides, mode)

    return make


def _enlarging(mode: str) -> Callable[..., Plane]:
    def make(read_moments: ReadMoments, source: Plane, size: list[int], *more: Value) -> Plane:
        _, height, width = source.shape
        corners = mode == "bilinear" and bool(more) and more[0]
        if corners or size[0] % height or size[1] % width:
            raise UnknownOperation(f"resizing to {size}")
        return Enlarged(source, (size[0] // height, size[1] // width), mode)

    return make


def _slice(
    read_moments: ReadMoments,
    source: Plane,
    dim: int = 0,
    first: int | None = 0,
    last: int | None = None,
    step: int = 1,
) -> Plane:
    if dim not in (1, 2, 3) or step != 1:
        raise UnknownOperation("slice")
    side = source.shape[dim - 1]
    begin, end, _ = slice(first, last).indices(side)
    return source if (begin, end) == (0, side) else Cropped(source, dim, begin, end)


def _cat(read_moments: ReadMoments, parts: Sequence[Value], dim: int = 0) -> Plane:
    planes = [part if isinstance(part, Plane) else Stored(part) for part in parts]
    if dim != 1:
        raise UnknownOperation("concatenation of rows")
    shape = (sum(plane.shape[0] for plane in planes), *planes[0].shape[1:])
    return Pointwise(shape, planes, lambda *strips: torch.cat(strips, 1))


def _reduction(name: str) -> Callable[..., Value]:
    function: Callable[..., Tensor] = getattr(torch, name)

    def make(
        read_moments: ReadMoments, source: Plane, dims: Value = (), keepdim: bool = False
    ) -> Value:
        axes = sorted(dim % 4 for dim in ([dims] if isinstance(dims, int) else dims))
        if axes == [1] and keepdim:
            shape = (1, *source.shape[1:])
            return Pointwise(shape, [source], lambda x: function(x, 1, keepdim=True))
        if axes != [2, 3]:
            raise UnknownOperation(f"{name} over {axes}")
        value = getattr(read_moments(source, name), name).float().view(1, -1)
        return value.view(1, -1, 1, 1) if keepdim else value

    return make


def _item(read_moments: ReadMoments, values: Sequence[Value], place: int) -> Value:
    if place >= len(values):
        raise UnknownOperation("statistics of a norm")
    return values[place]


_OPERATIONS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {
        "convolution": _convolution,
        "native_group_norm": _group_norm,
        "reflection_pad2d": _padding("reflect"),
        "replication_pad2d": _padding("replicate"),
        "constant_pad_nd": _padding("constant"),
        "upsample_bilinear2d": _enlarging("bilinear"),
        "upsample_nearest2d": _enlarging("nearest"),
        "slice": _slice,
        "cat": _cat,
        "mean": _reduction("mean"),
        "amax": _reduction("amax"),
        "amin": _reduction("amin"),
        "getitem": _item,
    }
)
