"""A network drawn from what one run of it shows: modules, their shapes, what feeds what.

Nothing is drawn by hand: with another number of levels there are other boxes.
"""

import itertools
import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import matplotlib
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.module_tracker import ModuleTracker

SIGNS: Mapping[str, str] = MappingProxyType(
    {"add": "+", "sub": "−", "cat": "cat", "upsample_bilinear2d": "up", "mul": "×"}
)
"""Operations between modules that are drawn; others (padding, cropping, scaling by a number) are
not."""

COLOURS = ("#CFE6F3", "#FBE3C0", "#D5EEDF", "#F1D9E7")
GREY = "#EEEEEE"
_EXAMPLE = (1, 3, 64, 96)
_SETTINGS: Any = {"font.size": 6.0, "axes.titlesize": 8.0, "pdf.fonttype": 42}


@dataclass
class Node:
    """A box: a module, an operation between modules, or what comes in.

    Attributes:
        label: Path of the module or sign of the operation.
        kind: `module`, `sign` or `outside`.
        shape: C, H, W of what it gives.
        sources: Keys of the nodes that it reads.
        note: Class of the module and its dilation rates.
        path: The module it is or happens in.
    """

    label: str
    kind: str
    shape: tuple[int, ...]
    sources: dict[str, None] = field(default_factory=dict)
    note: str = ""
    path: str = ""


Graph = dict[str, Node]


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Write down every operation with the module it happens in."""

    def __init__(self, modules: ModuleTracker, open_paths: Set[str], example: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._modules, self._open = modules, open_paths
        self.nodes: Graph = {"input": Node("input", "outside", tuple(example.shape[1:]))}
        self.made = {id(example): ("input", example)}
        """Identity of a tensor -> key of its node, and the tensor, so that identities stay true."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        sources = [self.made[id(one)][0] for one in tree_leaves(args) if id(one) in self.made]
        outputs = [one for one in tree_leaves(result) if isinstance(one, Tensor)]
        if sources and outputs:
            key = self._key(str(func).split(".")[1].rstrip("_"), sources, outputs[0])
            self.made.update({id(output): (key, output) for output in outputs})
        return result

    def _key(self, name: str, sources: Sequence[str], output: Tensor) -> str:
        """Return the node that an operation belongs to, made where it is new."""
        here = max((path.partition(".")[2] for path in self._modules.parents), key=len)
        prefixes = itertools.accumulate(here.split("."), "{}.{}".format)
        module = next((path for path in prefixes if path not in self._open), "")
        distinct, shape = dict.fromkeys(sources), tuple(output.shape[1:])
        if module:
            node = self.nodes.setdefault(module, Node(module, "module", shape, path=module))
            node.sources.update({key: None for key in distinct if key != module})
            node.shape = shape
            return module
        if name in SIGNS and (len(distinct) > 1 or name.startswith("upsample")):
            key = f"{name} {len(self.nodes)}"
            self.nodes[key] = Node(SIGNS[name], "sign", shape, distinct, path=here)
            return key
        return sources[0]


def trace(network: nn.Module, open_paths: Set[str], example: Tensor) -> Graph:
    """Return the boxes of a network in the order in which they are computed.

    Args:
        network: As evaluated.
        open_paths: From `opened`.
        example: An input (1, 3, H, W).

    Returns:
        Key -> node, without those that the output does not depend on; the input is `input`.
    """
    modules = ModuleTracker()
    with torch.inference_mode(), modules, _Recorder(modules, open_paths, example) as recorder:
        output = network(example)
    waiting, needed = [recorder.made[id(output)][0]], set[str]()
    while waiting:
        key = waiting.pop()
        if key not in needed:
            needed.add(key)
            waiting += recorder.nodes[key].sources
    graph = {key: node for key, node in recorder.nodes.items() if key in needed}
    for key, node in graph.items():
        if node.kind == "module":
            node.note = _note(network.get_submodule(key))
    return graph


def _note(module: nn.Module) -> str:
    """Return a module's class, word by word, where it is not PyTorch's own, and dilation rates."""
    if type(module).__module__.startswith("torch."):
        return ""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]*", type(module).__name__)
    direct = [layer for part in module.children() for layer in part.modules()]
    rates = {layer.dilation[0] for layer in direct if isinstance(layer, nn.Conv2d)}
    listed = f"\n{', '.join(map(str, sorted(rates)))}" if len(rates) > 1 else ""
    return " ".join(words) + (listed if len(direct) < 32 else "")


def opened(network: nn.Module, detail: str = "") -> set[str]:
    """Return the modules that are drawn as what is inside them.

    Those are the network, its parts, and lists; for a detail also that module and those of its
    parts that have three parts or more.

    Args:
        network: The network.
        detail: Path of a module, or "" for the overview.
    """
    modules = dict(network.named_modules())
    found = {"", *(name for name, part in network.named_children() if [*part.children()])}
    found |= {path for path, module in modules.items() if isinstance(module, nn.ModuleList)}
    if detail:
        parts = modules[detail].named_children()
        found |= {detail} | {f"{detail}.{name}" for name, p in parts if len([*p.children()]) > 2}
    return found


