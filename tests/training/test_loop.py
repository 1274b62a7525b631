"""The training loop: what it computes, and that a killed run ends as an unbroken one."""

import csv
import dataclasses
import math
from functools import partial

import pytest
import torch
from torch import nn

from benchmark.core.errors import InputError
from benchmark.training import Batch, Batches, Phase, Recipe, loop
from benchmark.training.loop import Run

ADAM = partial(torch.optim.Adam, lr=1e-2)
SGD = partial(torch.optim.SGD, lr=0.1)


def batch_of(step, process, count=2):
    generator = torch.Generator().manual_seed(1000 * process + step)
    target = torch.rand(count, 3, 8, 8, generator=generator)
    return Batch(0.5 * target, target, torch.full((count,), 80))


def batches(validation=()):
    return Batches(batch_of, validation)


def error(network, batch):
    return {"l1": (network(batch.input) - batch.target).abs().mean()}


def noisy_error(network, batch):
    """A loss that draws random numbers, as a VAE's does."""
    noise = 0.01 * torch.randn(batch.input.shape)
    return error(network, batch._replace(input=batch.input + noise))


def recipe(loss=error, optimiser=ADAM, clip=None, **changes):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 3, 1))
    phase = Phase("train", network, partial(loss, network), optimiser, clip)
    made = Recipe(network, (phase,), "dark", 2, 8, 1000, network)
    return dataclasses.replace(made, **changes)


class Scale(nn.Module):
    """One number, so that updates can be worked out by hand."""

    def __init__(self, value=0.0):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, image):
        return image * self.value


def scale_recipe(loss, optimiser=SGD, clip=None, value=0.0, **changes):
    network = Scale(value)
    phase = Phase("train", network, partial(loss, network), optimiser, clip)
    made = Recipe(network, (phase,), "dark", 2, 8, 1000, network, decay=False)
    return dataclasses.replace(made, **changes)


def slope(network, batch):
    """A loss whose gradient is 1 whatever the weights."""
    return {"value": 1.0 * network.value}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


def test_the_loss_falls(tmp_path):
    log = loop.train(recipe(), batches(), Run(60, 0, tmp_path, log_every=10))
    assert log[-1]["train/l1"] < 0.5 * log[0]["train/l1"]


def test_a_run_takes_its_budget_of_steps_and_closes_the_log(tmp_path):
    drawn = []

    def draw(step, process):
        drawn.append((step, process))
        return batch_of(step, process)

    log = loop.train(recipe(), Batches(draw, ()), Run(7, 0, tmp_path, log_every=5))
    assert drawn == [(step, 0) for step in range(7)]
    assert [row["step"] for row in log] == [5, 7]


class KilledError(Exception):
    pass


RICH = {"warmup": 3, "ema": 0.9}
RUN = {"log_every": 4, "validate_every": 8, "save_every": 3}


@pytest.mark.parametrize("killed_at", [1, 3, 8, 14])
def test_a_killed_and_resumed_run_ends_as_an_unbroken_one(tmp_path, killed_at):
    def killer(step, process):
        if step == killed_at:
            raise KilledError
        return batch_of(step, process)

    validation = [batch_of(99, 0)]
    unbroken = recipe(noisy_error, **RICH)
    wanted = loop.train(unbroken, batches(validation), Run(15, 5, tmp_path / "a", **RUN))
    run = Run(15, 5, tmp_path / "b", **RUN)
    with pytest.raises(KilledError):
        loop.train(recipe(noisy_error, **RICH), Batches(killer, validation), run)
    torch.manual_seed(4321)  # a new process starts with other random numbers
    resumed = recipe(noisy_error, **RICH)
    log = loop.train(resumed, batches(validation), run)
    assert log == wanted
    assert same(resumed.network.state_dict(), unbroken.network.state_dict())


def test_a_finished_run_is_not_repeated(tmp_path):
    def never(step, process):
        raise AssertionError("a finished run needs no batch")

    run = Run(4, 0, tmp_path)
    first, second = recipe(ema=0.9), recipe(ema=0.9)
    log = loop.train(first, batches(), run)
    assert loop.train(second, Batches(never, ()), run) == log
    assert same(first.network.state_dict(), second.network.state_dict())


