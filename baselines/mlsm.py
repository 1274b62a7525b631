"""MLSM, the paper's own method: multiple latent space mapping.

Two multi-level VAEs, one of compressed dark images and one of normal-light images, and mapping
networks between their latents. The networks, losses and recipes are the package `mlsm`.
Source: arXiv:2403.07622.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from benchmark.methods import Method, from_network, plugin
from benchmark.training import Recipe
from mlsm import recipes
from mlsm.config import from_dict
from mlsm.model import MLSM

QUICK = {"width": 8, "discriminator_width": 8}
PARTS = ("vae_dark", "vae_normal", "model")


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train one part; the settings are fields of `mlsm.config.Config`, or a `preset` of them."""
    config = from_dict(settings)
    if part == "vae_dark":
        return recipes.vae_dark(config)
    if part == "vae_normal":
        return recipes.vae_normal(config)
    return recipes.mapping(config, trained["vae_dark"], trained["vae_normal"])


def build(state: Mapping[str, Tensor], **settings: Any) -> Method:
    """Make the method of trained weights; the variants of MLSM are built the same way."""
    model = MLSM(from_dict(settings))
    model.load_state_dict(state)
    return from_network(model)


@plugin(
    "joint",
    cite="arXiv:2403.07622",
    title="MLSM",
    train=recipe,
    parts=PARTS,
    quick=QUICK,
)
def mlsm(state: Mapping[str, Tensor], **settings: Any) -> Method:
    """Brighten and deblock with trained VAEs and mapping networks."""
    return build(state, **settings)
