"""What the studies measure: a profile's validation images and its trained networks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from benchmark import ROOT
from benchmark.core.images import read_uint8, to_float
from benchmark.core.params import Params, Training
from benchmark.methods import checkpoints
from benchmark.training import plan
from mlsm.config import from_dict
from mlsm.model import MLSM
from mlsm.vae import VAE

DOMAINS = ("dark", "normal")


class Pictures(NamedTuple):
    """Validation images, (1, 3, H, W) in [0, 1], one entry for each image."""

    dark: list[Tensor]
    compressed: list[Tensor]
    normal: list[Tensor]
    qf: int


def tensor(path: Path) -> Tensor:
    """Read an image as (1, 3, H, W) in [0, 1]."""
    return torch.from_numpy(to_float(read_uint8(path))).permute(2, 0, 1)[None].contiguous()


def pictures(params: Params, data: plan.TrainingData, qf: int) -> Pictures:
    """Return the profile's validation pairs, compressed at one quality factor."""
    pairs = plan.items(data, "pairs", [qf])["validation"]
    same = plan.items(data, "dark", [qf])["validation"]
    return Pictures(
        [tensor(item.target) for item in same],
        [tensor(item.inputs[qf]) for item in pairs],
        [tensor(item.target) for item in pairs],
        qf,
    )


class Subject(NamedTuple):
    """The trained networks of the profile."""

    model: MLSM
    dark: VAE
    normal: VAE


def subject(folder: Path) -> Subject:
    """Load the profile's MLSM and its VAEs."""
    whole = checkpoints.load(checkpoints.trained_path(folder, "mlsm"), "mlsm")
    model = MLSM(from_dict(whole.settings))
    model.load_state_dict(whole.state)
    vaes = []
    for domain in DOMAINS:
        part = f"vae_{domain}"
        checkpoint = checkpoints.load(checkpoints.trained_path(folder, "mlsm", part), "mlsm", part)
        vae = VAE(from_dict(checkpoint.settings))
        vae.load_state_dict(checkpoint.state)
        vaes.append(vae.eval().requires_grad_(False))
    return Subject(model.eval().requires_grad_(False), *vaes)


def trained(
    params: Params,
    data: plan.TrainingData,
    method: str,
    part: str,
    steps: int,
    settings: Mapping[str, Any] | None = None,
    before: Mapping[str, checkpoints.Checkpoint] | None = None,
) -> tuple[checkpoints.Checkpoint, list[dict[str, float]]]:
    """Train a part of a method for a study; a finished training is read from the cache.

    Args:
        params: The profile.
        data: Training images.
        method: Name of the plugin.
        part: Name of the part.
        steps: Number of training steps.
        settings: Settings that differ from the profile's settings of the method.
        before: The method's other, trained parts if this is the last one.

    Returns:
        The checkpoint and the training log.
    """
    default = params.training_of(method, part)
    own = {**default.settings, **(settings or {})}
    whole = params.training[method].model_copy(update={"settings": own})
    brief = default.model_copy(update={"steps": steps, "settings": own, "parts": whole.parts})
    if part != "model":
        brief = whole.model_copy(update={"parts": whole.parts | {part: brief}})
    return trained_as(params, data, method, part, brief, before)


def trained_as(
    params: Params,
    data: plan.TrainingData,
    method: str,
    part: str,
    chosen: Training,
    before: Mapping[str, checkpoints.Checkpoint] | None = None,
) -> tuple[checkpoints.Checkpoint, list[dict[str, float]]]:
    """Train a part of a method with settings of the study's own; see `trained`.

    Args:
        params: The profile.
        data: Training images.
        method: Name of the plugin.
        part: Name of the part.
        chosen: The method's settings, in place of the profile's.
        before: The method's other, trained parts if this is the last one.
    """
    changed = params.model_copy(update={"training": params.training | {method: chosen}})
    return plan.train_part(changed, method, part, data, ROOT / ".cache" / "training", before)