def test_a_damaged_state_is_named(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"cut short")
    with pytest.raises(InputError, match=r"state\.pt with 9 bytes cannot be read as weights"):
        loop.train(recipe(), batches(), Run(2, 0, tmp_path))


def test_saving_a_state_leaves_no_partial_file(tmp_path):
    loop.train(recipe(), batches(), Run(2, 0, tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["state.pt"]


@pytest.mark.parametrize("changed", ["seed", "nothing"])
def test_another_seed_is_another_run(tmp_path, changed):
    first, second = recipe(noisy_error), recipe(noisy_error)
    loop.train(first, batches(), Run(3, 0, tmp_path / "a"))
    loop.train(second, batches(), Run(3, int(changed == "seed"), tmp_path / "b"))
    equal = same(first.network.state_dict(), second.network.state_dict())
    assert equal == (changed == "nothing")


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_not_finite_names_the_run_the_step_and_the_phase(tmp_path, value):
    def breaks(network, batch):
        return {"value": network.value * (float(value) if network.value < -0.15 else 1)}

    run = Run(9, 0, tmp_path, label="zero_dce")
    with pytest.raises(ValueError, match=r"loss of zero_dce is not finite at step 2 \(train\)"):
        loop.train(scale_recipe(breaks), batches(), run)


def test_gradients_are_clipped_to_their_norm(tmp_path):
    made = scale_recipe(lambda network, batch: {"value": 100 * network.value}, clip=0.5)
    loop.train(made, batches(), Run(1, 0, tmp_path))
    assert made.network.value.item() == pytest.approx(-0.1 * 0.5)


def test_log_rows_are_means_over_their_steps(tmp_path):
    log = loop.train(scale_recipe(slope), batches(), Run(4, 0, tmp_path, log_every=2))
    # The value before steps 1 to 4 is 0, -0.1, -0.2, -0.3.
    assert [row["train/value"] for row in log] == pytest.approx([-0.05, -0.25])


def test_the_learning_rate_rises_then_falls(tmp_path):
    made = scale_recipe(slope, warmup=2, decay=True)
    log = loop.train(made, batches(), Run(4, 0, tmp_path, log_every=1))
    assert [row["rate"] for row in log] == pytest.approx([0.5, 0.75, 0.5, 0.25])
    assert made.network.value.item() == pytest.approx(-0.1 * (0.5 + 0.75 + 0.5 + 0.25))


def test_a_cosine_schedule_is_flat_at_both_ends(tmp_path):
    made = scale_recipe(slope, decay=True, schedule="cosine")
    log = loop.train(made, batches(), Run(4, 0, tmp_path, log_every=1))
    expected = [1.0, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5]
    assert [row["rate"] for row in log] == pytest.approx(expected)


@pytest.mark.parametrize(("keep", "expected"), [("best", -0.4), ("last", -0.7)])
def test_a_run_leaves_the_weights_that_the_recipe_keeps(tmp_path, keep, expected):
    """Each step subtracts 0.1, validation is best at -0.4."""
    image = torch.full((1, 3, 8, 8), 0.5)
    best = Batch(image, 0.5 - 0.4 * image, torch.tensor([90]))
    made = scale_recipe(slope, predict=None, keep=keep)
    network = made.network
    made = dataclasses.replace(made, predict=lambda x: 0.5 + network(x))
    run = Run(7, 0, tmp_path, log_every=1, validate_every=1, save_every=1)
    loop.train(made, batches([best]), run)
    assert network.value.item() == pytest.approx(expected)
    network.value.data.fill_(9.0)
    loop.train(made, batches([best]), run)
    assert network.value.item() == pytest.approx(expected), "a finished run remembers them"


def test_the_average_of_weights_is_what_a_run_leaves(tmp_path):
    made = scale_recipe(slope, ema=0.2)
    loop.train(made, batches(), Run(3, 0, tmp_path))
    average = 0.0
    for step in (1, 2, 3):
        weight = 1 - min(0.2, step / (step + 10))  # short runs forget their start faster
        average += weight * (-0.1 * step - average)
    assert made.network.value.item() == pytest.approx(average)


def test_counters_of_normalisation_are_not_averaged(tmp_path):
    made = recipe(ema=0.9)
    loop.train(made, batches(), Run(5, 0, tmp_path))
    assert int(made.network.state_dict()["1.num_batches_tracked"]) == 5


def test_validation_is_the_psnr_of_predictions_rounded_to_8_bits(tmp_path):
    image = torch.full((1, 3, 8, 8), 100.4 / 255)
    crop = Batch(image, torch.full((1, 3, 8, 8), 110 / 255), torch.tensor([80]))
    made = scale_recipe(lambda network, batch: {"zero": 0 * network.value}, value=1.0)
    (row,) = loop.train(made, batches([crop]), Run(1, 0, tmp_path))
    assert row["validation_psnr"] == pytest.approx(20 * math.log10(255 / 10), abs=1e-4)


def test_validation_gives_quality_factors_to_those_that_ask(tmp_path):
    crops = [batch_of(0, 0)._replace(qf=torch.tensor([60, 80]))]
    seen = []

    def predict(image, qf):
        seen.append(qf.tolist())
        return image

    made = dataclasses.replace(recipe(), predict=predict, sees_qf=True)
    loop.train(made, batches(crops), Run(1, 0, tmp_path))
    assert seen == [[60, 80]]


def test_validation_sees_the_averaged_weights_and_training_goes_on_with_its_own(tmp_path):
    crop = Batch(torch.full((1, 3, 8, 8), 0.5), torch.full((1, 3, 8, 8), 0.5), torch.tensor([80]))
    seen = []

    def predict(image):
        seen.append(made.network.value.item())
        return image

    made = scale_recipe(slope, ema=0.5)
    made = dataclasses.replace(made, predict=predict)
    run = Run(2, 0, tmp_path, log_every=1, validate_every=1)
    log = loop.train(made, batches([crop]), run)
    first = -0.1 * (1 - 1 / 11)
    assert seen == pytest.approx([first, first + (1 - 2 / 12) * (-0.2 - first)])
    assert [row["train/value"] for row in log] == pytest.approx([0.0, -0.1])


def test_validation_runs_in_evaluation_mode_and_training_does_not(tmp_path):
    modes = []
    made = recipe(lambda network, batch: modes.append(network.training) or error(network, batch))

    def predict(image):
        modes.append(made.network.training)
        return image

    made = dataclasses.replace(made, predict=predict)
    run = Run(2, 0, tmp_path, log_every=1, validate_every=1)
    loop.train(made, batches([batch_of(0, 0)]), run)
    assert modes == [True, False, True, False]


def gan(rate_generator, rate_critic, phases=("generator", "critic")):
    """A generator and a critic, each of one number; both losses hold both."""
    generator, critic = Scale(1.0), Scale(2.0)

    def made(batch):
        return {"adversarial": (generator.value * critic.value) ** 2}

    def judged(batch):
        return {"real": critic.value**2, "made": generator.value * critic.value}

    both = {
        "generator": Phase(
            "generator", generator, made, partial(torch.optim.SGD, lr=rate_generator)
        ),
        "critic": Phase("critic", critic, judged, partial(torch.optim.SGD, lr=rate_critic)),
    }
    chosen = tuple(both[name] for name in phases)
    recipe = Recipe(generator, chosen, "dark", 2, 8, 10, generator, decay=False)
    return recipe, generator, critic


def test_each_phase_updates_its_own_module(tmp_path):
    made, generator, critic = gan(0.1, 0.0)
    loop.train(made, batches(), Run(1, 0, tmp_path / "a"))
    assert generator.value.item() == pytest.approx(1 - 0.1 * 2 * 1 * 2**2)
    assert critic.value.item() == 2
    made, generator, critic = gan(0.0, 0.1)
    loop.train(made, batches(), Run(1, 0, tmp_path / "b"))
    assert generator.value.item() == 1
    # Only the critic's own loss counts, not what the generator's left in its gradient.
    assert critic.value.item() == pytest.approx(2 - 0.1 * (2 * 2 + 1))


def test_later_phases_see_what_earlier_ones_did(tmp_path):
    made, generator, critic = gan(0.1, 0.1)
    loop.train(made, batches(), Run(1, 0, tmp_path))
    assert critic.value.item() == pytest.approx(2 - 0.1 * (2 * 2 + generator.value.item()))


def test_every_phase_and_term_has_its_column(tmp_path):
    (row,) = loop.train(gan(0.1, 0.1)[0], batches(), Run(1, 0, tmp_path))
    assert list(row) == ["step", "rate", "generator/adversarial", "critic/real", "critic/made"]


def test_modules_beside_the_network_are_resumed_too(tmp_path):
    unbroken, _, wanted = gan(0.01, 0.01)
    loop.train(unbroken, batches(), Run(6, 0, tmp_path / "a"))
    loop.train(gan(0.01, 0.01)[0], batches(), Run(3, 0, tmp_path / "b"))
    resumed, _, critic = gan(0.01, 0.01)
    loop.train(resumed, batches(), Run(6, 0, tmp_path / "b"))
    assert torch.equal(critic.value, wanted.value)


def test_frozen_weights_stay(tmp_path):
    made = recipe()
    made.network[0].requires_grad_(False)
    before = made.network[0].weight.clone()
    loop.train(made, batches(), Run(3, 0, tmp_path))
    assert torch.equal(made.network[0].weight, before)


def test_the_log_is_written_as_a_table(tmp_path):
    log = [{"step": 20.0, "train/l1": 0.123456789}, {"step": 40.0, "validation_psnr": 17.25}]
    loop.write_log(tmp_path / "a" / "log.csv", log)
    with (tmp_path / "a" / "log.csv").open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["step", "train/l1", "validation_psnr"],
        ["20", "0.123457", ""],
        ["40", "", "17.25"],
    ]


def test_a_run_in_double_precision_holds_every_number_of_it_in_float64(tmp_path):
    seen = []

    def watched(network, batch):
        noise = torch.randn(2)
        seen.append({batch.input.dtype, batch.target.dtype, noise.dtype})
        return error(network, batch)

    made = recipe(watched)
    loop.train(made, batches([batch_of(99, 0)]), Run(2, 0, tmp_path, precision="64-true"))
    assert seen == [{torch.float64}] * 2
    parameters = [value for value in made.network.state_dict().values() if value.dim()]
    assert {value.dtype for value in parameters} == {torch.float64}
    assert torch.get_default_dtype() == torch.float32


def test_a_killed_run_in_double_precision_goes_on_as_an_unbroken_one(tmp_path):
    run = Run(6, 0, tmp_path / "whole", log_every=2, save_every=3, precision="64-true")
    whole = recipe(noisy_error)
    loop.train(whole, batches(), run)
    killed = dataclasses.replace(run, folder=tmp_path / "killed")

    def draw(step, process):
        if step == 4:
            raise KilledError
        return batch_of(step, process)

    with pytest.raises(KilledError):
        loop.train(recipe(noisy_error), Batches(draw, ()), killed)
    made = recipe(noisy_error)
    loop.train(made, batches(), killed)
    assert same(made.network.state_dict(), whole.network.state_dict())


def test_mixed_precision_multiplies_in_bfloat16_and_keeps_weights_in_float32(tmp_path):
    seen = []

    def watched(network, batch):
        seen.append(network[0](batch.input).dtype)
        return error(network, batch)

    made = recipe(watched)
    loop.train(made, batches(), Run(2, 0, tmp_path, precision="bf16-mixed"))
    assert seen == [torch.bfloat16] * 2
    assert {value.dtype for value in made.network.parameters()} == {torch.float32}
