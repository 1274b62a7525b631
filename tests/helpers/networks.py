"""Recipes, batches and trainings that tests of several networks share."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmark import methods
from benchmark.core import jpeg
from benchmark.core.images import Image, to_float
from benchmark.training import Batch, Batches, Recipe, loop
from benchmark.training.loop import Run


def recipe(name: str, part: str = "model", quick: bool = True, **settings: Any) -> Recipe:
    """Return a recipe after earlier parts that were not trained, at its method's quick settings."""
    plugin, states = methods.find(name), {}
    settings = {**(plugin.quick if quick else {}), **settings}
    for each in plugin.parts[: plugin.parts.index(part) + 1]:
        torch.manual_seed(0)
        made = plugin.train(each, states, **settings)
        states[each] = made.network.state_dict()
    return made


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def squares(number: int = 2, side: int = 24, cell: int = 4) -> Tensor:
    """Return the same images of flat squares, (N, 3, side, side) in [0, 1], each time."""
    generator = torch.Generator().manual_seed(0)
    cells = torch.rand(number, 3, side // cell, side // cell, generator=generator)
    return nn.functional.interpolate(cells, scale_factor=cell)


def dark(side: int = 24) -> Batch:
    """Return two dark images that are their own references."""
    image = 0.3 * squares(2, side)
    return Batch(image, image, torch.full((2,), 80))


def pairs(side: int = 32) -> Batch:
    """Return two normal-light images, and the same at a fifth of the light."""
    normal = 0.2 + 0.7 * squares(2, side, 8)
    return Batch(0.2 * normal, normal, torch.full((2,), 80))


def compressed(*qfs: int) -> Batch:
    """Return compressed patches of random colour, 24 x 24, and what they were before."""
    cells = np.random.default_rng(0).integers(0, 256, (len(qfs), 4, 4, 3), np.uint8)
    originals = cells.repeat(6, 1).repeat(6, 2)
    inputs = np.stack([jpeg.compress(p, qf) for p, qf in zip(originals, qfs, strict=True)])
    sides = [torch.from_numpy(to_float(p)).permute(0, 3, 1, 2) for p in (inputs, originals)]
    return Batch(*sides, torch.tensor(qfs))


def tensor(image: Image) -> Tensor:
    """Turn an image (H, W, 3) into a batch (1, 3, H, W)."""
    return torch.from_numpy(image).permute(2, 0, 1)[None]


def trained(
    made: Recipe, batch: Batch, steps: int, folder: Path, rate: float | None = None, **run: int
) -> list[dict[str, float]]:
    """Train and validate on one batch, at another rate if one is given; returns the log."""
    if rate:
        phases = (replace(each, optimiser=partial(each.optimiser, lr=rate)) for each in made.phases)
        made = replace(made, phases=tuple(phases))
    return loop.train(made, Batches(lambda *_: batch, (batch,)), Run(steps, 0, folder, **run))


def silent(network: nn.Module) -> list[str]:
    """Return the parameters that no gradient has reached."""
    parameters = network.named_parameters()
    return [n for n, p in parameters if p.grad is None or not p.grad.abs().sum() > 0]


def assert_is_method(network: nn.Module, name: str, atol: float = 1e-6, **settings: Any) -> None:
    """Hold a method that is given a network's weights against the network, on odd sizes."""
    method = methods.find(name)(network.state_dict(), **settings)
    for size in ((9, 5), (19, 25)):
        image = to_float(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
        with torch.no_grad():
            expected = network.eval()(tensor(image))[0].permute(1, 2, 0).clamp(0, 1)
        np.testing.assert_allclose(method(image), expected.numpy(), atol=atol)
