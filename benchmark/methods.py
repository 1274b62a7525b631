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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, get_args

import numpy as np

from benchmark import jpeg
from benchmark.errors import InputError
from benchmark.images import Bytes, Image, to_float, to_uint8
from benchmark.terms import Need, Protocol, Role, Writer

if TYPE_CHECKING:
    from torch import nn

    from benchmark.training import Recipe

Method: TypeAlias = Callable[..., Image]
"""`method(image)`, or `method(image, given)` for a plugin with `needs`: keeps height and width,
returns float32, leaves its input alone, gives the same answer twice."""
PACKAGE = "baselines"
ENTRY_POINTS = "mlsm_bench.methods"


@dataclass(frozen=True)
class WeightsFile:
    """A file that a method's authors released, as it lies below a weights folder.

    Attributes:
        file: Path below the folder, such as `zero_dce/Epoch99.pth`.
        size: Bytes.
        sha256: Hex digest; a file with another one is refused.
        source: Where the authors offer it, in words or as an address.
        url: A stable address of the file itself, or "" where none is known.
    """

    file: str
    size: int
    sha256: str
    source: str
    url: str = ""


@dataclass(frozen=True)
class Released:
    """Weights that a method's authors released: one network, in one file or several.

    Attributes:
        name: What tells it from the method's other releases, such as `lol`.
        files: The files, all of which are needed.
        adapt: Turns what the files hold, in their order, into the state dict our module loads.
        settings: What `build` takes besides the state dict.
        partial: Why these weights do not make up the whole method, or "" where they do; partial
            weights are checked and loaded, but have no row in the track `released`.
    """

    name: str
    files: tuple[WeightsFile, ...]
    adapt: Callable[..., Mapping[str, Any]] = dict
    settings: Mapping[str, Any] = field(default_factory=dict)
    partial: str = ""


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
        released: The authors' weights it can load; the first are those of the released track.
        writes: How the authors' script stores its output.
        needs: What the method is given besides the image: `tables` (`benchmark.jpeg.Tables` of the
            file at the head of the chain, also where the method runs later) or `reference` (the
            normal-light image, float32 of the same size: controls that no user could run).
        quick: Settings under which the contract suite runs the method in seconds; its published
            settings are the default arguments.
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
    needs: Need
    quick: Mapping[str, Any]
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
    needs: Need = "nothing",
    quick: Mapping[str, Any] | None = None,
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
            needs=needs,
            quick=dict(quick or {}),
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
        InputError: There is none, its file does not define it, or there are two of that name.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names())}."
        raise InputError(f"There is no method called {name!r}: {hint}")
    points = importlib.metadata.entry_points(group=ENTRY_POINTS, name=name)
    _refuse_namesakes(name, sorted(points, key=lambda point: point.value))
    for point in points:
        return _checked(point.load(), name, point.value)
    module = importlib.import_module(f"{PACKAGE}.{name}")
    return _checked(getattr(module, name, None), name, f"{PACKAGE}/{name}.py")


def _refuse_namesakes(name: str, points: Sequence[importlib.metadata.EntryPoint]) -> None:
    """Let no installed package replace a method silently: whose numbers would the rows be?"""
    package = importlib.import_module(PACKAGE)
    built_in = name in (module.name for module in pkgutil.iter_modules(package.__path__))
    places = [f"{PACKAGE}/{name}.py"] if built_in else []
    places += [
        f"{point.value} of package {point.dist.name if point.dist else 'unknown'}"
        for point in points
    ]
    if len(places) > 1:
        raise InputError(
            f"There are {len(places)} methods called {name!r}, expected one: {', '.join(places)}; "
            f"uninstall a package or rename its entry point in the group {ENTRY_POINTS}."
        )


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
        return cls(names, tuple((name, key, made[key]) for name, made in chosen for key in made))

    def settings_of(self, step: str) -> dict[str, Any]:
        """Return the settings of a method of the chain that is not learned."""
        return {key: value for name, key, value in self.settings if name == step}

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


@dataclass(frozen=True)
class Given:
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
    given: Given | None = None,
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
    given: Given | None = None,
) -> dict[Protocol, Bytes]:
    """Return what `run` returns under each protocol; steps with equal inputs run once.

    Raises:
        InputError: A method needs a reference and there is none.
        ValueError: A method breaks the contract.
    """
    current: dict[Protocol, Bytes] = dict.fromkeys(protocols, pixels)
    for step in steps:
        made: dict[int, Image] = {}  # identity of an input -> output
        stored: dict[tuple[int, Writer], Bytes] = {}
        following: dict[Protocol, Bytes] = {}
        for protocol, before in current.items():
            if id(before) not in made:
                made[id(before)] = _applied(step, before, given or Given())
            writer: Writer = step.plugin.writes if protocol == "paper" else "round"
            key = (id(before), writer)
            if key not in stored:
                stored[key] = save(made[id(before)], writer)
            following[protocol] = stored[key]
        current = following
    return current


def _applied(step: Step, pixels: Bytes, given: Given) -> Image:
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


def _extra(plugin: Plugin, given: Given) -> tuple[Any, ...]:
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
