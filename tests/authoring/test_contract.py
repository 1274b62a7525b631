"""Every method keeps the contract, and every check of the contract can fail."""

import dataclasses
import socket
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark import methods
from benchmark.authoring import contract
from benchmark.core.images import Image
from benchmark.methods import (
    Method,
    Plugin,
    Released,
    WeightsFile,
    from_network,
    plugin,
)
from benchmark.training import Batch, Phase, Recipe

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("name", methods.names())
def test_every_method_keeps_the_contract(name):
    assert contract.check(methods.find(name)) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in methods.names() if methods.find(n).learned])
def test_every_learned_method_keeps_the_contract_on_large_images(name):
    assert contract.check(methods.find(name), thorough=True) == []


def classical(method: Method) -> Plugin:
    @plugin("enhancer", cite="a test")
    def broken() -> Method:
        return method

    return broken


def halved_in_place(image: Image) -> Image:
    image *= 0.5
    return image.copy()


def noisy(image: Image) -> Image:
    return image * np.float32(torch.rand(()).item())


def stretched(image: Image) -> Image:
    with np.errstate(invalid="ignore"):
        return image / image.max()


def needs_eight_rows(image: Image) -> Image:
    if len(image) < 8:
        raise ValueError("too small")
    return image


class Remembers:
    def __init__(self) -> None:
        self.mean = 0.0

    def __call__(self, image: Image) -> Image:
        self.mean = 0.5 * self.mean + 0.5 * float(image.mean())
        return image * np.float32(self.mean)


def looks_up(image: Image) -> Image:
    socket.getaddrinfo("weights.invalid", 443)
    return image


def connects_in_secret(image: Image) -> Image:
    with socket.socket() as link:
        try:
            link.connect(("127.0.0.1", 9))
        except OSError:
            return image
    return image


