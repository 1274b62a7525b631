"""Training of one part of a method on a profile's merged data, and the checkpoint it leaves."""

import dataclasses
import platform
from pathlib import Path
from typing import Any, NamedTuple

import lightning_fabric
import numpy as np
import torch

from benchmark import compression, crops, loop, pairs, provenance, training, weights
from benchmark.digests import digest_values, sha256
from benchmark.errors import InputError
from benchmark.merge import Places
from benchmark.methods import Plugin, find
from benchmark.params import Params, Training

_LISTS = {
    "dark": (("vae_dark", "dark", "dark"),),
    "normal": (("vae_normal", "normal", "normal"),),
    "both": (("vae_dark", "dark", "dark"), ("vae_normal", "normal", "normal")),
    "pairs": (("mapping_pairs", "dark", "normal"),),
}
"""Source of a recipe -> merged list, column of the input, column of the target."""


class Data(NamedTuple):
    """A profile's training images.

    Attributes:
        lists: Folder of the merged training lists; test lists lie elsewhere, out of reach.
        jpegs: Folder of the compressed training images.
        places: Where the originals lie.
    """

    lists: Path
    jpegs: Path
    places: Places


def items(data: Data, source: str, qfs: list[int]) -> dict[str, list[compression.Item]]:
    """Return split (`train`, `validation`) -> the images a recipe of this source learns from."""
    made: dict[str, list[compression.Item]] = {"train": [], "validation": []}
    for name, side, target in _LISTS[source]:
        listed = pairs.read_manifest(data.lists / f"{name}.csv")
        found = compression.items(listed, side, target, qfs, data.jpegs, data.places)
        for split in made:
            made[split] += found[split]
    return made


def fit(
    params: Params, method: str, part: str, data: Data, state: Path
) -> tuple[weights.Checkpoint, list[dict[str, float]]]:
    """Train one part of a method.

    Args:
        params: The profile.
        method: The plugin's name.
        part: Which of its parts; before the last one all others must be trained.
        data: Training images.
        state: Folder for unfinished runs; a run killed here goes on when it is asked for again.

    Returns:
        The checkpoint and the training log.

    Raises:
        InputError: The method has no such part or the profile does not train it.
    """
    plugin = find(method)
    if plugin.train is None or part not in plugin.parts:
        raise InputError(f"Method {method} has no part {part!r}: it has {list(plugin.parts)}.")
    wanted = params.training_of(method, part)
    before = plugin.parts[:-1] if part == plugin.parts[-1] else ()
    paths = {name: weights.trained_path(params.weights, method, name) for name in before}
    trained = {name: weights.load(path).state for name, path in paths.items()}
    torch.manual_seed(params.seed)
    recipe = _adjusted(plugin.train(part, trained, **wanted.settings), wanted)
    found = items(data, recipe.source, params.train_qfs)
    record = _record(params, plugin, part, recipe, wanted)
    record["images"] = {split: len(listed) for split, listed in found.items()}
    record["data"] = _data_digest(data, recipe.source)
    record["before"] = {name: sha256(path) for name, path in paths.items()}
    run = loop.Run(
        steps=wanted.steps,
        seed=params.seed,
        folder=state / digest_values(record)[:32],
        label=f"{method} {part}" if part != "model" else method,
    )
    if params.threads is not None:
        torch.set_num_threads(params.threads)
    record["threads"] = torch.get_num_threads()
    source = crops.Crops(found["train"], recipe.crop, recipe.batch, params.seed)
    batches = training.Batches(source.draw, crops.validation(found["validation"]))
    fabric = lightning_fabric.Fabric(devices=params.devices)
    log = loop.train(recipe, batches, run, fabric)
    kept = {name: value.cpu() for name, value in recipe.network.state_dict().items()}
    return weights.Checkpoint(method, part, wanted.settings, kept, record), log


def _adjusted(recipe: training.Recipe, wanted: Training) -> training.Recipe:
    """Return the recipe with the profile's batch, crop and rates instead of the published ones."""
    return dataclasses.replace(
        recipe,
        batch=wanted.batch or recipe.batch,
        crop=wanted.crop or recipe.crop,
        rate_factor=wanted.rate_factor,
    )


def _record(
    params: Params, plugin: Plugin, part: str, recipe: training.Recipe, wanted: Training
) -> dict[str, Any]:
    """Return how the part is trained: all that its weights depend on but the images."""
    changed = {} if wanted.rate_factor == 1.0 else {"rate_factor": wanted.rate_factor}
    return changed | {
        "profile": params.profile,
        "code": provenance.code_digest(plugin.module),
        "settings": dict(wanted.settings),
        "part": part,
        "source": recipe.source,
        "batch": recipe.batch,
        "crop_px": recipe.crop,
        "steps": wanted.steps,
        "published_steps": recipe.steps,
        "qfs": list(params.train_qfs),
        "seed": params.seed,
        "parameters": sum(value.numel() for value in recipe.network.parameters()),
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),  # its own type is not a plain value
            "numpy": np.__version__,
        },
    }


def _data_digest(data: Data, source: str) -> str:
    names = sorted({name for name, _, _ in _LISTS[source]})
    return digest_values([sha256(data.lists / f"{name}.csv") for name in names])
