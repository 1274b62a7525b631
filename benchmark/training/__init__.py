"""Training: the recipes of methods and the loop that trains all of them."""

from benchmark.training.recipe import (
    UNCHANGED,
    Batch,
    Batches,
    Change,
    Optimiser,
    Phase,
    Recipe,
    Source,
    Terms,
    Whole,
)

__all__ = [
    "UNCHANGED",
    "Batch",
    "Batches",
    "Change",
    "Optimiser",
    "Phase",
    "Recipe",
    "Source",
    "Terms",
    "Whole",
]
