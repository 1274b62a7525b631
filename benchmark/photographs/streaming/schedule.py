"""Run a network over an image of any size, and decide which feature maps are stored.

A feature map is stored only if recomputing it would be expensive, because a norm or several later
steps read it. It replaces a feature map that nothing else needs, row by row behind the rows that
are still to be read. Feature maps that do not fit into the memory are recomputed.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from benchmark.core.images import Bytes
from benchmark.photographs.streaming import trace
from benchmark.photographs.streaming.feature_maps import Pixels, Plane, Rows, Stored
from benchmark.photographs.streaming.statistics import Moments

STRIP = 64
"""Number of rows that are computed at a time."""
CHEAP = 1000.0
"""Multiply-adds per pixel up to which a plane is recomputed rather than stored."""
EXTREMES = frozenset({"amax", "amin"})
MEMORY = 2_500_000_000
"""Memory for stored feature maps in bytes."""


def enhance(
    network: nn.Module,
    pixels: Bytes,
    memory: int = MEMORY,
    strip: int = STRIP,
    progress: Callable[[float], None] = lambda share: None,
) -> Bytes:
    """Apply a network that maps (N, 3, H, W) in [0, 1] to the same, and round to 8 bits.

    Args:
        network: The network in evaluation mode; see `trace` for the supported operations.
        pixels: uint8 (H, W, 3).
        memory: Memory for stored feature maps in bytes.
        strip: Number of rows computed at a time.
        progress: Function that is called with the completed fraction of the work, 0 to 1.

    Returns:
        uint8 (H, W, 3), the result of running the network at once up to float32 rounding.

    Raises:
        trace.UnknownOperation: The network has an operation that cannot run strip by strip.
    """
    traced = trace.capture(network, *pixels.shape[:2])
    with torch.inference_mode():
        run = _Run(memory, strip, progress)
        final = run.through(traced, Pixels(pixels))
        output = np.empty_like(pixels)
        for rows in run.strips(final):
            levels = (final.strip(rows).clamp(0.0, 1.0) * 255.0).round()  # half to even
            output[rows.first : rows.last] = levels[0].permute(1, 2, 0).to(torch.uint8).numpy()
        progress(1.0)
        return output


class _Run:
    """One pass through a graph.

    Attributes:
        values: Node -> plane or tensor, for nodes that will still be read.
        left: Node -> number of nodes that will still read it.
        moments: Plane -> its moments.
    """

    def __init__(self, memory: int, strip: int, progress: Callable[[float], None]) -> None:
        self.memory, self.strip, self.progress = memory, strip, progress
        self.values: dict[fx.Node, Any] = {}
        self.left: Counter[fx.Node] = Counter()
        self.moments: dict[Plane, Moments] = {}

    def through(self, traced: fx.GraphModule, image: Plane) -> Plane:
        """Return the plane of the graph's output."""
        nodes = list(traced.graph.nodes)
        self.left = Counter({node: len(node.users) for node in nodes})
        for place, node in enumerate(nodes):
            self.progress(place / len(nodes))
            if node.op == "placeholder":
                value: Any = image
            elif node.op == "get_attr":
                value = getattr(traced, str(node.target))
            else:
                args, kwargs = fx.node.map_arg(
                    (node.args, node.kwargs), lambda read: self.values[read]
                )
                if node.op == "output":
                    break
                value = trace.apply(node, args, kwargs, self.moments_of)
                for read in node.all_input_nodes:
                    self._release(read)
            self.values[node] = self._settled(node, value) if isinstance(value, Plane) else value
        final = args[0]
        if not isinstance(final, Plane):
            raise trace.UnknownOperation("an output that no image reaches")
        return final

    def moments_of(self, plane: Plane, name: str) -> Moments:
        """Return the moments of a plane that an operation of this name needs."""
        known = self.moments.get(plane)
        if known is None or (name in EXTREMES and not known.extremes):
            self._sweep(plane, None, [name])
        return self.moments[plane]

    def strips(self, plane: Plane) -> list[Rows]:
        """Return all rows of a plane in strips."""
        height = plane.shape[1]
        return [
            Rows(first, min(first + self.strip, height)) for first in range(0, height, self.strip)
        ]

    def _release(self, node: fx.Node) -> None:
        """Count down the readers of a node, and drop its value after the last."""
        self.left[node] -= 1
        if self.left[node] == 0:
            value = self.values.pop(node)
            if isinstance(value, Plane):
                self.moments.pop(value, None)

    def _settled(self, node: fx.Node, plane: Plane) -> Plane:
        """Return the plane that later nodes read: stored, or computed on demand."""
        reading = [trace.name_of(user) for user in node.users if trace.reads_moments(user)]
        plane.shared = plane.shared or len(node.users) > 1
        costly = plane.work > CHEAP * plane.shape[1] * plane.shape[2]
        dying = self._dying(plane)
        place = next((old for old in dying if self._may_replace(old, plane)), None)
        worth_storing = (costly and (reading or len(node.users) > 1)) or (place and len(dying) > 1)
        if not worth_storing or isinstance(plane, Stored):
            return plane
        if place is None and self._kept_bytes(plane) + _bytes(plane) > self.memory:
            return plane
        return self._sweep(plane, place, reading, store=True)

    def _dying(self, plane: Plane) -> list[Stored]:
        """Return the stored planes that only this plane will still read."""
        kept = self._reached()
        return [old for old in _reach(plane) if old not in kept]

    def _reached(self) -> set[Stored]:
        """Return the stored planes that are needed for values that will still be read."""
        stored: set[Stored] = set()
        for value in self.values.values():
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Plane):
                    stored |= _reach(part).keys()
        return stored

    def _kept_bytes(self, plane: Plane) -> int:
        return sum(map(_bytes, self._reached() | _reach(plane).keys()))

    def _may_replace(self, old: Stored, plane: Plane) -> bool:
        """Return True if a plane can overwrite an old one, strip by strip, one strip behind."""
        if old.shape != plane.shape or old.tensor.stride()[1] != 1:
            return False
        for rows in self.strips(plane)[1:]:
            reached: dict[Stored, Rows] = {}
            plane.reach(rows, reached)
            if old in reached and reached[old].first < rows.first - self.strip:
                return False
        return True

    def _sweep(
        self, plane: Plane, place: Stored | None, reading: Sequence[str], store: bool = False
    ) -> Plane:
        """Compute a plane strip by strip to gather its moments, to store it, or both."""
        gathered = Moments(plane.shape[0], extremes=not EXTREMES.isdisjoint(reading))
        target = place.tensor if place else _empty(plane) if store else None
        waiting: tuple[Rows, Tensor] | None = None
        for rows in self.strips(plane):
            strip = plane.strip(rows)
            if reading:
                gathered.add(strip)
            if target is not None:
                if waiting:
                    target[:, :, waiting[0].first : waiting[0].last] = waiting[1]
                waiting = (rows, strip)
        if target is not None and waiting:
            target[:, :, waiting[0].first : waiting[0].last] = waiting[1]
        kept = Stored(target) if target is not None else plane
        if reading:
            self.moments[kept] = gathered
        return kept


def _reach(plane: Plane) -> dict[Stored, Rows]:
    reached: dict[Stored, Rows] = {}
    plane.reach(Rows(0, plane.shape[1]), reached)
    return reached


def _bytes(plane: Plane) -> int:
    channels, height, width = plane.shape
    return 4 * channels * height * width


def _empty(plane: Plane) -> Tensor:
    return torch.empty(1, *plane.shape, memory_format=torch.channels_last)
