"""Golden files: what the authors' programs give for weights and images that follow from a seed.

A file `<method>.json` says which classes and functions of which commit were called on what; their
code is no part of this project. Both programs got the numbers of `fill` and `images`, the authors'
under their own names. A case names what gives the same here: `recipe` (`by_recipe`: the method's
recipe as it is trained) or a function of `parity.<method>` that takes the case.
"""

import importlib
import json
import math
import re
import zlib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from benchmark import methods
from benchmark.training import Batch, Recipe

FOLDER = Path(__file__).parent
SAMPLES = 400
"""The most values of an output that a file keeps."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sample(_Entry):
    """An array: every `step`-th value in row-major order, and the moments of all."""

    shape: tuple[int, ...]
    step: int
    values: list[float]
    mean: float
    deviation: float
    tolerance: float = Field(gt=0, le=1e-2)


class Term(_Entry):
    """One term of a loss, weighted as the program weights it.

    `why` says what differs on purpose, where the tolerance is above 1e-4 of the value.
    """

    value: float
    tolerance: float = Field(gt=0)
    why: str = ""


class Case(_Entry):
    """One call of the program.

    Attributes:
        made: Which of its classes and functions were called on what, in words.
        ours: `recipe`, or a function of `parity.<method>`.
        part: Of the recipe.
        settings: Of the method or the recipe.
        seed: Of weights and images.
        gain: Of the weights, see `fill`.
        shape: (N, 3, H, W) of the images.
        outputs: By name; a recipe's is called `output`.
        terms: By `<phase>/<term>`.
    """

    made: str = Field(min_length=20)
    ours: str = "recipe"
    part: str = "model"
    settings: dict[str, Any] = {}
    seed: int
    gain: float = 1.0
    shape: tuple[int, int, int, int]
    outputs: dict[str, Sample]
    terms: dict[str, Term] = {}


class Golden(_Entry):
    """A file: where the numbers come from, and the numbers."""

    source: str = Field(pattern="^https://")
    commit: str = Field(pattern="^[0-9a-f]{40}$")
    licence: str = Field(min_length=3)
    cases: dict[str, Case]


class Outcome(NamedTuple):
    """What a call gives: arrays and terms by name."""

    outputs: Mapping[str, Tensor]
    terms: Mapping[str, float]


def read(method: str) -> Golden:
    """Read the golden file of a method."""
    return Golden.model_validate_json((FOLDER / f"{method}.json").read_text())


def write(method: str, golden: Golden) -> None:
    """Write the golden file of a method, a line for an output's values."""
    data = golden.model_dump(mode="json", exclude_defaults=True)
    text = json.dumps(data, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda array: " ".join(array[0].split()), text)
    (FOLDER / f"{method}.json").write_text(text + "\n")


def fill(
    module: nn.Module, seed: int, gain: float = 1.0, keep: Collection[int] = frozenset()
) -> None:
    """Give a network weights that follow from the seed and our names of them alone.

    Weights of convolutions and matrices are uniform with the deviation gain / sqrt(fan-in); scales
    and variances of normalisations lie between 0.5 and 1.5, other vectors within 0.1 of 0. Tensors
    whose `id` is in `keep` stay as they are.
    """
    normalisations = {
        f"{name}.{kind}".lstrip(".")
        for name, part in module.named_modules()
        if not isinstance(part, nn.modules.conv._ConvNd | nn.Linear)
        for kind in ("weight", "running_var")
    }
    with torch.no_grad():
        for name, tensor in module.state_dict(keep_vars=True).items():
            if tensor.is_floating_point() and id(tensor) not in keep:
                uniform = _uniform(seed, name, tuple(tensor.shape))  # in [-1, 1)
                if tensor.ndim > 1:
                    values = gain * math.sqrt(3 / max(1, tensor[0].numel())) * uniform
                elif name in normalisations:
                    values = 1 + 0.5 * uniform
                else:
                    values = 0.1 * uniform
                tensor.copy_(torch.from_numpy(np.asarray(values)))


def images(seed: int, shape: tuple[int, ...], brightest: float = 0.4) -> Tensor:
    """Return float32 images (N, 3, H, W) from 0 to `brightest`: even fields of 4 x 4 and noise."""
    count, channels, height, width = shape
    fields = _uniform(seed, "fields", (count, channels, -(-height // 4), -(-width // 4)))
    fields = fields.repeat(4, 2).repeat(4, 3)[..., :height, :width]
    noise = _uniform(seed, "noise", shape)
    values = brightest * (0.5 + 0.4 * fields + 0.1 * noise)
    return torch.from_numpy(values.astype(np.float32))


def batch(case: Case) -> Batch:
    """Return the dark images of a case, their references and the quality factor 80 for all."""
    dark = images(case.seed, case.shape)
    normal = images(case.seed, case.shape, brightest=1.0).flip(-1)
    return Batch(dark, normal, torch.full((case.shape[0],), 80))


def _uniform(seed: int, name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return 2 * random.random(shape) - 1


def filled(recipe: Recipe, seed: int, gain: float = 1.0) -> Recipe:
    """Fill the network of a recipe, and what its phases train besides."""
    fill(recipe.network, seed, gain)
    known = {id(value) for value in recipe.network.state_dict(keep_vars=True).values()}
    for phase in recipe.phases:
        fill(phase.module, seed, gain, known)
    return recipe


def by_recipe(method: str, case: Case) -> Outcome:
    """Run the recipe of a method: its prediction of the dark images, and its terms on the batch."""
    train = methods.find(method).train
    assert train is not None
    recipe = train(case.part, {}, **case.settings)
    return by_terms(filled(recipe, case.seed, case.gain), batch(case))


def by_terms(recipe: Recipe, inputs: Batch) -> Outcome:
    """Run a recipe whose weights are filled on a batch as its crops are."""
    recipe.network.eval()
    with torch.no_grad():
        predicted = recipe.predict(inputs.input, *([inputs.qf] if recipe.sees_qf else []))
    recipe.network.train()
    terms = {
        f"{phase.name}/{name}": value.item()
        for phase in recipe.phases
        for name, value in phase.loss(inputs).items()
    }
    return Outcome({"output": predicted}, terms)


def run(method: str, case: Case) -> Outcome:
    """Run what a case names."""
    if case.ours == "recipe":
        return by_recipe(method, case)
    function: Callable[[Case], Outcome] = getattr(
        importlib.import_module(f"tests.parity.{method}"), case.ours
    )
    return function(case)


def sampled(array: Tensor, tolerance: float) -> Sample:
    """Sample an array for a golden file."""
    step = -(-array.numel() // SAMPLES)
    step += 1 - step % 2 if step > 1 else 0  # odd, so that columns of even widths take turns
    return Sample(
        shape=tuple(array.shape),
        step=step,
        values=[float(f"{value:.8g}") for value in values(array, step).tolist()],
        mean=float(array.double().mean()),
        deviation=float(array.double().std(correction=0)),
        tolerance=tolerance,
    )


def values(array: Tensor, step: int) -> NDArray[np.float64]:
    """Return every `step`-th value in row-major order."""
    found: NDArray[np.float64] = array.detach().double().flatten()[::step].numpy()
    return found