BROKEN: dict[str, tuple[Method, str]] = {
    "crops": (lambda image: image[:-1], "returns shape"),
    "double precision": (lambda image: image.astype(np.float64), "returns float64"),
    "no array": (lambda image: image.tolist(), "returns list"),
    "in place": (halved_in_place, "changes its input"),
    "random": (noisy, "gives another answer"),
    "remembers": (Remembers(), "gives another answer"),
    "divides by zero": (stretched, "returns NaN or infinity, given a black image"),
    "too small": (needs_eight_rows, "fails on an image of 1 x 1 pixels: ValueError: too small"),
    "name look-up": (looks_up, "uses the network: it asked for weights.invalid"),
    "connection": (connects_in_secret, "uses the network: it asked for ('127.0.0.1', 9)"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_method_is_told_what_it_breaks(fault):
    method, expected = BROKEN[fault]
    found = contract.check(classical(method))
    assert any(expected in violation for violation in found), found


def test_the_network_is_reachable_again_after_a_check():
    before = socket.getaddrinfo
    contract.check(classical(looks_up))
    assert socket.getaddrinfo is before
    assert "connect" not in vars(socket.socket)


def l1(network: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    return {"l1": (network(batch.input) - batch.target).abs().mean()}


def tiny_recipe(
    part: str,
    trained: Mapping[str, Mapping[str, Tensor]],
    loss: Callable[[nn.Module, Batch], Mapping[str, Tensor]] = l1,
    options: Mapping[str, Any] = MappingProxyType({"lr": 1e-2}),
) -> Recipe:
    network = nn.Conv2d(3, 3, 1)
    phase = Phase("train", network, partial(loss, network), partial(torch.optim.Adam, **options))
    return Recipe(network, (phase,), "dark", 2, 32, 10, network)


def tiny_build(state: Mapping[str, Tensor]) -> Method:
    network = nn.Conv2d(3, 3, 1)
    network.load_state_dict(state)
    return from_network(network)


def learned(
    recipe: Callable[..., Recipe] = tiny_recipe,
    build: Callable[..., Method] = tiny_build,
    parts: tuple[str, ...] = ("model",),
) -> Plugin:
    declared = plugin("enhancer", cite="a test", train=recipe, parts=parts)(build)
    return dataclasses.replace(declared, name="broken")


def test_a_sound_learned_method_passes():
    assert contract.check(learned()) == []


@pytest.mark.parametrize("options", [{"lr": 0.0}, {"lr": 1e-2, "maximize": True}])
def test_a_loss_that_does_not_fall_is_reported(options):
    (found,) = contract.check(learned(partial(tiny_recipe, options=options)))
    assert found.startswith("does not learn: the loss of part 'model' goes from")


def test_a_recipe_that_trains_another_network_is_reported():
    def astray(part: str, trained: Mapping[str, Mapping[str, Tensor]]) -> Recipe:
        return dataclasses.replace(tiny_recipe(part, trained), network=nn.Conv2d(3, 3, 1))

    (found,) = contract.check(learned(astray))
    assert found.startswith("never updates the network of part 'model'")


def test_a_recipe_that_cannot_run_is_reported():
    def diverges(network: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        return {"l1": network(batch.input).sum() * float("nan")}

    (found,) = contract.check(learned(partial(tiny_recipe, loss=diverges)))
    assert found.startswith("fails to train part 'model': ValueError: The loss of broken model")


def test_a_build_that_ignores_its_weights_is_reported():
    def untrained(state: Mapping[str, Tensor]) -> Method:
        return from_network(nn.Conv2d(3, 3, 1))

    found = contract.check(learned(build=untrained))
    assert any("built again from the same weights" in violation for violation in found)


def test_a_build_that_does_not_fit_the_recipe_is_reported():
    def larger(state: Mapping[str, Tensor]) -> Method:
        network = nn.Conv2d(3, 3, 3)
        network.load_state_dict(state)
        return from_network(network)

    (found,) = contract.check(learned(build=larger))
    assert found.startswith("cannot be built: RuntimeError")


def test_parts_are_trained_in_order_and_see_those_before():
    seen: list[tuple[str, list[str]]] = []

    def notes(part: str, trained: Mapping[str, Mapping[str, Tensor]]) -> Recipe:
        seen.append((part, list(trained)))
        return tiny_recipe(part, trained)

    assert contract.check(learned(notes, parts=("first", "model"))) == []
    assert seen == [("first", []), ("model", ["first"])]


@pytest.mark.parametrize("parts", [("first", "second"), ("model", "first"), ("model", "model")])
def test_the_last_part_is_the_model(parts):
    (found,) = contract.check(learned(parts=parts))
    assert "name each once, the last `model`" in found


def test_a_method_names_its_source():
    assert contract.check(dataclasses.replace(learned(), cite="")) == [
        "has no citation: fill in `cite`"
    ]


def test_released_files_carry_their_hash():
    listed = dataclasses.replace(
        learned(), released=(Released("a", (WeightsFile("a.pth", 10, "abc", ""),)),)
    )
    assert contract.check(listed) == ["lists a.pth without its size, SHA-256 or source"]


def test_released_weights_need_a_learned_method():
    declared = classical(lambda image: image)
    listed = dataclasses.replace(
        declared, released=(Released("a", (WeightsFile("a", 1, "0" * 64, "b"),)),)
    )
    assert contract.check(listed) == [
        "has released weights but no `train`, so nothing would load them"
    ]


@pytest.mark.parametrize(("needs", "kind"), [("tables", np.uint16), ("reference", np.float32)])
def test_what_a_method_needs_is_given_to_it(needs, kind):
    def picky(image: Image, given: Any) -> Image:
        assert given.dtype == kind
        return image

    assert contract.check(dataclasses.replace(classical(picky), needs=needs)) == []


def test_quick_settings_serve_training_and_building():
    def recipe(part: str, trained: Any, bias: bool = False) -> Recipe:
        assert bias
        return tiny_recipe(part, trained)

    def build(state: Mapping[str, Tensor], bias: bool = False) -> Method:
        assert bias
        return tiny_build(state)

    quick = dataclasses.replace(learned(recipe, build), quick={"bias": True})
    assert contract.check(quick) == []
