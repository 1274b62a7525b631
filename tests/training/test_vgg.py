"""The VGG16 trunk that perceptual losses stand on."""

import importlib
import importlib.machinery
import importlib.util
import sys
import types
from pathlib import Path

import pytest
import torch

from benchmark.core.errors import InputError
from benchmark.training import vgg
from benchmark.training.vgg import MEAN, STD, Trunk


@pytest.fixture(scope="module")
def trunk() -> Trunk:
    return Trunk()


def images(seed: int, side: int = 32) -> torch.Tensor:
    return torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_features_equal_those_of_the_wheels_own_network(
    trunk: Trunk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, attribute in (("IPython", "embed"), ("torchsummary", "summary")):
        stub = types.ModuleType(name)
        setattr(stub, attribute, None)
        monkeypatch.setitem(sys.modules, name, stub)
    theirs = importlib.import_module("stlpips_pytorch.invariant_networks").vggnet("shift_tolerant")
    stored = torch.load(vgg.weights_file(), map_location="cpu", weights_only=True)
    theirs.load_state_dict(
        {name[len("net.") :]: value for name, value in stored.items() if name.startswith("net.")}
    )
    image = images(0, 50)
    scaled = (image - stored["scaling_layer.shift"]) / stored["scaling_layer.scale"]
    with torch.no_grad():
        for mine, expected in zip(trunk.features(image), theirs(scaled), strict=True):
            assert torch.allclose(mine, expected, rtol=1e-3, atol=1e-4)


def test_input_scaling_equals_the_networks_own_layer() -> None:
    stored = torch.load(vgg.weights_file(), map_location="cpu", weights_only=True)
    shift, scale = (stored[f"scaling_layer.{name}"].flatten() for name in ("shift", "scale"))
    assert torch.allclose(2 * torch.tensor(MEAN) - 1, shift, atol=1e-6)
    assert torch.allclose(2 * torch.tensor(STD), scale, atol=1e-6)


def test_fewer_slices_are_the_first_of_five(trunk: Trunk) -> None:
    first = Trunk(2).features(images(0))
    assert len(first) == 2
    for mine, expected in zip(first, trunk.features(images(0)), strict=False):
        assert torch.equal(mine, expected)


@pytest.mark.parametrize("slices", [0, 6])
def test_slices_outside_one_to_five_are_refused(slices: int) -> None:
    with pytest.raises(ValueError, match="must be 1 to 5"):
        Trunk(slices)


def test_missing_wheel_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install stlpips_pytorch"):
        Trunk()


def test_wheel_without_the_weight_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = importlib.machinery.ModuleSpec("stlpips_pytorch", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(InputError, match="vgg_shift_tolerant"):
        Trunk()
