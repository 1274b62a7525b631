"""Stage train: which methods it trains."""

import pytest

from benchmark.stages import train as stage
from tests.helpers import synthetic_results as synthetic


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """The profile, and the names of the methods that were trained, in their order."""
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    names = []
    monkeypatch.setattr(stage, "_train", lambda params, chosen: names.append(chosen))
    return synthetic.profile(jobs=1), names


def test_every_method_of_the_profile_is_trained(trained):
    params, names = trained
    stage.train(params)
    assert names == [(name, params.seed) for name in params.training] != []


def test_further_seeds_come_after_all_first_ones(trained):
    params, names = trained
    seeded = params.training["edsr"].model_copy(update={"seeds": [7, 8]})
    stage.train(params.model_copy(update={"training": params.training | {"edsr": seeded}}))
    assert names[-3:] == [([*params.training][-1], params.seed), ("edsr", 7), ("edsr", 8)]


@pytest.mark.parametrize("wanted", [["edsr"], []])
def test_of_named_methods_only_these_are_trained_and_of_none_none(trained, wanted):
    params, names = trained
    stage.train(params, wanted)
    assert names == [(name, params.seed) for name in wanted]


def test_a_profile_that_uses_the_weights_of_another_leaves_these_alone(trained, tmp_path):
    params, _ = trained
    other = params.model_copy(update={"weights_of": "lol", "training": {}})
    stage.train(other)
    assert (tmp_path / "weights" / other.profile).is_dir()
    assert not (tmp_path / "weights" / "lol").exists()
