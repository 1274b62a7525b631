"""Training recipes: the networks, losses, optimisers and crops of a learned method.

`benchmark.training.loop` trains a network from its recipe.
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
    """Transforms of whole decoded images, applied before crops are cut from them.

    A method that stretches an image by its smallest and largest value, or equalises its histogram,
    does so with the whole image at inference, so it must be trained on crops of such images. Each
    function takes uint8 (H, W, 3) and returns (H, W, C), uint8 or float32 in [0, 1]; C may exceed
    3. None leaves the image unchanged.

    Attributes:
        input: Transform of the compressed images.
        target: Transform of the images that outputs are compared with, in validation as well.
    """

    input: Change | None = None
    target: Change | None = None


UNCHANGED = Whole()


class Batch(NamedTuple):
    """A batch of aligned crops, float32 [0, 1], cut after `Recipe.whole` was applied.

    Attributes:
        input: (N, 3, c, c), or with the channels that `whole` adds: crops of JPEG-compressed
            images, which are dark images, normal-light images if the recipe's source is `normal`,
            or both if it is `both`.
        target: (N, 3, c, c): with source `pairs` the normal-light image, with `unpaired` a crop
            of some other normal-light image (in validation that of the pair), otherwise the same
            image before compression.
        qf: (N,) quality factors of the inputs, int64.
    """

    input: Tensor
    target: Tensor
    qf: Tensor


class Batches(NamedTuple):
    """Sources of crops for the loop; see `benchmark.training.crops`.

    Attributes:
        draw: `draw(step, process)` returns the training batch of a step, the same on every call.
        validation: Fixed batches that no training step sees; may be empty.
    """

    draw: Callable[[int, int], Batch]
    validation: Sequence[Batch]


@dataclass(frozen=True)
class Phase:
    """One optimiser and the loss that it minimises; a GAN has two phases per step.

    Attributes:
        name: Prefix of the phase's columns in the log.
        module: The module whose parameters the phase updates.
        loss: Function of a batch that returns named, already weighted terms; their sum is
            minimised.
        optimiser: Optimiser factory, for example `functools.partial(torch.optim.Adam, lr=2e-4)`.
        clip: Largest gradient norm, or None for no limit.
    """

    name: str
    module: nn.Module
    loss: Callable[[Batch], Terms]
    optimiser: Optimiser
    clip: float | None = None


@dataclass(frozen=True)
class Recipe:
    """The training of one part of a method.

    Attributes:
        network: The network whose weights are saved; phases may contain further modules.
        phases: Phases that run one after the other in every step.
        source: The images that crops are cut from; see `Batch`.
        batch: Number of crops per step, summed over all processes.
        crop: Side of a crop in pixels.
        steps: The published budget in steps; a profile may set another.
        predict: Function from a batch's input to an image, (N, 3, H, W) in [0, 1]; validation
            compares the image with the target.
        sees_qf: Whether `predict` also takes the quality factors, as it does for deblockers that
            need the quantisation tables.
        warmup: Number of steps over which the learning rate rises from 0.
        decay: Whether the learning rate falls to 0 at the end of the budget; with the schedule
            `until_flat` it always does.
        schedule: The curve along which it falls.
        rate_factor: Factor of the learning rates of all phases.
        ema: Decay of the running average of weights that is saved instead of the last weights, or
            None.
        keep: Which checkpoint to keep: the last, or the one with the best validation PSNR.
        whole: Transforms of whole images before crops are cut.
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

    def factor(self, step: int, budget: int, fall_from: int | None = None) -> float:
        """Return the factor of the learning rate at a step.

        Args:
            step: Number of steps before it.
            budget: Number of steps of the run.
            fall_from: With the schedule `until_flat`, the step from which the rate falls, or None
                as long as it does not.
        """
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        return self.rate_factor * rise * self._fall(step, budget, fall_from)

    def _fall(self, step: int, budget: int, fall_from: int | None) -> float:
        if self.schedule == "until_flat":
            if fall_from is None or step < fall_from:
                return 1.0
            return (budget - step) / (budget - fall_from) if step < budget else 0.0
        if not self.decay:
            return 1.0
        done = step / budget
        return 1.0 - done if self.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * done))
