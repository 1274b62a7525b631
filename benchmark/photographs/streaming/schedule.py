"""Run a network over an image of any size: which feature maps are kept, and where.

A feature map is kept whole only where computing it again would cost more than a little: where a
norm or several later steps read it. It takes the place of one that nothing else needs, row by row
behind the rows that are still to be read, and what does not fit the memory is computed again.
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
"""Rows of the largest plane that are computed at a time."""
CHEAP = 1000.0
"""Multiply-adds a pixel up to which a plane is rather computed again than kept."""
EXTREMES = frozenset({"amax", "amin"})
MEMORY = 2_500_000_000
"""Bytes of feature maps that may be kept at a time."""


def enhance(
    network: nn.Module,
    pixels: Bytes,
    memory: int = MEMORY,
    strip: int = STRIP,
    progress: Callable[[float], None] = lambda share: None,
) -> Bytes:
    """Apply a network that maps (N, 3, H, W) in [0, 1] to the same, rounding to 8 bits.

    Args:
        network: As evaluated; see `graph` for what it may consist of.
        pixels: uint8 (H, W, 3).
        memory: Bytes of feature maps that are kept where they save work.
        strip: Rows computed at a time.
        progress: Told the share of the work that is done, from 0 to 1.

    Returns:
        uint8 (H, W, 3): what running it at once gives, but for float32 rounding.

    Raises:
        graph.UnknownOperation: The network does something that cannot be done strip by strip.
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
        values: Node -> plane or tensor, of the nodes that something still reads.
        left: Node -> how many nodes are still to read it.
        looked: Plane -> its moments.
    """

    def __init__(self, memory: int, strip: int, progress: Callable[[float], None]) -> None:
        self.memory, self.strip, self.progress = memory, strip, progress
        self.values: dict[fx.Node, Any] = {}
        self.left: Counter[fx.Node] = Counter()
        self.looked: dict[Plane, Moments] = {}

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
                value = trace.apply(node, args, kwargs, self.look)
                for read in node.all_input_nodes:
                    self._release(read)
            self.values[node] = self._settled(node, value) if isinstance(value, Plane) else value
        final = args[0]
        if not isinstance(final, Plane):
            raise trace.UnknownOperation("an output that no image reaches")
        return final

    def look(self, plane: Plane, name: str) -> Moments:
        """Return the moments of a plane that an operation of this name reads."""
        known = self.looked.get(plane)
        if known is None or (name in EXTREMES and not known.extremes):
            self._sweep(plane, None, [name])
        return self.looked[plane]

    def strips(self, plane: Plane) -> list[Rows]:
        """Return all rows of a plane in strips."""
        height = plane.shape[1]
        return [
            Rows(first, min(first + self.strip, height)) for first in range(0, height, self.strip)
        ]

    def _release(self, node: fx.Node) -> None:
        """Count one reader of a node less, and forget its value after the last."""
        self.left[node] -= 1
        if self.left[node] == 0:
            value = self.values.pop(node)
            if isinstance(value, Plane):
                self.looked.pop(value, None)

    def _settled(self, node: fx.Node, plane: Plane) -> Plane:
        """Return a plane as later nodes shall read it: stored, or computed when they ask."""
        reading = [trace.name_of(user) for user in node.users if trace.reads_moments(user)]
        plane.shared = plane.shared or len(node.users) > 1
        costly = plane.work > CHEAP * plane.shape[1] * plane.shape[2]
        dying = self._dying(plane)
        place = next((old for old in dying if self._may_replace(old, plane)), None)
        wanted = (costly and (reading or len(node.users) > 1)) or (place and len(dying) > 1)
        if not wanted or isinstance(plane, Stored):
            return plane
        if place is None and self._kept_bytes(plane) + _bytes(plane) > self.memory:
            return plane
        return self._sweep(plane, place, reading, store=True)

    def _dying(self, plane: Plane) -> list[Stored]:
        """Return the stored planes that nothing but this plane will read."""
        kept = self._reached()
        return [old for old in _reach(plane) if old not in kept]

    def _reached(self) -> set[Stored]:
        """Return the stored planes that what is still to be read is computed from."""
        found: set[Stored] = set()
        for value in self.values.values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Plane):
                    found |= _reach(one).keys()
        return found

    def _kept_bytes(self, plane: Plane) -> int:
        return sum(map(_bytes, self._reached() | _reach(plane).keys()))

    def _may_replace(self, old: Stored, plane: Plane) -> bool:
        """Whether a strip of a plane can be written over an old one after the next is computed."""
        if old.shape != plane.shape or old.tensor.stride()[1] != 1:
            return False
        for rows in self.strips(plane)[1:]:
            found: dict[Stored, Rows] = {}
            plane.reach(rows, found)
            if old in found and found[old].first < rows.first - self.strip:
                return False
        return True

    def _sweep(
        self, plane: Plane, place: Stored | None, reading: Sequence[str], store: bool = False
    ) -> Plane:
        """Compute a plane strip by strip: for its moments, to keep it, or both."""
        gathered = Moments(plane.shape[0], extremes=not EXTREMES.isdisjoint(reading))
        target = place.tensor if place else _empty(plane) if store else None
        waiting: tuple[Rows, Tensor] | None = None
        for rows in self.strips(plane):
            made = plane.strip(rows)
            if reading:
                gathered.add(made)
            if target is not None:
                if waiting:
                    target[:, :, waiting[0].first : waiting[0].last] = waiting[1]
                waiting = (rows, made)
        if target is not None and waiting:
            target[:, :, waiting[0].first : waiting[0].last] = waiting[1]
        kept = Stored(target) if target is not None else plane
        if reading:
            self.looked[kept] = gathered
        return kept


def _reach(plane: Plane) -> dict[Stored, Rows]:
    found: dict[Stored, Rows] = {}
    plane.reach(Rows(0, plane.shape[1]), found)
    return found


def _bytes(plane: Plane) -> int:
    channels, height, width = plane.shape
    return 4 * channels * height * width


def _empty(plane: Plane) -> Tensor:
    return torch.empty(1, *plane.shape, memory_format=torch.channels_last)
