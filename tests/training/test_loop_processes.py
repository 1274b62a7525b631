"""Training in several processes."""

from functools import partial

import lightning_fabric
import pytest
import torch
from torch import nn

from benchmark.training import Batch, Batches, Phase, Recipe, loop
from benchmark.training.loop import Run

STEPS = 4


def draw(step, process):
    generator = torch.Generator().manual_seed(1000 * process + step)
    target = torch.rand(2, 3, 8, 8, generator=generator)
    return Batch(0.5 * target, target, torch.full((2,), 80))


def draw_for_both(step, process):
    halves = draw(step, 0), draw(step, 1)
    return Batch(*(torch.cat(pair) for pair in zip(*halves, strict=True)))


def error(network, batch):
    return {"l1": (network(batch.input) - batch.target).abs().mean()}


def recipe():
    """Without batch normalisation, whose statistics are each process's own."""
    torch.manual_seed(0)
    network = nn.Conv2d(3, 3, 3, padding=1)
    phase = Phase("train", network, partial(error, network), partial(torch.optim.SGD, lr=0.1))
    return Recipe(network, (phase,), "dark", 2, 8, 10, network)


def train_in_a_process(fabric, folder):
    torch.set_num_threads(1)
    made = recipe()
    loop.train(made, Batches(draw, ()), Run(STEPS, 0, folder / "two"), fabric)
    torch.save(made.network.state_dict(), folder / f"{fabric.global_rank}.pt")


@pytest.mark.slow
def test_two_processes_average_their_gradients(tmp_path):
    fabric = lightning_fabric.Fabric(accelerator="cpu", devices=2, strategy="ddp_spawn")
    fabric.launch(train_in_a_process, tmp_path)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    alone = recipe()
    loop.train(alone, Batches(draw_for_both, ()), Run(STEPS, 0, tmp_path / "one"))
    for name, value in alone.network.state_dict().items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], value)
