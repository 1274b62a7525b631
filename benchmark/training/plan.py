"""Train the parts of a method on a profile's merged data and return their checkpoints."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from benchmark.core import code_digest, jpeg
from benchmark.core.errors import InputError
from benchmark.core.hashing import digest_values
from benchmark.core.params import Params
from benchmark.data import compression, inputs, manifest
from benchmark.data.lists import TRAIN_LISTS, PathResolver
from benchmark.methods import Plugin, checkpoints, find
from benchmark.training import fit, flatness, loop
from benchmark.training.recipe import Recipe

_LISTS = {
    "dark": (("vae_dark", "dark", "dark"),),
    "normal": (("vae_normal", "normal", "normal"),),
    "both": (("vae_dark", "dark", "dark"), ("vae_normal", "normal", "normal")),
    "pairs": (("mapping_pairs", "dark", "normal"),),
    "unpaired": (("mapping_pairs", "dark", "normal"),),
}
"""Source of a recipe -> merged lists, each with its columns of inputs and targets."""


class TrainingData(NamedTuple):
    """A profile's training images.

    Attributes:
        lists: Folder of the merged training lists; test lists lie elsewhere, so that training
            cannot read them.
        jpegs: Folder of the compressed training images.
        places: Resolver of the paths of the original images.
    """

    lists: Path
    jpegs: Path
    places: PathResolver


def training_data(params: Params) -> TrainingData:
    """Return where a profile's training images lie."""
    lists, jpegs = params.work / "merge" / "train", params.work / "jpeg" / "train"
    return TrainingData(lists, jpegs, PathResolver.of(params))


def items(data: TrainingData, source: str, qfs: list[int]) -> dict[str, list[inputs.TrainingImage]]:
    """Return split (`train`, `validation`) -> the images for a recipe with this source."""
    images: dict[str, list[inputs.TrainingImage]] = {"train": [], "validation": []}
    for name, side, target in _LISTS[source]:
        listed = manifest.read_manifest(data.lists / f"{name}.csv")
        of_list = compression.items(listed, side, target, qfs, data.jpegs, data.places)
        for split in images:
            images[split] += of_list[split]
    return images


def normal_light(data: TrainingData) -> list[Path]:
    """Return the normal-light images that serve as unpaired targets, without validation images."""
    listed = manifest.read_manifest(data.lists / "vae_normal.csv")
    chosen = listed[listed["split"] == "train"]
    return [data.places.locate(cell) for cell in chosen["normal"]]


def identity(params: Params, method: str, part: str, data: TrainingData) -> dict[str, Any]:
    """Return everything that determines the weights of a part, except library versions.

    Trainings of equal identity give the same weights, so an existing one is not repeated.

    Raises:
        InputError: The method has no such part or the profile does not train it.
    """
    plugin = find(method)
    if plugin.train is None or part not in plugin.parts:
        raise InputError(f"Method {method} has no part {part!r}: it has {list(plugin.parts)}.")
    settings = params.training_of(method, part)
    taken = sorted(set(settings.settings) & set(plugin.fixed))
    if taken:
        raise InputError(
            f"Method {method} is a variant that fixes {taken[0]} to {plugin.fixed[taken[0]]!r}: "
            f"leave it out of training.{method}.settings."
        )
    own = {"schedule": "linear", "ema": None, "keep": "last", "precision": "32-true"}
    return {
        "method": method,
        "part": part,
        "code": code_digest.code(fit.__name__, jpeg.__name__, plugin.module),
        "lists": _LISTS,
        "settings": {**settings.settings, **plugin.fixed},
        "steps": settings.steps,
        "batch": settings.batch,
        "crop_px": settings.crop,
        "rate_factor": settings.rate_factor,
        "qfs": settings.qfs or list(params.train_qfs),
        "seed": params.seed,
        "threads": params.threads,
        "data": _data_digest(data),
        **{
            key: getattr(settings, key)
            for key, usual in own.items()
            if getattr(settings, key) != usual
        },
        "before": {
            name: identity(params, method, name, data) for name in parts_before(plugin, part)
        },
    }


