"""The contract every method keeps, how methods are found, and chains of them.

A method is one file. The whole of a parameter-free one is this short:

    @plugin("enhancer", cite="Poynton, SMPTE Journal 1993")
    def gamma(exponent: float = 0.45) -> Method:
        return lambda image: image**exponent

The function carries the file's name, and its arguments are the method's settings. A learned method
takes its weights first (`state`, a state dict), names what trains it, and lists the files of its
authors that it can load; `baselines/zero_dce.py` is the example to read.
"""

import difflib
import importlib
import importlib.metadata
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, get_args

import numpy as np

from benchmark import jpeg
from benchmark.errors import InputError
from benchmark.images import Bytes, Image, to_float, to_uint8
from benchmark.terms import Protocol, Role, Writer

if TYPE_CHECKING:
    from torch import nn

    from benchmark.training import Recipe

Method: TypeAlias = Callable[[Image], Image]
"""Keeps height and width, returns float32, leaves its input alone, gives the same answer twice."""
PACKAGE = "baselines"
ENTRY_POINTS = "mlsm_bench.methods"


@dataclass(frozen=True)
class Released:
    """A weights file that a method's authors released, as it lies below a weights folder.

    Attributes:
        file: Path below the folder, such as `zero_dce/Epoch99.pth`.
        size: Bytes.
        sha256: Hex digest; a file with another one is refused.
        adapt: Turns what the file holds into the state dict our module loads.
        source: Where the authors offer it, in words or as an address.
    """

    file: str
    size: int
    sha256: str
    adapt: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
    source: str = ""


@dataclass(frozen=True)
class Plugin:
    """One method as the suite sees it.

    Attributes:
        name: The file's name; what chains and params.yaml call it.
        role: What it is for.
        cite: The paper, short.
        title: How tables spell it.
        build: Makes the method: `build(**settings)`, or `build(state, **settings)` if learned.
        train: Makes the training recipe of one part: `train(part, trained, **settings)`, where
            `trained` holds the state dicts of all other parts for the last one, and nothing for
            those; None for a classical method.
        parts: What is trained, in order; the last, always `model`, is what `build` takes.
        released: The authors' files it can load; the first is the default.
        writes: How the authors' script stores its output.
        module: Where it is defined.
    """

    name: str
    role: Role
    cite: str
    title: str
    build: Callable[..., Method]
    train: "Callable[..., Recipe] | None"
    parts: tuple[str, ...]
    released: tuple[Released, ...]
    writes: Writer
    module: str

    @property
    def learned(self) -> bool:
        """Whether the method has weights."""
        return self.train is not None

    def __call__(self, *arguments: Any, **settings: Any) -> Method:
        """Build the method."""
        return self.build(*arguments, **settings)


def plugin(
    role: Role,
    *,
    cite: str,
    title: str = "",
    train: "Callable[..., Recipe] | None" = None,
    parts: tuple[str, ...] = ("model",),
    released: tuple[Released, ...] = (),
    writes: Writer = "round",
) -> Callable[[Callable[..., Method]], Plugin]:
    """Declare the decorated function as a method of the suite; see `Plugin` for the arguments."""
    if role not in get_args(Role):
        raise ValueError(f"Argument `role` must be one of {get_args(Role)}, but got {role!r}.")

    def declare(build: Callable[..., Method]) -> Plugin:
        name = build.__name__
        return Plugin(
            name=name,
            role=role,
            cite=cite,
            title=title or name,
            build=build,
            train=train,
            parts=parts if train else (),
            released=released,
            writes=writes,
            module=build.__module__,
        )

    return declare


def from_network(network: "nn.Module") -> Method:
    """Make a method of a network that maps (N, 3, H, W) in [0, 1] to the same, as evaluated.

    What leaves [0, 1] is clipped.
    """
    import torch

    network.eval()

    def method(image: Image) -> Image:
        batch = torch.from_numpy(np.array(image.transpose(2, 0, 1), order="C"))[None]
        with torch.inference_mode():
            output = network(batch)[0].clamp(0.0, 1.0)  # (3, H, W)
        return np.ascontiguousarray(output.permute(1, 2, 0).numpy())

    return method


def names() -> list[str]:
    """Return the name of every method there is: files in `baselines/`, then entry points."""
    package = importlib.import_module(PACKAGE)
    files = [module.name for module in pkgutil.iter_modules(package.__path__)]
    elsewhere = [point.name for point in importlib.metadata.entry_points(group=ENTRY_POINTS)]
    return sorted({name for name in files + elsewhere if not name.startswith("_")})


def find(name: str) -> Plugin:
    """Return the method called `name`.

    Raises:
        InputError: There is none, or its file does not define it.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names())}."
        raise InputError(f"There is no method called {name!r}: {hint}")
    points = importlib.metadata.entry_points(group=ENTRY_POINTS, name=name)
    for point in points:
        return _checked(point.load(), name, point.value)
    module = importlib.import_module(f"{PACKAGE}.{name}")
    return _checked(getattr(module, name, None), name, f"{PACKAGE}/{name}.py")


def _checked(found: object, name: str, where: str) -> Plugin:
    if isinstance(found, Plugin) and found.name == name:
        return found
    raise InputError(
        f"{where} does not define a method {name!r}: decorate a function of that name with @plugin."
    )


class Step(NamedTuple):
    """A method of a chain, ready to run."""

    plugin: Plugin
    method: Method


@dataclass(frozen=True)
class Chain:
    """Methods applied one after the other; the order is the tuple's."""

    steps: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Chain":
        """Read `edsr+zero_dce` (left to right).

        Raises:
            InputError: A step is empty or unknown.
        """
        chain = cls(tuple(text.split("+")))
        for name in chain.steps:
            find(name)
        return chain

    def __str__(self) -> str:
        return "+".join(self.steps)

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


def run(steps: Sequence[Step], pixels: Bytes, protocol: Protocol = "sound") -> Bytes:
    """Apply a chain to 8-bit pixels, storing 8 bits between steps as files on disk would.

    Args:
        steps: From `benchmark.weights.assemble`.
        pixels: uint8 (H, W, 3).
        protocol: `sound` rounds every output; `paper` stores it as the authors' script does.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: A method breaks the contract.
    """
    for step in steps:
        image = to_float(pixels)
        output = step.method(image)
        if output.shape != image.shape:
            raise ValueError(
                f"Method {step.plugin.name} returned shape {output.shape} for {image.shape}."
            )
        if not np.isfinite(output).all():
            raise ValueError(f"Method {step.plugin.name} returned NaN or infinity.")
        pixels = save(output, step.plugin.writes if protocol == "paper" else "round")
    return pixels


def writes_specially(steps: Sequence[Step]) -> bool:
    """Whether protocol `paper` gives a chain other pixels than `sound`."""
    return any(step.plugin.writes != "round" for step in steps)
