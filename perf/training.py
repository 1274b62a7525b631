"""Steps per second of the training loop against a plain one, on this machine.

`python perf/training.py [--steps 12] [--threads 1]` trains MLSM's mapping networks at width 16 on
crops of eight 600x400 pairs that it makes itself. The plain loop is what one writes first: a
DataLoader whose data set decodes both files for every crop. Rows differ in one thing each; rounds
are interleaved, and ratios are medians over rounds, so that a busy machine distorts them less.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmark.core import images, jpeg
from benchmark.data.inputs import TrainingImage
from benchmark.training import Batch, crops
from mlsm import recipes
from mlsm.config import Config
from mlsm.vae import VAE

BATCH, CROP, QF, COUNT = 4, 128, 90, 8
Draw = Callable[[int], Batch]


def pairs(folder: Path) -> list[TrainingImage]:
    """Write pairs of a dark JPEG and a normal-light PNG: smooth random fields with some noise."""
    random = np.random.default_rng(0)
    made = []
    for number in range(COUNT):
        coarse = torch.from_numpy(random.random((1, 3, 13, 19), dtype=np.float32))
        field = torch.nn.functional.interpolate(coarse, size=(400, 600), mode="bicubic")[0]
        noise = random.normal(0, 0.02, (400, 600, 3)).astype(np.float32)
        normal = images.to_uint8(np.clip(field.permute(1, 2, 0).numpy() + noise, 0, 1))
        target, dark = folder / f"{number}.png", folder / f"{number}.jpg"
        images.write(target, normal)
        dark.write_bytes(jpeg.encode(normal // 6, QF))
        made.append(TrainingImage({QF: dark}, target))
    return made


class Plain(Dataset[tuple[Tensor, Tensor]]):
    """Both files decoded for every crop."""

    def __init__(self, items: list[TrainingImage]) -> None:
        self.items = items

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        random = np.random.default_rng(index)
        item = self.items[int(random.integers(len(self.items)))]
        sides = [images.read_uint8(path) for path in (item.inputs[QF], item.target)]
        top, left = (int(random.integers(side - CROP)) for side in sides[0].shape[:2])
        cut = [torch.from_numpy(s[top : top + CROP, left : left + CROP].copy()) for s in sides]
        first, second = (c.permute(2, 0, 1).float() / 255 for c in cut)
        return first, second


def plain(items: list[TrainingImage], workers: int) -> Draw:
    """Return the batches of a DataLoader."""
    loader: Iterator[list[Tensor]] = iter(
        DataLoader(Plain(items), batch_size=BATCH, num_workers=workers)
    )

    def draw(step: int) -> Batch:
        first, second = next(loader)
        return Batch(first, second, torch.full((BATCH,), QF))

    return draw


def cached(items: list[TrainingImage]) -> Draw:
    """Return the batches of the suite."""
    source = crops.CropSampler(items, CROP, BATCH, seed=0)
    return lambda step: source.draw(step, 0)


def trainer(layout: torch.memory_format, compiled: bool, half: bool) -> Callable[[Batch], None]:
    """Return what does one step of MLSM's stage 2."""
    torch.manual_seed(0)
    config = Config()
    recipe = recipes.mapping(config, VAE(config).state_dict(), VAE(config).state_dict())
    phase = recipe.phases[0]
    recipe.network.to(memory_format=layout)
    optimiser = phase.optimiser(phase.module.parameters())
    loss = torch.compile(phase.loss) if compiled else phase.loss

    def step(batch: Batch) -> None:
        moved = Batch(*(x.to(memory_format=layout) for x in batch[:2]), batch.qf)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            total = torch.stack(list(loss(moved).values())).sum()
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        optimiser.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=6, help="steps a round")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="torch.compile too (needs g++)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    usual, last = torch.contiguous_format, torch.channels_last
    with tempfile.TemporaryDirectory() as folder:
        items = pairs(Path(folder))
        cases = {
            "plain: DataLoader, no worker": (plain(items, 0), trainer(usual, False, False)),
            "plain: DataLoader, 1 worker": (plain(items, 1), trainer(usual, False, False)),
            "the suite: decoded images kept as uint8": (
                cached(items),
                trainer(usual, False, False),
            ),
            "... channels last": (cached(items), trainer(last, False, False)),
            "... bfloat16": (cached(items), trainer(usual, False, True)),
        }
        if options.compile:
            cases["... compiled"] = (cached(items), trainer(usual, True, False))
        seconds: dict[str, list[float]] = {name: [] for name in cases}
        for turn in range(options.rounds + 1):  # the first warms up
            for name, (draw, train) in cases.items():
                started = time.perf_counter()
                for number in range(options.steps):
                    train(draw(turn * options.steps + number))
                if turn:
                    seconds[name].append((time.perf_counter() - started) / options.steps)
    base = seconds["plain: DataLoader, no worker"]
    print("| loop | steps a second | times the plain loop |\n|---|---|---|")
    for name, values in seconds.items():
        ratio = statistics.median(b / v for b, v in zip(base, values, strict=True))
        print(f"| {name} | {1 / statistics.median(values):.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
