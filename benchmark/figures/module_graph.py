"""What a network is made of, found in one run of it: modules, their shapes, what feeds what."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

SIGNS: Mapping[str, str] = MappingProxyType(
    {"add": "+", "sub": "−", "cat": "cat", "upsample_bilinear2d": "up", "mul": "×"}
)
"""Operations between modules that are drawn; others (padding, cropping, scaling by a number) are
not."""


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

    def __init__(self, stack: Sequence[str], open_paths: Set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.stack, self.open_paths = stack, open_paths
        self.nodes: Graph = {}
        self.made: dict[int, str] = {}  # identity of a tensor -> key of its node
        self.alive: list[Tensor] = []  # so that identities stay true

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        read = [one for value in args for one in (value if isinstance(value, list) else [value])]
        sources = [
            self.made[id(one)] for one in read if isinstance(one, Tensor) and id(one) in self.made
        ]
        outputs = result if isinstance(result, tuple) else (result,)
        if sources and isinstance(outputs[0], Tensor):
            key = self._key(str(func).split(".")[1].rstrip("_"), sources, outputs[0])
            for output in outputs:
                if isinstance(output, Tensor):
                    self.made[id(output)] = key
                    self.alive.append(output)
        return result

    def _key(self, name: str, sources: Sequence[str], output: Tensor) -> str:
        """Return the node that an operation belongs to, made where it is new."""
        here = self.stack[-1]
        parts = here.split(".")
        prefixes = [".".join(parts[: count + 1]) for count in range(len(parts))]
        module = next((path for path in prefixes if path not in self.open_paths), "")
        distinct = dict.fromkeys(sources)
        if module:
            node = self.nodes.setdefault(module, Node(module, "module", (), path=module))
            node.sources.update({key: None for key in distinct if key != module})
            node.shape = tuple(output.shape[1:])
            return module
        if name in SIGNS and (len(distinct) > 1 or name.startswith("upsample")):
            key = f"{name} {len(self.nodes)}"
            self.nodes[key] = Node(
                SIGNS[name], "sign", tuple(output.shape[1:]), distinct, path=here
            )
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
    with _stack_of(network) as stack, torch.inference_mode():
        recorder = _Recorder(stack, open_paths)
        recorder.nodes["input"] = Node("input", "outside", tuple(example.shape[1:]))
        recorder.made[id(example)] = "input"
        with recorder:
            last = recorder.made[id(network(example))]
    modules = dict(network.named_modules())
    for key, node in recorder.nodes.items():
        if node.kind == "module":
            node.note = _note(modules[key])
    return _needed(recorder.nodes, last)


@contextmanager
def _stack_of(network: nn.Module) -> Iterator[list[str]]:
    """Give a list whose last entry is the path of the module that runs."""
    stack = [""]
    handles = []
    for name, module in network.named_modules():
        if name:
            handles += [
                module.register_forward_pre_hook(lambda *_, name=name: stack.append(name)),
                module.register_forward_hook(lambda *_: stack.pop() and None),
            ]
    try:
        yield stack
    finally:
        for handle in handles:
            handle.remove()


def _note(module: nn.Module) -> str:
    """Return a module's class, word by word, where it is not PyTorch's own, and dilation rates."""
    if type(module).__module__.startswith("torch."):
        return ""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]*", type(module).__name__)
    direct = [layer for part in module.children() for layer in part.modules()]
    rates = {layer.dilation[0] for layer in direct if isinstance(layer, nn.Conv2d)}
    listed = f"\n{', '.join(map(str, sorted(rates)))}" if len(rates) > 1 else ""
    return " ".join(words) + (listed if len(direct) < 32 else "")


def _needed(nodes: Graph, last: str) -> Graph:
    kept, waiting = set[str](), [last]
    while waiting:
        key = waiting.pop()
        if key not in kept:
            kept.add(key)
            waiting += nodes[key].sources
    return {key: node for key, node in nodes.items() if key in kept}


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