def is_trained(checkpoint: checkpoints.Checkpoint, expected: Mapping[str, Any]) -> bool:
    """Return True if a checkpoint came from a training of this identity."""
    return bool(checkpoint.record.get("identity") == digest_values(expected))


def trainings(params: Params, names: Sequence[str] | None = None) -> list[tuple[str, int]]:
    """Return methods with the seeds that they are trained with; further seeds come last.

    Args:
        params: The profile.
        names: Some of its methods; None for all.
    """
    chosen = list(params.training if names is None else names)
    further = [(name, seed) for name in chosen for seed in params.training[name].seeds]
    return [*((name, params.seed) for name in chosen), *further]


def train_part(
    params: Params,
    method: str,
    part: str,
    data: TrainingData,
    state: Path,
    before: Mapping[str, checkpoints.Checkpoint] | None = None,
) -> tuple[checkpoints.Checkpoint, list[dict[str, float]]]:
    """Train one part of a method.

    Args:
        params: The profile.
        method: The plugin's name.
        part: Name of the part.
        data: Training images.
        state: Folder of unfinished runs; a killed run is resumed by the next call.
        before: Checkpoints of the parts that this part is built on.

    Returns:
        The checkpoint and the training log.

    Raises:
        InputError: The method has no such part or the profile does not train it.
    """
    known = identity(params, method, part, data)
    plugin, settings = find(method), params.training_of(method, part)
    trained = {name: checkpoint.state for name, checkpoint in (before or {}).items()}
    run = loop.Run(
        steps=settings.steps,
        seed=params.seed,
        folder=state / digest_values([known, _versions()])[:32],
        validate_every=_validate_every(settings.steps),
        label=f"{method} {part}" if part != "model" else method,
        precision=settings.precision or params.precision,
    )
    try:
        recipe = fit.recipe(plugin, part, trained, settings, run)
    except TypeError as error:
        raise InputError(
            f"Method {method} cannot be trained with training.{method}.settings "
            f"{dict(settings.settings)} ({error}): see its file for the settings that it has."
        ) from error
    images = items(data, recipe.source, known["qfs"])
    unpaired = normal_light(data) if recipe.source == "unpaired" else ()
    kept, log = fit.run(recipe, images, unpaired, run, params.threads, params.devices)
    record = _record(params, recipe, known)
    record["images"] = {split: len(listed) for split, listed in images.items()}
    record["threads"] = torch.get_num_threads()
    record["kept_step"] = _kept_step(recipe, log)
    record["steps"] = int(log[-1]["step"])
    record["flat_at"] = _flat_at(recipe, log, settings.steps)
    record["minutes"] = round(loop.seconds(run) / 60, 1)
    return checkpoints.Checkpoint(method, part, settings.settings, kept, record), log


def _validate_every(steps: int) -> int:
    """Return the steps between validations of a budget, a multiple of those between log rows."""
    rows = round(steps / flatness.VALIDATIONS / loop.Run.log_every)
    return max(loop.Run.validate_every, rows * loop.Run.log_every)


def _flat_at(recipe: Recipe, log: list[dict[str, float]], budget: int) -> int | None:
    """Return the step at which the validation curve was flat, or None if it never was."""
    end = int(log[-1]["step"])
    if recipe.schedule != "until_flat" or end == budget:
        return None
    return next(int(row["step"]) for row in log if flatness.end(int(row["step"])) == end)


def _kept_step(recipe: Recipe, log: list[dict[str, float]]) -> int:
    """Return the step whose weights the training kept."""
    validated = [row for row in log if "validation_psnr" in row]
    if recipe.keep == "last" or not validated:
        return int(log[-1]["step"])
    return int(max(validated, key=lambda row: row["validation_psnr"])["step"])


