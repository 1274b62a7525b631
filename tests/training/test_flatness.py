"""The schedule that stops when the validation curve is flat."""

import dataclasses
import math
from functools import partial

import pytest
import torch
from torch import nn

from benchmark.training import Batch, Batches, Phase, Recipe, flatness, loop
from benchmark.training.loop import Run

RUN = {"log_every": 1, "validate_every": 1, "save_every": 5}


def batch_of(step, process):
    generator = torch.Generator().manual_seed(step)
    target = torch.rand(2, 3, 8, 8, generator=generator)
    return Batch(0.5 * target, target, torch.full((2,), 80))


def batches(validation=()):
    return Batches(batch_of, validation)


def recipe(**changes):
    torch.manual_seed(0)
    network = nn.Conv2d(3, 3, 1)

    def error(batch):
        return {"l1": (network(batch.input) - batch.target).abs().mean()}

    phase = Phase("train", network, error, partial(torch.optim.Adam, lr=1e-2))
    made = Recipe(network, (phase,), "pairs", 2, 8, 1000, network, schedule="until_flat")
    return dataclasses.replace(made, **changes)


def rising(count, gain=0.02):
    return [20.0 + gain * step for step in range(count)]


def test_a_curve_is_flat_if_its_last_quarter_gained_less_than_a_twentieth_of_a_decibel():
    assert flatness.is_flat(rising(20, gain=0.0099))  # five steps of it between the quarters
    assert not flatness.is_flat(rising(20, gain=0.0101))
    assert not flatness.is_flat(rising(40, gain=0.01))  # ten steps of it


def test_a_falling_curve_is_flat():
    assert flatness.is_flat(rising(24, gain=-1.0))


def test_a_short_curve_is_never_flat():
    assert not flatness.is_flat([20.0] * (flatness.FEWEST - 1))


def test_the_fall_takes_a_quarter_of_all_steps():
    assert flatness.end(30) == 40
    assert flatness.end(31) == 42


def test_the_rate_waits_then_falls_to_0():
    made = recipe(rate_factor=2.0, decay=False)
    assert made.factor(500, 1000) == 2.0
    assert made.factor(30, 40, fall_from=30) == 2.0
    assert made.factor(35, 40, fall_from=30) == 1.0
    assert made.factor(40, 40, fall_from=30) == 0.0


def unlearnable():
    """A recipe whose validation never changes: its rate is as good as 0."""
    return recipe(rate_factor=1e-12, ema=0.9)


def test_a_flat_run_ends_early(tmp_path):
    log = loop.train(unlearnable(), batches([batch_of(99, 0)]), Run(100, 0, tmp_path, **RUN))
    assert [row["step"] for row in log] == list(range(1, 28))  # flat after 20, falls for 7
    falling = [1.0, 1.0, *(1.0 - step / 7 for step in range(1, 7))]
    assert [row["rate"] * 1e12 for row in log[-8:]] == pytest.approx(falling)


def test_a_run_that_keeps_rising_falls_over_the_last_quarter_of_its_budget(tmp_path):
    made = recipe(rate_factor=0.5)
    log = loop.train(made, batches([batch_of(99, 0)]), Run(40, 0, tmp_path, **RUN))
    assert len(log) == 40
    assert [row["rate"] / 0.5 for row in log[29:32]] == pytest.approx([1.0, 1.0, 0.9])


def test_without_validation_images_a_run_takes_its_whole_budget(tmp_path):
    log = loop.train(unlearnable(), batches(), Run(24, 0, tmp_path, **RUN))
    assert [log[-1]["step"], log[-1]["rate"]] == [24, pytest.approx(1e-12 / 6)]


@pytest.mark.parametrize("killed_at", [3, 20, 21, 25])
def test_a_killed_run_finds_its_fall_again(tmp_path, killed_at):
    class KilledError(Exception):
        pass

    def killer(step, process):
        if step == killed_at:
            raise KilledError
        return batch_of(step, process)

    validation = [batch_of(99, 0)]
    whole, again = unlearnable(), unlearnable()
    wanted = loop.train(whole, batches(validation), Run(100, 0, tmp_path / "a", **RUN))
    run = Run(100, 0, tmp_path / "b", **RUN)
    with pytest.raises(KilledError):
        loop.train(unlearnable(), Batches(killer, validation), run)
    assert loop.train(again, batches(validation), run) == wanted
    pairs = zip(again.network.parameters(), whole.network.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_a_finished_run_says_how_long_it_took(tmp_path):
    run = Run(3, 0, tmp_path, **RUN)
    loop.train(recipe(), batches(), run)
    assert 0.0 < loop.seconds(run) < math.inf
