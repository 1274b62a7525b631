"""One training: a method's recipe with a profile's choices, run on lists of images."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning_fabric
import torch
from torch import Tensor

from benchmark.core import numerics
from benchmark.data.inputs import TrainingImage
from benchmark.training import crops, loop
from benchmark.training import recipe as training

if TYPE_CHECKING:
    from benchmark.core.params import Training
    from benchmark.methods import Plugin


def recipe(
    plugin: "Plugin", part: str, earlier: Mapping[str, Any], chosen: "Training", budget: loop.Run
) -> training.Recipe:
    """Return how a method trains a part, with a profile's choices instead of the published ones.

    Args:
        plugin: The method.
        part: Which of its parts.
        earlier: State dicts of its parts that are trained already, by name.
        chosen: What the profile sets: batch, rates, the method's settings.
        budget: Its seed and precision are those of the initial weights.
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
    recipe: training.Recipe,
    images: Mapping[str, list[TrainingImage]],
    unpaired: Sequence[Path],
    budget: loop.Run,
    threads: int | None = None,
    devices: int = 1,
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Train a part and return its state dict, real numbers in float32, and the log.

    Args:
        recipe: Networks, losses, optimisers; its initial weights follow from the seed.
        images: Split (`train`, `validation`) -> images.
        unpaired: Normal-light images; where there are some, targets are drawn from these.
        budget: Steps, seed, precision, and the folder of an unfinished run.
        threads: Of the CPU; None lets the suite choose.
        devices: How many processes or accelerators share the batch.
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
    batches = training.Batches(source.draw, held_out)
    log = loop.train(recipe, batches, budget, lightning_fabric.Fabric(devices=devices))
    state = recipe.network.state_dict()
    return {name: _stored(value) for name, value in state.items()}, log


def _stored(value: Tensor) -> Tensor:
    """Return a trained tensor as methods load it: real numbers in float32."""
    return value.cpu().float() if value.is_floating_point() else value.cpu()
