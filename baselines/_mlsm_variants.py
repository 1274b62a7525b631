"""What the variants of MLSM share: the method's own recipes with some settings fixed."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from baselines.mlsm import PARTS, QUICK, build, recipe
from benchmark.methods import Method, Plugin, plugin
from benchmark.training import Recipe


def declare(name: str, title: str, module: str, **fixed: Any) -> Plugin:
    """Return MLSM with some settings fixed as a method of its own.

    Args:
        name: The file's.
        title: How tables spell it.
        module: The file's `__name__`.
        fixed: Fields of `mlsm.config.Config`, or a `preset`; a profile cannot set them.
    """

    def train(part: str, trained: Mapping[str, Mapping[str, Tensor]], **settings: Any) -> Recipe:
        return recipe(part, trained, **settings | fixed)

    def method(state: Mapping[str, Tensor], **settings: Any) -> Method:
        return build(state, **settings | fixed)

    method.__name__, method.__module__ = name, module
    return plugin(
        "joint", cite="arXiv:2403.07622", title=title, train=train, parts=PARTS, quick=QUICK
    )(method)
