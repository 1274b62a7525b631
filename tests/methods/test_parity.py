"""Networks and losses against the numbers that the authors' programs give; see `parity.golden`."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.parity import golden

METHODS = sorted(path.stem for path in golden.FOLDER.glob("*.json"))
CASES = [(method, name) for method in METHODS for name in golden.read(method).cases]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_outputs_and_every_term_are_those_of_the_authors_program(method, name):
    case = golden.read(method).cases[name]
    found = golden.run(method, case)
    assert set(found.outputs) == set(case.outputs)
    assert set(found.terms) == set(case.terms)
    for key, expected in case.outputs.items():
        output = found.outputs[key]
        assert tuple(output.shape) == expected.shape
        np.testing.assert_allclose(
            golden.values(output, expected.step), expected.values, 0, expected.tolerance
        )
        moments = output.double().mean().item(), output.double().std(correction=0).item()
        assert moments == pytest.approx((expected.mean, expected.deviation), 0, expected.tolerance)
    terms = {key: term.value for key, term in case.terms.items()}
    assert found.terms.keys() == terms.keys()
    for key, term in case.terms.items():
        assert found.terms[key] == pytest.approx(term.value, rel=0, abs=term.tolerance), key


@pytest.mark.parametrize(("method", "name"), CASES)
def test_golden_numbers_can_tell_one_program_from_another(method, name):
    case = golden.read(method).cases[name]
    for sample in case.outputs.values():
        assert sample.deviation > 100 * sample.tolerance
    for key, term in case.terms.items():
        assert abs(term.value) > (500 if term.why else 1e4) * term.tolerance, key


def test_every_learned_method_with_public_code_has_a_golden_file():
    learned = {name for name in golden.methods.names() if golden.methods.find(name).learned}
    without = {name for name in learned if name == "unet" or name.startswith("mlsm")}
    assert learned - without <= set(METHODS)
    assert {"lime", "retinexdip"} <= set(METHODS)  # fitted to each image


@pytest.mark.parametrize("method", METHODS)
def test_a_golden_file_is_small(method):
    assert (golden.FOLDER / f"{method}.json").stat().st_size < 30_000


def test_weights_follow_from_the_seed_and_the_names():
    first, second = nn.Conv2d(3, 4, 3), nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    golden.fill(first, 1)
    golden.fill(second, 1)
    again = nn.Conv2d(3, 4, 3)
    golden.fill(again, 1)
    assert torch.equal(first.weight, again.weight)
    assert not torch.equal(first.weight, second[0].weight)  # called `weight` and `0.weight`
    assert second[1].weight.min() >= 0.5
    assert second[1].running_var.min() >= 0.5


def test_a_network_filled_inside_a_recipe_is_the_one_that_the_phases_train():
    recipe = golden.filled(golden.methods.find("sci").train("model", {}), 3)
    cascade = recipe.phases[0].module
    alone = golden.methods.find("sci").train("model", {}).network
    golden.fill(alone, 3)
    assert torch.equal(cascade.network.first.weight, alone.first.weight)
    assert cascade.calibration.first[1].weight.min() >= 0.5
