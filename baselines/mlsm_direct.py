"""MLSM without mapping networks: "w/o M" of Table V, an autoencoder from dark to normal light."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from benchmark.methods import Method, from_network, plugin
from benchmark.training import Recipe
from mlsm import recipes
from mlsm.config import from_dict
from mlsm.model import Direct


def recipe(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
    """Train the one part there is; the settings are those of `baselines/mlsm.py`."""
    return recipes.direct(from_dict(settings))


@plugin(
    "joint",
    cite="arXiv:2403.07622",
    title="MLSM without mapping",
    train=recipe,
    quick={"width": 8, "discriminator_width": 8},
)
def mlsm_direct(state: Mapping[str, Tensor], **settings: Any) -> Method:
    """Brighten and deblock with a trained autoencoder."""
    network = Direct(from_dict(settings))
    network.load_state_dict(state)
    return from_network(network)