def train_method(
    params: Params,
    method: str,
    data: TrainingData,
    state: Path,
    kept: Mapping[str, tuple[checkpoints.Checkpoint, list[dict[str, Any]]]] | None = None,
) -> tuple[dict[str, checkpoints.Checkpoint], list[dict[str, Any]]]:
    """Train every part of a method, one after the other.

    Args:
        params: The profile.
        method: The plugin's name.
        data: Training images.
        state: Folder of unfinished runs.
        kept: Parts that are already trained with this identity, with their rows of the log.

    Returns:
        Part -> checkpoint, and the logs of all parts; if the method has several, each row has a
        column `part`.

    Raises:
        InputError: The profile does not train the method or one of its parts.
    """
    trained: dict[str, checkpoints.Checkpoint] = {}
    rows: list[dict[str, Any]] = []
    plugin = find(method)
    for part in plugin.parts or ("model",):
        before = {name: trained[name] for name in parts_before(plugin, part)}
        if kept and part in kept:
            trained[part], log = kept[part]
        else:
            trained[part], log = train_part(params, method, part, data, state, before)
        rows += [{"part": part} | row for row in log] if len(plugin.parts) > 1 else log
    return trained, rows


def trained_already(
    params: Params, method: str, data: TrainingData, folder: Path, logs: Path
) -> dict[str, tuple[checkpoints.Checkpoint, list[dict[str, Any]]]]:
    """Return the parts of a method that are already trained with their present identity.

    Args:
        params: The profile.
        method: The plugin's name.
        data: Training images.
        folder: Folder of the weights.
        logs: Folder of the training logs.
    """
    path = logs / f"{method}.csv"
    log = pd.read_csv(path) if path.is_file() else pd.DataFrame()
    trained = {}
    for part in find(method).parts or ("model",):
        file = checkpoints.trained_path(folder, method, part)
        of_part = log[log["part"] == part].drop(columns="part") if "part" in log else log
        if not file.is_file() or of_part.empty:
            continue
        checkpoint = checkpoints.load(file, method, part)
        if is_trained(checkpoint, identity(params, method, part, data)):
            cells = of_part.to_dict("records")
            rows = [{str(k): v for k, v in row.items() if v == v} for row in cells]
            trained[part] = (checkpoint, rows)
    return trained


def parts_before(plugin: Plugin, part: str) -> tuple[str, ...]:
    """Return the parts that a part is built on: all others for the last part, none otherwise."""
    return plugin.parts[:-1] if part == plugin.parts[-1] else ()


def _record(params: Params, recipe: Recipe, known: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a training that is stored in the checkpoint."""
    until_flat = recipe.schedule == "until_flat"
    return {
        "identity": digest_values(known),
        "profile": params.profile,
        "part": known["part"],
        "code": known["code"],
        "settings": known["settings"],
        "source": recipe.source,
        "batch": recipe.batch,
        "crop_px": recipe.crop,
        "budget_steps": known["steps"],
        "published_steps": recipe.steps,
        "rate_factor": known["rate_factor"],
        "schedule": recipe.schedule if recipe.decay or until_flat else "constant",
        "ema": recipe.ema,
        "keep": recipe.keep,
        "qfs": known["qfs"],
        "seed": known["seed"],
        "precision": known.get("precision", "32-true"),
        "parameters": sum(value.numel() for value in recipe.network.parameters()),
        "data": known["data"],
        "before": {name: digest_values(part) for name, part in known["before"].items()},
        "versions": _versions(),
    }


def _versions() -> dict[str, str]:
    """Return the library versions that can change the result of a training."""
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # its own type is not a plain value
        "numpy": np.__version__,
    }


def _data_digest(data: TrainingData) -> str:
    """Return the SHA-256 over the contents and splits of all training images, in order."""
    columns = ["split", "dark_sha256", "normal_sha256"]
    lists = [manifest.read_manifest(data.lists / f"{name}.csv") for name in TRAIN_LISTS]
    return digest_values([listed[columns].to_numpy().tolist() for listed in lists])
