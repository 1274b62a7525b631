"""Run one training: a method's recipe with a profile's settings on lists of images."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from benchmark.core import numerics
from benchmark.data.inputs import TrainingImage
from benchmark.training import crops, loop, processes
from benchmark.training.recipe import Batches, Recipe

if TYPE_CHECKING:
    from benchmark.core.params import Training
    from benchmark.methods import Plugin


def recipe(
    plugin: "Plugin", part: str, earlier: Mapping[str, Any], chosen: "Training", budget: loop.Run
) -> Recipe:
    """Return a method's recipe for a part, with the profile's settings instead of published ones.

    Args:
        plugin: The method.
        part: Name of the part.
        earlier: Name -> state dict of the parts that are already trained.
        chosen: Settings of the profile: batch, learning rates, the method's own settings.
        budget: The run; its seed and precision determine the initial weights.
    """
    assert plugin.train is not None  # who asks has refused methods without parts
    torch.manual_seed(budget.seed)
    with loop.precise(budget.precision):
        published = plugin.train(part, earlier, **chosen.settings)
    return dataclasses.replace(
        published,
        batch=chosen.batch or published.batch,
        crop=chosen.crop or published.crop,
        rate_factor=chosen.rate_factor,
        schedule=chosen.schedule,
        ema=chosen.ema or published.ema,
        keep=chosen.keep,
    )


def run(
    recipe: Recipe,
    images: Mapping[str, list[TrainingImage]],
    unpaired: Sequence[Path],
    budget: loop.Run,
    threads: int | None = None,
    devices: int = 1,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train a part and return its state dict, with real numbers in float32, and the log.

    Args:
        recipe: Networks, losses and optimisers, with initial weights that follow from the seed.
        images: Split (`train`, `validation`) -> images.
        unpaired: Unpaired normal-light images; if given, targets are cropped from these.
        budget: Steps, seed, precision, and the folder of an unfinished run.
        threads: Number of CPU threads; None takes `numerics.cores`.
        devices: Number of processes or accelerators that share a batch.
    """
    numerics.use_threads(threads)
    source = crops.CropSampler(
        images["train"],
        recipe.crop,
        recipe.batch,
        budget.seed,
        others=unpaired,
        whole=recipe.whole,
    )
    held_out = crops.validation(images["validation"], whole=recipe.whole)
    batches = Batches(source.draw, held_out)
    log = loop.train(recipe, batches, budget, processes.processes(devices))
    state = recipe.network.state_dict()
    return {name: _stored(value) for name, value in state.items()}, log


def _stored(value: Tensor) -> Tensor:
    """Convert a trained tensor to what methods load: real numbers in float32."""
    return value.cpu().float() if value.is_floating_point() else value.cpu()
