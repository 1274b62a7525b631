"""What a method is, and the decorator that declares one.

A method is one file. The whole of a parameter-free one is this short:

    @plugin("enhancer", cite="Poynton, SMPTE Journal 1993")
    def gamma(exponent: float = 0.45) -> Method:
        return lambda image: image**exponent

The function carries the file's name, and its arguments are the method's settings. A learned method
names its network, whose arguments are its settings, and what trains it; the function takes the
network with its weights. It lists the files of its authors that it can load, too:
`baselines/zero_dce.py` is the example to read. Where no single network is the method, the function
takes the weights themselves (`state`, a state dict) before its settings.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np

from benchmark.core.images import Image
from benchmark.core.types import Need, Role, Writer

if TYPE_CHECKING:
    from torch import nn

    from benchmark.training import Recipe

Method: TypeAlias = Callable[..., Image]
"""`method(image)`, or `method(image, given)` for a plugin with `needs`: keeps height and width,
returns float32, leaves its input alone, gives the same answer twice."""


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
        needs: What the method is given besides the image: `tables` (`benchmark.core.jpeg.Tables`
        of the
            file at the head of the chain, also where the method runs later) or `reference` (the
            normal-light image, float32 of the same size: controls that no user could run).
        quick: Settings under which the contract suite runs the method in seconds; its published
            settings are the default arguments.
        module: Where it is defined.
        fixed: Settings that a variant of a method fixes; a profile cannot set them.
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
    fixed: Mapping[str, Any] = field(default_factory=dict)

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
    network: "Callable[..., nn.Module] | None" = None,
    parts: tuple[str, ...] = ("model",),
    released: tuple[Released, ...] = (),
    writes: Writer = "round",
    needs: Need = "nothing",
    quick: Mapping[str, Any] | None = None,
) -> Callable[[Callable[..., Method]], Plugin]:
    """Declare the decorated function as a method of the suite.

    Args:
        role: What the method is for.
        cite: The paper, short.
        title: How tables spell it; the function's name if it is "".
        train: Makes the training recipe; see `Plugin`.
        network: The class of the network, whose arguments with their defaults are the settings
            that `train` passes on to it. The decorated function then takes the network with its
            weights, instead of a state dict and settings.
        parts: See `Plugin`, as for all that follow.
        released: The authors' weights.
        writes: How the authors' script stores its output.
        needs: What the method is given besides the image.
        quick: Settings of the contract suite.
    """
    if role not in get_args(Role):
        raise ValueError(f"Argument `role` must be one of {get_args(Role)}, but got {role!r}.")

    def declare(build: Callable[..., Method]) -> Plugin:
        name = build.__name__
        return Plugin(
            name=name,
            role=role,
            cite=cite,
            title=title or name,
            build=_loading(build, network, train) if network else build,
            train=train,
            parts=parts if train else (),
            released=released,
            writes=writes,
            needs=needs,
            quick=dict(quick or {}),
            module=build.__module__,
        )

    return declare


def _loading(
    method: Callable[..., Method],
    network: "Callable[..., nn.Module]",
    train: "Callable[..., Recipe] | None",
) -> Callable[..., Method]:
    """Return a function of a state dict and settings that gives `method` its network.

    Settings of the training alone, arguments of `train`, do not reach the network.
    """
    own = set(inspect.signature(network).parameters)
    others = set(inspect.signature(train).parameters) if train else set()
    known = own | others - {"part", "trained", "settings"}

    def build(state: Mapping[str, Any], **settings: Any) -> Method:
        unknown = sorted(set(settings) - known)
        if unknown:
            raise TypeError(
                f"{method.__name__} has no setting {unknown[0]!r}: "
                f"it has {', '.join(sorted(known)) or 'none'}."
            )
        module = network(**{key: value for key, value in settings.items() if key in own})
        module.load_state_dict(state)
        return method(module)

    return build


class NetworkMethod:
    """A method that is one network, which maps (N, 3, H, W) in [0, 1] to the same.

    What leaves [0, 1] is clipped.

    Attributes:
        network: The network, in evaluation mode.

    Example:
        >>> import numpy as np, torch
        >>> method = NetworkMethod(torch.nn.Identity())
        >>> method(np.full((2, 3, 3), 0.25, np.float32)).shape
        (2, 3, 3)
    """

    def __init__(self, network: "nn.Module") -> None:
        self.network = network.eval()

    def __call__(self, image: Image) -> Image:
        """Return the network's output on float32 (H, W, 3) in [0, 1], likewise."""
        import torch

        batch = torch.from_numpy(np.array(image.transpose(2, 0, 1), order="C"))[None]
        with torch.inference_mode():
            output = self.network(batch)[0].clamp(0.0, 1.0)  # (3, H, W)
        return np.ascontiguousarray(output.permute(1, 2, 0).numpy())


def from_network(network: "nn.Module") -> NetworkMethod:
    """Make a method of a network that maps (N, 3, H, W) in [0, 1] to the same, as evaluated."""
    return NetworkMethod(network)