def part(graph: Graph, prefix: str) -> Graph:
    """Return the boxes inside a module, and grey ones for what it reads."""
    kept: Graph = {}
    for key, node in graph.items():
        if node.path == prefix or node.path.startswith(f"{prefix}."):
            for source in node.sources:
                if source not in kept:
                    read = graph[source]
                    kept[source] = Node(read.label, "outside", read.shape, path=read.path)
            kept[key] = node
    return kept


class Place(NamedTuple):
    """Where a box stands: column from the left, row from the top."""

    column: float
    row: float


def places(graph: Graph) -> dict[str, Place]:
    """Return where boxes stand: columns by what they need, rows by resolution, then by order."""
    column: dict[str, int] = {}
    used: dict[tuple[int, int], list[str]] = {}
    for key, node in graph.items():
        column[key] = 1 + max((column[source] for source in node.sources), default=-1)
        used.setdefault((column[key], node.shape[1]), []).append(key)
    starts, start = dict[int, int](), 0
    for height in sorted({node.shape[1] for node in graph.values()}, reverse=True):
        starts[height] = start
        start += max(len(keys) for (_, tall), keys in used.items() if tall == height)
    return {
        key: Place(at[0], starts[at[1]] + row)
        for at, keys in used.items()
        for row, key in enumerate(keys)
    }


def draw(network: nn.Module, detail: str) -> Figure:
    """Draw a network: an overview above, and what is inside one of its modules below.

    Args:
        network: Maps (N, 3, H, W) to the same; as evaluated.
        detail: Path of the module, such as `mapping.levels.0`.
    """
    example = torch.zeros(_EXAMPLE)
    overview = trace(network, opened(network), example)
    inner = part(trace(network, opened(network, detail), example), detail)
    count = sum(parameter.numel() for parameter in network.parameters())
    titles = (
        f"{type(network).__name__}, {count:,} parameters: modules, what they give (channels × "
        "height; the width likewise), and what they read",
        f"Inside {detail}",
    )
    graphs = (overview, inner)
    rows = [1 + max(place.row for place in places(graph).values()) for graph in graphs]
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(11.0, 0.72 * sum(rows) + 0.8), layout="constrained")
        panels = figure.subplots(2, 1, height_ratios=rows)
        depths = (0, len(detail.split(".")))
        for axes, graph, title, depth in zip(panels, graphs, titles, depths, strict=True):
            _panel(axes, graph, title, depth)
    return figure


def _panel(axes: Axes, graph: Graph, title: str, depth: int) -> None:
    """Draw boxes and arrows; boxes of one colour share the name at a depth of their paths."""
    at = places(graph)
    named = {
        key: node.path.split(".")[depth] for key, node in graph.items() if node.kind == "module"
    }
    colours = dict(zip(dict.fromkeys(named.values()), itertools.cycle(COLOURS), strict=False))
    for key, node in graph.items():
        for source in node.sources:
            _arrow(axes, at[source], at[key], graph[source].kind, node.kind)
        _box(axes, at[key], node, colours[named[key]] if key in named else GREY)
    axes.set(
        xlim=(-0.6, max(place.column for place in at.values()) + 0.6),
        ylim=(max(place.row for place in at.values()) + 0.6, -0.9),
    )
    axes.set_title(title, loc="left")
    axes.set_axis_off()
    handles = [
        Patch(fc=colour, ec="#333333", lw=0.6, label=name) for name, colour in colours.items()
    ]
    axes.legend(handles=handles, loc="lower left", frameon=False, fontsize=7)


def _half(kind: str) -> float:
    return 0.16 if kind == "sign" else 0.42


def _arrow(axes: Axes, start: Place, end: Place, first: str, second: str) -> None:
    columns = end.column - start.column
    level = end.row == start.row
    bend = 0.0 if columns < 2 else (-1.4 / columns if level else 0.12)  # above or below the boxes
    axes.add_patch(
        FancyArrowPatch(
            (start.column + _half(first), start.row),
            (end.column - _half(second), end.row),
            arrowstyle="-|>",
            mutation_scale=6,
            connectionstyle=f"arc3,rad={bend}",
            color="#555555",
            lw=0.7,
            zorder=1,
        )
    )


def _box(axes: Axes, at: Place, node: Node, colour: str) -> None:
    half = _half(node.kind)
    tall = 0.16 if node.kind == "sign" else 0.36
    corner = (at.column - half, at.row - tall)
    shape = "round,pad=0,rounding_size=0.08"
    axes.add_patch(
        FancyBboxPatch(corner, 2 * half, 2 * tall, shape, fc=colour, ec="#333333", lw=0.6, zorder=2)
    )
    text = node.label if node.kind == "sign" else _words(node)
    axes.text(at.column, at.row, text, ha="center", va="center", zorder=3, linespacing=1.05)


def _words(node: Node) -> str:
    names = node.label.split(".")
    numbered = len(names) > 1 and names[-1].isdigit()
    name = " ".join(names[-2:]) if numbered else names[-1]
    scale = _EXAMPLE[2] // node.shape[1]
    size = f"{node.shape[0]}×H/{scale}" if scale > 1 else f"{node.shape[0]}×H"
    note = node.note.replace(" ", "\n", 1) if len(node.note.split("\n")[0]) > 10 else node.note
    return "\n".join(filter(None, (name, note, size)))
