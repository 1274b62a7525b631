"""Training: recipes of methods, and the one loop that all of them run through."""

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
