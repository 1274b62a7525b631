"""Chains of methods: their names, and how one runs on 8-bit pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from benchmark.core import jpeg
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, Image, to_float, to_uint8
from benchmark.core.types import Protocol, Writer
from benchmark.methods.plugin import Method, Plugin
from benchmark.methods.registry import find


class Step(NamedTuple):
    """A method of a chain, ready to run."""

    plugin: Plugin
    method: Method


@dataclass(frozen=True)
class Chain:
    """Methods applied one after the other; the order is the tuple's.

    Attributes:
        steps: Names of methods.
        settings: (method, setting, value) of methods without weights, where they are not the
            published ones; what a learned method was trained with is in its weights file.
    """

    steps: tuple[str, ...]
    settings: tuple[tuple[str, str, Any], ...] = ()

    @classmethod
    def parse(cls, text: str, settings: Mapping[str, Mapping[str, Any]] | None = None) -> "Chain":
        """Read `edsr+zero_dce` (left to right).

        Args:
            text: The chain.
            settings: Method -> settings; those of methods that are not in the chain are ignored.

        Raises:
            InputError: A step is empty or unknown, or a learned one has settings here.
        """
        names = tuple(text.split("+"))
        for name in names:
            if find(name).learned and name in (settings or {}):
                raise InputError(
                    f"Method {name} is learned, so its settings stand with its training: move "
                    f"them from methods.{name} to training.{name}.settings."
                )
        chosen = ((name, (settings or {}).get(name, {})) for name in dict.fromkeys(names))
        return cls(names, tuple((name, key, own[key]) for name, own in chosen for key in own))

    def settings_of(self, step: str) -> dict[str, Any]:
        """Return the settings of a method of the chain that is not learned."""
        return {key: value for name, key, value in self.settings if name == step}

    def __str__(self) -> str:
        return "+".join(self.steps)

    def first(self, count: int) -> "Chain":
        """Return the chain of the first steps, with their settings."""
        steps = self.steps[:count]
        return Chain(steps, tuple(setting for setting in self.settings if setting[0] in steps))

    @property
    def plugins(self) -> list[Plugin]:
        """The methods in order."""
        return [find(name) for name in self.steps]

    @property
    def title(self) -> str:
        """The chain as the paper's tables spell it: `EDSR+Zero-DCE`."""
        return "+".join(step.title for step in self.plugins)

    @property
    def order(self) -> str:
        """What happens in which order: `enhance`, `deblock+enhance`, `joint`, ..."""
        verbs = {"enhancer": "enhance", "deblocker": "deblock", "joint": "joint"}
        return "+".join(verbs[step.role] for step in self.plugins)

    @property
    def learned(self) -> bool:
        """Whether any step has weights."""
        return any(step.learned for step in self.plugins)


def save(image: Image, writer: Writer) -> Bytes:
    """Return the 8-bit pixels that a reader of the stored output sees."""
    if writer == "truncate":
        return (np.clip(image, 0.0, 1.0) * np.float32(255.0)).astype(np.uint8)
    pixels = to_uint8(image)
    return jpeg.compress(pixels, 75) if writer == "jpeg75" else pixels


@dataclass(frozen=True)
class MethodContext:
    """What belongs to a chain's input, for the methods that need it.

    Attributes:
        tables: Quantisation tables of the input file; all ones where it is not JPEG.
        reference: The normal-light image, or None where there is none.
    """

    tables: jpeg.Tables = field(default_factory=jpeg.no_tables)
    reference: Image | None = None


def run(
    steps: Sequence[Step],
    pixels: Bytes,
    protocol: Protocol = "sound",
    given: MethodContext | None = None,
) -> Bytes:
    """Apply a chain to 8-bit pixels, storing 8 bits between steps as files on disk would.

    Args:
        steps: From `benchmark.weights.assemble`.
        pixels: uint8 (H, W, 3).
        protocol: `sound` rounds every output; `paper` stores it as the authors' script does.
        given: What belongs to the input; without it, an uncompressed image without reference.

    Returns:
        uint8 (H, W, 3).

    Raises:
        InputError: A method needs a reference and there is none.
        ValueError: A method breaks the contract.
    """
    return outputs(steps, pixels, (protocol,), given)[protocol]


def outputs(
    steps: Sequence[Step],
    pixels: Bytes,
    protocols: Sequence[Protocol],
    given: MethodContext | None = None,
) -> dict[Protocol, Bytes]:
    """Return what `run` returns under each protocol; steps with equal inputs run once.

    Raises:
        InputError: A method needs a reference and there is none.
        ValueError: A method breaks the contract.
    """
    current: Mapping[Protocol, Bytes] = dict.fromkeys(protocols, pixels)
    for step in steps:
        current = advance(step, current, given)
    return dict(current)


def advance(
    step: Step, current: Mapping[Protocol, Bytes], given: MethodContext | None = None
) -> dict[Protocol, Bytes]:
    """Apply one step to protocol -> pixels; it runs once for protocols with the same array.

    Raises:
        InputError: The method needs a reference and there is none.
        ValueError: The method breaks the contract.
    """
    results: dict[int, Image] = {}  # identity of an input -> output
    stored: dict[tuple[int, Writer], Bytes] = {}
    following: dict[Protocol, Bytes] = {}
    for protocol, before in current.items():
        if id(before) not in results:
            results[id(before)] = _applied(step, before, given or MethodContext())
        writer: Writer = step.plugin.writes if protocol == "paper" else "round"
        key = (id(before), writer)
        if key not in stored:
            stored[key] = save(results[id(before)], writer)
        following[protocol] = stored[key]
    return following


def _applied(step: Step, pixels: Bytes, given: MethodContext) -> Image:
    """Return a method's output, checked."""
    image = to_float(pixels)
    output = step.method(image, *_extra(step.plugin, given))
    if output.shape != image.shape:
        raise ValueError(
            f"Method {step.plugin.name} returned shape {output.shape} for {image.shape}."
        )
    if not np.isfinite(output).all():
        raise ValueError(f"Method {step.plugin.name} returned NaN or infinity.")
    return output


def _extra(plugin: Plugin, given: MethodContext) -> tuple[Any, ...]:
    if plugin.needs == "tables":
        return (given.tables,)
    if plugin.needs == "reference":
        if given.reference is None:
            raise InputError(
                f"Method {plugin.name} uses the normal-light reference, and this image has none: "
                "run it on pairs."
            )
        return (given.reference,)
    return ()
