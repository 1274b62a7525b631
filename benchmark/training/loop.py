"""The training loop of all learned methods, the paper's own and the baselines.

A run is a function of its inputs: the crops of step t and every random number drawn in it depend
only on (seed, t, process), so a run that was killed and resumed ends with the same weights as an
uninterrupted one. Gradients are averaged over processes, so the same code serves one CPU and
several nodes.
"""

import contextlib
import csv
import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from tqdm import tqdm

from benchmark.core import files
from benchmark.core.types import Precision
from benchmark.methods import checkpoints
from benchmark.training import flatness
from benchmark.training.processes import OneProcess, Processes
from benchmark.training.recipe import Batch, Batches, Phase, Recipe

STATE = "state.pt"


@dataclasses.dataclass(frozen=True)
class Run:
    """Budget, logging intervals and state folder of one training run.

    Attributes:
        steps: Budget in steps; with the schedule `until_flat` a run may end earlier.
        seed: Seed of initial weights, crops and noise.
        folder: Folder of the state of an unfinished run; its name must identify everything that
            distinguishes the run (settings, data).
        log_every: Steps between rows of the log; each row is a mean over these steps.
        validate_every: Steps between validations, a multiple of `log_every`.
        save_every: Steps between saves of the state.
        label: Label of the progress bar.
        precision: Precision of weights, activations and sums. Training in float32 amplifies the
            rounding of a CPU's sums from step to step; `64-true` gives the same weights on every
            machine that was tested, at four to eight times the time per step. `bf16-mixed` is for
            speed.
    """

    steps: int
    seed: int
    folder: Path
    log_every: int = 20
    validate_every: int = 100
    save_every: int = 100
    label: str = ""
    precision: Precision = "32-true"


@contextlib.contextmanager
def precise(precision: Precision) -> Iterator[None]:
    """Set the default precision of tensors created in the block: weights, noise, constants.

    Example:
        >>> with precise("64-true"):
        ...     print(torch.rand(1).dtype)
        torch.float64
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(_dtype(precision))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _dtype(precision: Precision) -> torch.dtype:
    return torch.float64 if precision == "64-true" else torch.float32


@dataclasses.dataclass
class _State:
    step: int = 0
    log: list[dict[str, float]] = dataclasses.field(default_factory=list)
    sums: dict[str, float] = dataclasses.field(default_factory=dict)
    best: dict[str, Any] = dataclasses.field(default_factory=dict)
    """`step`, `psnr` and `weights` of the best validation so far, if the recipe keeps the best."""
    fall_from: int | None = None
    """Step after which the rate falls, of the schedule `until_flat`; None before that."""
    seconds: float = 0.0


def seed_of(seed: int, step: int, process: int) -> int:
    """Return the seed of all random numbers of a step in one process."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + process)
    return int(torch.randint(2**31, (1,), generator=generator)) + step * 7919


def train(
    recipe: Recipe, batches: Batches, run: Run, fabric: Processes | None = None
) -> list[dict[str, float]]:
    """Train `recipe.network` in place, resuming from where an earlier call was killed.

    Args:
        recipe: The recipe, its modules freshly initialised.
        batches: Training and validation crops.
        run: Budget, seed and folder.
        fabric: Device and processes; one process on the CPU by default.

    Returns:
        The log: one dict per row with `step`, `rate`, `<phase>/<term>` and `validation_psnr`. Runs
        with the same inputs return the same log, whether or not they were killed.

    Raises:
        ValueError: A loss is not finite.
    """
    with precise(run.precision):
        return _train(_Loop(recipe, run, fabric or OneProcess()), batches)


def _train(loop: "_Loop", batches: Batches) -> list[dict[str, float]]:
    run, fabric = loop.run, loop.fabric
    loop.resume()
    with tqdm(
        desc=run.label or "training",
        initial=loop.state.step,
        total=loop.end,
        unit="step",
        mininterval=1.0,
        disable=fabric.global_rank > 0,
    ) as progress:
        while loop.state.step < loop.end:
            start = time.perf_counter()
            step = loop.state.step
            torch.manual_seed(seed_of(run.seed, step, fabric.global_rank))
            batch = batches.draw(step, fabric.global_rank)
            loop.advance(loop.placed(batch))
            if loop.due(run.log_every):
                loop.write_row(batches.validation if loop.due(run.validate_every) else ())
            loop.state.seconds += time.perf_counter() - start
            if loop.due(run.save_every):
                loop.save()
            progress.total = loop.end
            progress.update()
    loop.use_result()
    return loop.state.log


