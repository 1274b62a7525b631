"""What a learned method says of its training: networks, losses, optimisers, crops.

`benchmark.training.loop` trains from it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmark.core.images import Bytes
from benchmark.core.types import Keep, Schedule

Source = Literal["dark", "normal", "both", "pairs", "unpaired"]
Optimiser: TypeAlias = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
Terms: TypeAlias = Mapping[str, Tensor]
Change: TypeAlias = Callable[[Bytes], NDArray[np.uint8] | NDArray[np.float32]]


class Whole(NamedTuple):
    """What is done to whole decoded images before crops are cut from them.

    A method that stretches an image by its smallest and largest value, or equalises its histogram,
    does so with the whole image where it is used, and must see crops of such images in training.
    Each function takes uint8 (H, W, 3) and returns (H, W, C), uint8 or float32 in [0, 1]; channels
    beyond the image's own may follow. None leaves the image as it is.

    Attributes:
        input: Of the compressed images.
        target: Of the images that outputs are compared with, in validation too.
    """

    input: Change | None = None
    target: Change | None = None


UNCHANGED = Whole()


class Batch(NamedTuple):
    """Aligned crops, float32 [0, 1], cut from images that `Recipe.whole` was applied to.

    Attributes:
        input: (N, 3, c, c), or with the channels that `whole` adds, JPEG-compressed: dark images,
            normal-light ones where the recipe's source is `normal`, either where it is `both`.
        target: (N, 3, c, c): with source `pairs` the normal-light image, with `unpaired` a crop
            of some other normal-light image (in validation that of the pair), else the same image
            before compression.
        qf: (N,) quality factors of the inputs, int64.
    """

    input: Tensor
    target: Tensor
    qf: Tensor


class Batches(NamedTuple):
    """Where the loop gets crops from; `benchmark.training.crops.Crops` makes both.

    Attributes:
        draw: `draw(step, process)` gives the training batch of a step, always the same one.
        validation: Fixed batches that no training step sees; may be empty.
    """

    draw: Callable[[int, int], Batch]
    validation: Sequence[Batch]


@dataclass(frozen=True)
class Phase:
    """One optimiser and what it minimises; a GAN has two phases a step.

    Attributes:
        name: Column prefix in the log.
        module: Whose parameters the phase updates.
        loss: Named terms, already weighted; their sum is minimised.
        optimiser: Such as `functools.partial(torch.optim.Adam, lr=2e-4)`.
        clip: Largest gradient norm, or None.
    """

    name: str
    module: nn.Module
    loss: Callable[[Batch], Terms]
    optimiser: Optimiser
    clip: float | None = None


@dataclass(frozen=True)
class Recipe:
    """How one part of a method is trained.

    Attributes:
        network: What is saved and later built from; phases may hold further modules.
        phases: Run one after the other in every step.
        source: Which crops; see `Batch`.
        batch: Crops a step, all processes together.
        crop: Side of a crop in pixels.
        steps: The published budget in steps; a profile may set another.
        predict: From a batch's input to an image, (N, 3, H, W) in [0, 1]; validation compares it
            with the target.
        sees_qf: Whether `predict` also takes the quality factors, as deblockers that are given the
            quantisation tables do.
        warmup: Steps over which the learning rate rises from 0.
        decay: Whether the learning rate falls to 0 at the end of the budget.
        schedule: How it falls.
        rate_factor: Multiplies the learning rates of all phases.
        ema: Decay of the running average of weights that is saved instead of the last, or None.
        keep: Which weights are the result: the last, or those of the best validation PSNR.
        whole: What is done to whole images before crops are cut.
    """

    network: nn.Module
    phases: tuple[Phase, ...]
    source: Source
    batch: int
    crop: int
    steps: int
    predict: Callable[..., Tensor]
    warmup: int = 0
    decay: bool = True
    schedule: Schedule = "linear"
    ema: float | None = None
    keep: Keep = "last"
    rate_factor: float = 1.0
    sees_qf: bool = False
    whole: Whole = UNCHANGED

    def factor(self, step: int, budget: int) -> float:
        """Return what the learning rate is multiplied by at a step of a budget."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        fall = _FALL[self.schedule](step / budget) if self.decay else 1.0
        return self.rate_factor * rise * fall


_FALL: Mapping[Schedule, Callable[[float], float]] = {
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
}
"""Schedule -> factor at a share of the budget in [0, 1]."""
