"""Contract suite: the checks of a method that `mlsm-bench baseline test NAME` runs.

A violation is a sentence about the method, such as "changes its input, ...". The checks apply to
every method, with its quick settings and on synthetic images; they need no data set and no weights
file.
"""

import contextlib
import dataclasses
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, cast
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

from benchmark.core import jpeg
from benchmark.core.images import Image, to_float, to_uint8
from benchmark.methods import Method, Plugin, checkpoints
from benchmark.training import crops, loop
from benchmark.training.loop import Run
from benchmark.training.recipe import Batch, Batches, Recipe, Terms

SIZES = ((1, 1), (7, 13), (45, 61))
LARGE = (401, 599)
STEPS = 12
CROP_PX = 32
BATCH = 2

_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""Exceptions that count as failures of the method; others are not caught."""


def check(plugin: Plugin, thorough: bool = False) -> list[str]:
    """Return the violations of the contract by a method; empty if it keeps the contract.

    A method must keep height, width and dtype, leave its input unchanged, accept odd sizes, return
    the same output for the same image, return no NaN, and use no internet connection. The loss of
    every part of a learned method must fall within a few steps on one batch, and weights must give
    the same pixels after they are stored and read again.

    Args:
        plugin: The method; its parts are trained one after the other, each given those before.
        thorough: Whether to try a learned method on an image of 401 x 599 pixels as well (seconds
            to a minute).
    """
    violations = _form(plugin)
    if violations:
        return violations
    with _offline() as requested, tempfile.TemporaryDirectory() as folder:
        violations = _behaviour(plugin, Path(folder), thorough)
    return violations + [
        f"uses the network: it asked for {where}" for where in dict.fromkeys(requested)
    ]


def _form(plugin: Plugin) -> list[str]:
    """Check the declaration of a method without running it."""
    violations = []
    if not plugin.cite:
        violations.append("has no citation: fill in `cite`")
    if plugin.learned and (plugin.parts[-1:] != ("model",) or _repeats(plugin.parts)):
        violations.append(f"has parts {plugin.parts}: name each once, the last `model`")
    if plugin.released and not plugin.learned:
        violations.append("has released weights but no `train`, so nothing would load them")
    for released in plugin.released:
        for file in released.files:
            if len(file.sha256) != 64 or file.size <= 0 or not file.source:
                violations.append(f"lists {file.file} without its size, SHA-256 or source")
    return violations


def _repeats(names: Sequence[str]) -> bool:
    return len(set(names)) < len(names)


def _behaviour(plugin: Plugin, folder: Path, thorough: bool) -> list[str]:
    """Train, build and run a method."""
    violations: list[str] = []
    states: dict[str, Mapping[str, Any]] = {}
    for part in plugin.parts:
        try:
            recipe, log = _train(plugin, part, states, folder / part)
        except _FAILURES as error:
            return [*violations, f"fails to train part {part!r}: {_words(error)}"]
        violations += _loss_violations(part, recipe, log)
        states[part] = recipe.network.state_dict()
    try:
        built = _build(plugin, states)
        again = _reloaded(plugin, states, folder) if plugin.learned else _build(plugin, states)
    except _FAILURES as error:
        return [*violations, f"cannot be built: {_words(error)}"]
    return violations + _run_violations(
        _with_extra(plugin, built),
        _with_extra(plugin, again),
        _images(thorough or not plugin.learned),
    )


def _train(
    plugin: Plugin, part: str, trained: Mapping[str, Mapping[str, Any]], folder: Path
) -> tuple[Recipe, list[dict[str, float]]]:
    """Train a part for a few steps on one batch, with constant learning rate and random draws."""
    recipe_of = cast("Callable[..., Recipe]", plugin.train)  # only learned methods have parts
    torch.manual_seed(0)
    published = recipe_of(part, trained, **plugin.quick)
    phases = tuple(
        dataclasses.replace(phase, loss=_drawn(phase.loss)) for phase in published.phases
    )
    recipe = dataclasses.replace(published, phases=phases, warmup=0, decay=False, ema=None)
    batch = _batch(recipe)
    run = Run(
        STEPS,
        0,
        folder,
        log_every=1,
        validate_every=STEPS,
        save_every=STEPS,
        label=f"{plugin.name} {part}",
    )
    log = loop.train(recipe, Batches(lambda step, process: batch, [batch]), run)
    return recipe, log


def _drawn(loss: Callable[[Batch], Terms]) -> Callable[[Batch], Terms]:
    """Make a loss draw the same random numbers each time, so that only learning changes it."""

    def same(batch: Batch) -> Terms:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return loss(batch)

    return same


def _batch(recipe: Recipe) -> Batch:
    """Return a batch of patches of random colour and their JPEG versions at quality 80."""
    random = np.random.default_rng(0)
    patches = np.kron(random.random((BATCH, 3, 3, 3)), np.ones((1, 12, 12, 1)))
    normal = patches[:, 2:, 2:][:, :CROP_PX, :CROP_PX]  # off the 8x8 grid of JPEG
    dark = 0.3 * normal**2
    mixed = np.concatenate([dark[: BATCH // 2], normal[BATCH // 2 :]])
    originals = {"normal": normal, "both": mixed}.get(recipe.source, dark)
    inputs = [jpeg.compress(pixels, 80) for pixels in _pixels(originals)]
    targets = _pixels({"pairs": normal, "unpaired": normal[::-1]}.get(recipe.source, originals))
    examples = [(image, target, 80) for image, target in zip(inputs, targets, strict=True)]
    return crops.batch(examples, recipe.whole)


def _pixels(images: NDArray[Any]) -> NDArray[np.uint8]:
    return to_uint8(images.astype(np.float32))


def _loss_violations(part: str, recipe: Recipe, log: Sequence[Mapping[str, float]]) -> list[str]:
    """Compare the first and last quarter of the losses that the saved network minimises."""
    own = {id(parameter) for parameter in recipe.network.parameters()}
    phases = [
        phase.name
        for phase in recipe.phases
        if any(id(parameter) in own for parameter in phase.module.parameters())
    ]
    if not phases:
        return [f"never updates the network of part {part!r}: no phase holds its parameters"]
    losses = [
        sum(value for key, value in row.items() if key.rpartition("/")[0] in phases) for row in log
    ]
    first, last = np.mean(losses[: STEPS // 4]), np.mean(losses[-STEPS // 4 :])
    if last < first:
        return []
    return [
        f"does not learn: the loss of part {part!r} goes from {first:.4g} to {last:.4g} "
        f"in {STEPS} steps on one batch"
    ]


def _build(plugin: Plugin, states: Mapping[str, Mapping[str, Any]]) -> Method:
    return plugin.build(*([states["model"]] if plugin.learned else []), **plugin.quick)


def _with_extra(plugin: Plugin, method: Method) -> Method:
    """Bind tables of quality 80, or the image as reference, to a method that requires them."""
    if plugin.needs == "tables":
        return lambda image: method(image, jpeg.tables_of_quality(80))
    if plugin.needs == "reference":
        return lambda image: method(image, np.sqrt(image))
    return method


def _reloaded(plugin: Plugin, states: Mapping[str, Mapping[str, Any]], folder: Path) -> Method:
    """Store the weights, read them again, and build the method from them."""
    path = folder / "model.pt"
    checkpoints.save(
        path, checkpoints.Checkpoint(plugin.name, "model", plugin.quick, states["model"])
    )
    checkpoint = checkpoints.load(path, plugin.name)
    return plugin.build(checkpoint.state, **checkpoint.settings)


class _Sample(NamedTuple):
    label: str
    image: Image


def _images(large: bool) -> list[_Sample]:
    """Return images of odd sizes, and two that may cause a division by zero."""
    random = np.random.default_rng(0)
    sizes = [*SIZES, LARGE] if large else SIZES
    samples = [
        _Sample(f"an image of {height} x {width} pixels", _levels(random, height, width))
        for height, width in sizes
    ]
    black = np.zeros((24, 17, 3), np.float32)
    return [*samples, _Sample("a black image", black), _Sample("a white image", black + 1)]


def _levels(random: np.random.Generator, height: int, width: int) -> Image:
    return to_float(random.integers(0, 256, (height, width, 3), np.uint8))


def _run_violations(built: Method, again: Method, samples: Sequence[_Sample]) -> list[str]:
    """Run a method and, in reverse order, the same method built a second time."""
    violations: list[str] = []
    outputs: dict[str, NDArray[Any]] = {}
    for label, image in samples:
        try:
            before, outputs[label] = image.copy(), built(image)
        except _FAILURES as error:
            violations.append(f"fails on {label}: {_words(error)}")
            continue
        violations += [
            f"{what}, given {label}" for what in _output_violations(outputs[label], image)
        ]
        if not np.array_equal(image, before):
            violations.append(f"changes its input, given {label}")
    if violations:
        return violations
    for label, image in reversed(samples):
        if not np.array_equal(again(image.copy()), outputs[label]):
            violations.append(
                f"gives another answer when it is built again from the same weights and run in "
                f"another order, given {label}"
            )
    return violations


def _output_violations(output: object, image: Image) -> list[str]:
    if not isinstance(output, np.ndarray):
        return [f"returns {type(output).__name__}, expected an array"]
    violations = []
    if output.shape != image.shape:
        violations.append(f"returns shape {output.shape}, expected {image.shape}")
    if output.dtype != np.float32:
        violations.append(f"returns {output.dtype}, expected float32")
    elif not np.isfinite(output).all():
        violations.append("returns NaN or infinity")
    return violations


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


@contextlib.contextmanager
def _offline() -> Iterator[list[str]]:
    """Refuse connections and name look-ups, and yield the list of requested addresses."""
    requested: list[str] = []

    def refuse_name(host: object, *_: object, **__: object) -> NoReturn:
        requested.append(str(host))
        raise OSError(f"the contract allows no network, but a method asked for {host}")

    def refuse_connection(_: socket.socket, address: object) -> NoReturn:
        refuse_name(address)

    with contextlib.ExitStack() as stack:
        for name in ("getaddrinfo", "gethostbyname"):
            stack.enter_context(mock.patch.object(socket, name, refuse_name))
        for name in ("connect", "connect_ex"):
            stack.enter_context(mock.patch.object(socket.socket, name, refuse_connection))
        yield requested