def seconds(run: Run) -> float:
    """Return how long a finished run took, in seconds; a killed one counts what it saved."""
    return float(checkpoints.read(run.folder / STATE)["seconds"])


class _Loop:
    """The modules, optimisers and counters of one run."""

    def __init__(self, recipe: Recipe, run: Run, fabric: Processes) -> None:
        self.recipe, self.run, self.fabric = recipe, run, fabric
        self.state = _State()
        self.optimisers = []
        self.schedules = []
        self.dtype = _dtype(run.precision)
        recipe.network.to(fabric.device, self.dtype)
        for phase in recipe.phases:
            phase.module.to(fabric.device, self.dtype)
            trained = [p for p in phase.module.parameters() if p.requires_grad]
            optimiser = phase.optimiser(trained)
            self.optimisers.append(optimiser)
            self.schedules.append(torch.optim.lr_scheduler.LambdaLR(optimiser, self.factor))
        self.average = _copy(recipe.network) if recipe.ema else None

    @property
    def path(self) -> Path:
        return self.run.folder / STATE

    @property
    def end(self) -> int:
        """Return the number of steps of the run, as far as it is known."""
        if self.state.fall_from is None:
            return self.run.steps
        return min(flatness.end(self.state.fall_from), self.run.steps)

    def factor(self, step: int) -> float:
        """Return the factor of the learning rate at a step."""
        return self.recipe.factor(step, self.end, self.state.fall_from)

    def due(self, every: int) -> bool:
        return self.state.step % every == 0 or self.state.step == self.end

    def placed(self, batch: Batch) -> Batch:
        """Move crops to the device and the precision of the network."""
        device = self.fabric.device
        source, target = (pixels.to(device, self.dtype) for pixels in (batch.input, batch.target))
        return Batch(source, target, batch.qf.to(device))

    def _mixed(self) -> contextlib.AbstractContextManager[Any]:
        """Return a context in which products use bfloat16 if the precision is mixed."""
        if self.run.precision != "bf16-mixed":
            return contextlib.nullcontext()
        return torch.autocast(self.fabric.device.type, torch.bfloat16)

    def advance(self, batch: Batch) -> None:
        """Perform one step: run every phase once."""
        self.recipe.network.train()
        for phase, optimiser, schedule in zip(
            self.recipe.phases, self.optimisers, self.schedules, strict=True
        ):
            with self._mixed():
                terms = phase.loss(batch)
            total = torch.stack(list(terms.values())).sum()
            if not torch.isfinite(total):
                raise ValueError(
                    f"The loss of {self.run.label or 'the run'} is not finite at step "
                    f"{self.state.step} ({phase.name}): lower its learning rate."
                )
            optimiser.zero_grad(set_to_none=True)
            self.fabric.backward(total)
            self._average_gradients(phase)
            if phase.clip is not None:
                nn.utils.clip_grad_norm_(phase.module.parameters(), phase.clip)
            optimiser.step()
            schedule.step()
            for name, value in terms.items():
                key = f"{phase.name}/{name}"
                self.state.sums[key] = self.state.sums.get(key, 0.0) + float(value.detach())
        self.state.sums["steps"] = self.state.sums.get("steps", 0.0) + 1.0
        self.state.step += 1
        self._update_average()

    def _average_gradients(self, phase: Phase) -> None:
        if self.fabric.world_size == 1:
            return
        for parameter in phase.module.parameters():
            if parameter.grad is not None:
                mean = self.fabric.all_reduce(parameter.grad, reduce_op="mean")
                parameter.grad.copy_(cast(Tensor, mean))

    def _update_average(self) -> None:
        if self.average is None or self.recipe.ema is None:
            return
        weight = 1.0 - min(self.recipe.ema, self.state.step / (self.state.step + 10.0))
        for name, value in self.recipe.network.state_dict().items():
            mean = self.average[name]
            if value.is_floating_point():
                mean.lerp_(value, weight)
            else:
                mean.copy_(value)

    def write_row(self, validation: Sequence[Batch]) -> None:
        """Append a row to the log: means since the last row, and the validation PSNR."""
        count = self.state.sums.pop("steps")
        row = {
            "step": float(self.state.step),
            "rate": self.factor(self.state.step - 1),
        }
        row |= {key: value / count for key, value in self.state.sums.items()}
        if validation:
            row["validation_psnr"] = self._validate(validation)
        self.state.log.append(row)
        self.state.sums.clear()
        if self.recipe.schedule == "until_flat" and self.state.fall_from is None:
            self._look_for_flatness()

    def _look_for_flatness(self) -> None:
        """Let the rate fall from here on if the validation curve is flat or the budget demands."""
        curve = [row["validation_psnr"] for row in self.state.log if "validation_psnr" in row]
        if self.state.step >= flatness.MOST * self.run.steps or flatness.is_flat(curve):
            self.state.fall_from = self.state.step

    def _validate(self, validation: Sequence[Batch]) -> float:
        """Return the mean PSNR in dB of predictions rounded to 8 bits, over validation crops."""
        last = _copy(self.recipe.network)
        self.use_average()
        self.recipe.network.eval()
        values = []
        with torch.no_grad():
            for batch in map(self.placed, validation):
                seen = (batch.input, batch.qf) if self.recipe.sees_qf else (batch.input,)
                with self._mixed():
                    output = self.recipe.predict(*seen)
                levels = (output.to(self.dtype).clamp(0, 1) * 255).round() / 255
                error = (levels - batch.target).square().mean((1, 2, 3))
                values.append(-10 * error.clamp(min=1e-10).log10())
        psnr = float(torch.cat(values).mean())
        if self.recipe.keep == "best" and psnr > self.state.best.get("psnr", -math.inf):
            kept = _copy(self.recipe.network)
            self.state.best = {"step": self.state.step, "psnr": psnr, "weights": kept}
        self.recipe.network.load_state_dict(last)
        return psnr

    def use_average(self) -> None:
        """Load the averaged weights into the network, if an average is kept."""
        if self.average is not None:
            self.recipe.network.load_state_dict(self.average)

    def use_result(self) -> None:
        """Load the weights that the recipe keeps into the network."""
        self.use_average()
        if self.state.best:
            self.recipe.network.load_state_dict(self.state.best["weights"])

    def save(self) -> None:
        """Store everything that a resumed run needs; the file appears whole or not at all."""
        content: dict[str, Any] = {
            **vars(self.state),
            "network": self.recipe.network.state_dict(),
            "modules": [phase.module.state_dict() for phase in self.recipe.phases],
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "schedules": [schedule.state_dict() for schedule in self.schedules],
            "average": self.average,
        }
        if self.fabric.global_rank == 0:
            files.write_tensors(self.path, content)
        self.fabric.barrier()

    def resume(self) -> None:
        """Load the state of an unfinished run, if there is one."""
        if not self.path.is_file():
            return
        content = checkpoints.read(self.path)
        self.state = _State(
            **{field.name: content[field.name] for field in dataclasses.fields(_State)}
        )
        self.recipe.network.load_state_dict(content["network"])
        for phase, state in zip(self.recipe.phases, content["modules"], strict=True):
            phase.module.load_state_dict(state)
        for optimiser, state in zip(self.optimisers, content["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        for schedule, state in zip(self.schedules, content["schedules"], strict=True):
            schedule.load_state_dict(state)
        if self.average is not None:
            for name, value in content["average"].items():
                self.average[name].copy_(value)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def write_log(path: Path, log: Sequence[Mapping[str, Any]]) -> None:
    """Write the log as CSV, one row per entry, with six significant digits."""
    columns = list(dict.fromkeys(key for row in log for key in row))
    with files.beside(path) as place, place.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        for row in log:
            writer.writerow(_cell(row[key]) if key in row else "" for key in columns)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
