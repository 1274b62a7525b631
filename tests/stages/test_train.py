"""Stage train: which methods it trains."""

import pytest

from benchmark.stages import train as stage
from tests.helpers import synthetic_results as synthetic


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """The profile, and the names of the methods that were trained, in their order."""
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    names = []
    monkeypatch.setattr(stage, "_train", lambda params, method: names.append(method))
    return synthetic.profile(jobs=1), names


def test_every_method_of_the_profile_is_trained(trained):
    params, names = trained
    stage.train(params)
    assert names == [*params.training] != []


@pytest.mark.parametrize("wanted", [["edsr"], []])
def test_of_named_methods_only_these_are_trained_and_of_none_none(trained, wanted):
    params, names = trained
    stage.train(params, wanted)
    assert names == wanted


def test_a_profile_that_uses_the_weights_of_another_leaves_these_alone(trained, tmp_path):
    params, _ = trained
    other = params.model_copy(update={"weights_of": "lol", "training": {}})
    stage.train(other)
    assert (tmp_path / "weights" / other.profile).is_dir()
    assert not (tmp_path / "weights" / "lol").exists()
