"""Weights that authors released: names become ours, files load, a dark image turns out as measured.

What lies in files needs them below the folder that MLSM_BENCH_DATA names.
"""

import numpy as np
import pytest
import torch

from baselines._kind_networks import Network
from benchmark import methods
from benchmark.methods import assemble
from tests.helpers import networks

MEANS = {
    ("sci", "medium"): 0.458,
    ("sci", "easy"): 0.214,
    ("sci", "difficult"): 0.426,
    ("zero_dce", "Epoch99"): 0.460,
    ("zero_dce_pp", "Epoch99"): 0.417,
    ("ruas", "lol"): 0.654,
    ("ruas", "upe"): 0.290,
    ("ruas", "dark"): 0.693,
    ("retinexnet", "port"): 0.595,
    ("pairlie", "lol"): 0.657,
    ("pairlie", "default"): 0.571,
}
"""Method and weights -> mean of what becomes of 30 x 40 pixels of 0.1, measured once."""
PARTIAL = {("kind", "port"): "restoration", ("ruas", "denoise"): "noise removal alone"}
"""Method and weights -> words that say what is missing."""
SETTINGS = {
    **{("ruas", name): {"denoise": False} for name in ("upe", "dark")},
    ("kind", "port"): {"port": True},
    ("retinexnet", "port"): {"port": True},
    ("pairlie", "lol"): {"exponent": 0.14},
}
"""Of weights that do not run as published: noise is removed with those of LOL alone."""
RELEASED = {
    (name, entry.name): entry for name in methods.names() for entry in methods.find(name).released
}


def layers(pattern, *names, kinds=("weight", "bias")):
    """Return what a file holds, each value its own name."""
    found = [pattern.format(name, kind) for name in names for kind in kinds]
    return dict(zip(found, found, strict=True))


STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
THEIRS = {
    "sci": [
        layers("enhance.{}.{}", "in_conv.0", "conv.0", "conv.1", "out_conv.0", "blocks.0.0")
        | layers("enhance.{}.{}", "conv.1", kinds=STATISTICS)
        | layers("calibrate.{}.{}", "in_conv.0")
    ],
    "zero_dce": [layers("e_conv{}.{}", *range(1, 8))],
    "zero_dce_pp": [
        layers("e_conv{}.depth_conv.{}", *range(1, 8))
        | layers("e_conv{}.point_conv.{}", *range(1, 8))
    ],
    "retinexnet": [
        layers("net1_{}.{}", "conv0", *(f"convs.{index}" for index in (0, 2, 4, 6, 8)), "recon"),
        layers("net2_{}.{}", "conv0_1", *(f"conv1_{index}" for index in (1, 2, 3)))
        | layers("net2_{}.{}", *(f"deconv1_{index}" for index in (1, 2, 3)), "fusion", "output"),
    ],
    "pairlie": [
        layers("{0}.{1}", *(f"{x}_net.{x}_net.{3 * i + 1}" for x in "LRN" for i in range(5)))
    ],
}
"""Method -> names in its files."""
OURS = {
    "sci": {"first.weight": "enhance.in_conv.0.weight", "last.bias": "enhance.out_conv.0.bias"},
    "zero_dce": {"convs.6.bias": "e_conv7.bias"},
    "zero_dce_pp": {"convs.0.1.weight": "e_conv1.point_conv.weight"},
    "retinexnet": {
        "decomposition.convs.4.bias": "net1_convs.8.bias",
        "relighting.down.0.weight": "net2_conv1_1.weight",
        "relighting.up.2.weight": "net2_deconv1_3.weight",
    },
}
"""Method -> what some of them become."""


def read(key):
    """Return the state dict of released weights, or skip where a file is not here."""
    entry = RELEASED[key]
    missing = [file.file for file in entry.files if assemble.find_released(file) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: see weights/released/README.md")
    return assemble.read_released(entry)


def test_it_is_told_of_all_weights_how_they_run():
    assert RELEASED.keys() == {*MEANS, *PARTIAL}
    found = {key: dict(entry.settings) for key, entry in RELEASED.items() if entry.settings}
    assert found == SETTINGS
    for key, entry in RELEASED.items():
        assert PARTIAL.get(key, "") in entry.partial
        assert bool(entry.partial) == (key in PARTIAL)


@pytest.mark.parametrize("key", MEANS, ids=" ".join)
def test_a_dark_image_becomes_what_was_measured(key):
    method = methods.find(key[0])(read(key), **RELEASED[key].settings)
    output = method(np.full((30, 40, 3), 0.1, np.float32))
    assert output.mean() == pytest.approx(MEANS[key], abs=1e-3)


@pytest.mark.parametrize("key", PARTIAL, ids=" ".join)
def test_partial_weights_fill_the_parts_that_they_are_of(key):
    state = read(key)
    network = networks.recipe(key[0], quick=False, **RELEASED[key].settings).network
    for part in {name.split(".")[0] for name in state}:
        own = {k.removeprefix(f"{part}."): v for k, v in state.items() if k.startswith(f"{part}.")}
        getattr(network, part).load_state_dict(own)


def test_kinds_decomposition_gives_the_image_again_and_its_adjustment_brightens():
    state = read(("kind", "port"))
    network = Network(32, 5.0, True, port=True)
    network.load_state_dict(state, strict=False)
    image = torch.linspace(0.1, 0.3, 32).expand(1, 3, 32, 32)
    with torch.no_grad():
        reflectance, light = network.decomposition(image)
        assert (reflectance * light - image).abs().mean() < 0.02
        brighter = network.adjustment(light, torch.full((1, 1, 1, 1), 3.0))
    assert brighter.mean() > 1.5 * light.mean()


@pytest.mark.parametrize("name", THEIRS)
def test_names_of_released_files_become_ours(name):
    for entry in methods.find(name).released:
        adapted = entry.adapt(*THEIRS[name])
        network = networks.recipe(name, **entry.settings).network
        assert adapted.keys() == network.state_dict().keys()
        assert OURS.get(name, {}).items() <= adapted.items()
