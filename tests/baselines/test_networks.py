"""What the networks of the baselines have in common: sizes, recipes, gradients, their methods."""

import pytest
import torch

from benchmark import methods
from tests.helpers import networks

SIZES = {
    "sci": 258,
    "zero_dce": 79_416,
    "zero_dce_pp": 10_561,
    "ruas": 3_438,
    "pairlie": 341_767,  # 0.342 M
    "edsr": 1_222_147,
    "fbcnn": 71_921_796,  # 71.9 M
    "qcn": 4_973_312,
    "qgcn": 12_305_472,
}
"""Method -> parameters, as published."""

WITH_DECAY = {"lr": 1e-4, "weight_decay": 1e-4}
RECIPES = [
    ("sci", "model", {"lr": 3e-4, "weight_decay": 3e-4}, 5, "pairs", 1, 320, 485_000, True),
    ("zero_dce", "model", WITH_DECAY, 0.1, "pairs", 8, 256, 50_000, False),
    ("zero_dce_pp", "model", WITH_DECAY, 0.1, "pairs", 8, 512, 25_000, False),
    ("pairlie", "model", {"lr": 1e-4}, None, "pairs", 1, 128, 400 * 324, True),
    ("retinexnet", "decomposition", {"lr": 1e-3}, None, "pairs", 16, 48, 9_200, True),
    ("retinexnet", "model", {"lr": 1e-3}, None, "pairs", 16, 48, 9_200, True),
    ("kind", "decomposition", {"lr": 1e-4}, None, "pairs", 10, 48, 96_000, True),
    ("kind", "model", {"lr": 1e-4}, None, "pairs", 4, 384, 116_000, True),
    ("llflow", "model", {"lr": 5e-4, "betas": (0.9, 0.99)}, 1, "pairs", 16, 160, 40_000, True),
    ("edsr", "model", {"lr": 1e-4}, None, "both", 16, 48, 300_000, True),
    ("fbcnn", "model", {"lr": 2e-5}, None, "both", 128, 96, 1_800_000, True),
    ("qcn", "model", {"lr": 1e-4}, None, "both", 256, 64, 100_000, True),
    ("qgcn", "model", {"lr": 1e-4}, None, "both", 256, 64, 100_000, True),
]
"""Method, part, options of Adam, clip, source, batch, crop, steps, decay, as its docstring says."""

PHASES_APART = {"enlightengan", "llflow"}
"""Whose gradients their own tests look at; those of `mlsm` are looked at in tests/mlsm."""
PARTS = [
    (name, part)
    for name in methods.names()
    if not name.startswith("mlsm") and name not in PHASES_APART
    for part in methods.find(name).parts
]


def batch_for(name):
    deblocks = methods.find(name).role == "deblocker"
    return networks.compressed(20, 80) if deblocks else networks.pairs()


@pytest.mark.parametrize("name", SIZES)
def test_a_network_has_the_published_size(name):
    plugin = methods.find(name)
    with torch.device("meta"):
        network = plugin.train("model", {}).network
    assert networks.count(network) == SIZES[name]


@pytest.mark.parametrize("published", RECIPES, ids=lambda entry: " ".join(entry[:2]))
def test_a_recipe_has_the_settings_that_are_told(published):
    name, part, options, clip, *expected = published
    made = networks.recipe(name, part)
    assert [made.source, made.batch, made.crop, made.steps, made.decay] == expected
    for phase in made.phases:
        assert phase.optimiser.func is torch.optim.Adam
        assert (phase.optimiser.keywords, phase.clip) == (options, clip)


@pytest.mark.parametrize(("name", "part"), PARTS)
def test_the_gradient_reaches_every_parameter_that_is_trained(name, part):
    made = networks.recipe(name, part)
    for phase in made.phases:
        sum(phase.loss(batch_for(name)).values()).backward()
        assert networks.silent(phase.module) == []


@pytest.mark.parametrize("name", ["sci", "zero_dce", "zero_dce_pp", "ruas", "pairlie"])
def test_no_loss_reads_the_reference(name):
    made, batch = networks.recipe(name), networks.pairs()
    for phase in made.phases:
        terms = []
        for target in (batch.target, 1 - batch.target):
            torch.manual_seed(0)
            terms.append(phase.loss(batch._replace(target=target)))
        assert terms[0] == terms[1]


@pytest.mark.parametrize("name", ["kind", "retinexnet"])
def test_the_second_part_leaves_the_decomposition_alone(name, tmp_path):
    made = networks.recipe(name)
    before = {key: value.clone() for key, value in made.network.state_dict().items()}
    networks.trained(made, networks.pairs(), 2, tmp_path, log_every=1)
    after = made.network.state_dict()
    same = {key for key in before if torch.equal(after[key], before[key])}
    assert same == {key for key in before if key.startswith("decomposition")}


@pytest.mark.parametrize(
    ("name", "steps", "loss", "error"),
    [("kind", (60, 40), 0.6, 0.5), ("retinexnet", (100, 100), 0.5, 0.4)],
)
def test_both_parts_learn_to_brighten_two_images(tmp_path, name, steps, loss, error):
    plugin, batch, states = methods.find(name), networks.pairs(16), {}
    for part, count in zip(plugin.parts, steps, strict=True):
        torch.manual_seed(0)
        made = plugin.train(part, states, **plugin.quick)
        log = networks.trained(made, batch, count, tmp_path / part, rate=1e-2, log_every=10)
        totals = [sum(value for key, value in row.items() if "/" in key) for row in log]
        assert totals[-1] < loss * totals[0]
        states[part] = made.network.state_dict()
    with torch.no_grad():
        found = (made.network(batch.input) - batch.target).abs().mean()
    assert found < error * (batch.input - batch.target).abs().mean()


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *((name, methods.find(name).quick) for name in ("sci", "zero_dce", "zero_dce_pp", "ruas")),
        *((name, methods.find(name).quick) for name in ("retinexnet", "pairlie", "unet", "fbcnn")),
        ("kind", {"width": 4, "ratio": 2.0}),
        ("edsr", {"blocks": 2, "width": 8}),
    ],
)
def test_a_method_is_its_network_on_one_image(name, settings):
    atol = 1e-5 if methods.find(name).role == "deblocker" else 1e-6
    network = networks.recipe(name, **settings).network
    networks.assert_is_method(network, name, atol, **settings)
