from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from torch.nn import functional

from baselines.mlsm import mlsm
from benchmark.core.errors import InputError
from benchmark.training import Batch, Batches, Recipe
from benchmark.training.loop import Run, train
from mlsm import recipes
from mlsm.config import LITERAL, SOUND, Config
from mlsm.discriminator import Discriminator
from mlsm.model import MLSM
from mlsm.vae import VAE

TINY = replace(SOUND, width=4, levels=2, n_res=0, discriminator_width=4)
CONDITIONAL = replace(TINY, conditional_gan=True, weights="oldphoto")
OLDPHOTO = replace(LITERAL, width=4, levels=2, discriminator_width=4, weights="oldphoto")
SIDE = 32


def draw(step: int, process: int) -> Batch:
    """Return the same two pairs in every step: smooth colours, and a fifth of their light."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 4, 4, generator=generator)
    normal = functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear")
    return Batch(normal * 0.2, normal, torch.tensor([90, 90]))


def fit(recipe: Recipe, folder: Path, steps: int) -> list[dict[str, float]]:
    return train(recipe, Batches(draw, ()), Run(steps, 0, folder, log_every=1))


def test_the_finest_latent_is_left_out_of_some_crops_alone() -> None:
    torch.manual_seed(0)
    latents = [torch.ones(400, 2, 4, 4), torch.ones(400, 2, 2, 2)]
    kept = recipes._dropped(latents, 0.25)
    zeroed = (kept[0] == 0).all((1), keepdim=True).flatten(1)
    assert set(zeroed.float().mean(1).tolist()) == {0.0, 1.0}  # a crop is dropped whole
    assert 0.2 < float(zeroed[:, 0].float().mean()) < 0.3
    assert kept[1] is latents[1]
    assert recipes._dropped(latents, 0.0) is latents


def test_exposures_of_a_crop_are_stops_of_light() -> None:
    torch.manual_seed(0)
    crops = torch.full((200, 3, 2, 2), 0.2)
    changed = recipes._exposed(crops, replace(TINY, exposure_stops=1.0))
    stops = recipes.GAMMA * (changed[:, 0, 0, 0] / 0.2).log2()
    assert -1.0 <= float(stops.min()) < -0.8
    assert 0.8 < float(stops.max()) <= 1.0
    assert recipes._exposed(crops, TINY) is crops


@pytest.mark.parametrize(
    "change",
    [{"tone": True}, {"mean_matched": True}, {"exposure_stops": 0.5}, {"drop_finest": 0.5}],
)
def test_stage_2_learns_with_each_choice_that_the_paper_lacks(
    change: dict[str, float], tmp_path: Path
) -> None:
    log = fit(mapping_recipe(replace(TINY, **change)), tmp_path, 30)
    assert log[-1]["mapping/image"] < 0.85 * log[0]["mapping/image"]


def mapping_recipe(config: Config) -> Recipe:
    torch.manual_seed(0)
    return recipes.mapping(config, VAE(config).state_dict(), VAE(config).state_dict())


def vae_recipe(config: Config) -> Recipe:
    torch.manual_seed(0)
    return recipes.vae_dark(config)


@pytest.mark.parametrize("config", [TINY, OLDPHOTO], ids=["tuned", "oldphoto"])
@pytest.mark.parametrize("make", [vae_recipe, mapping_recipe])
def test_generator_loss_falls_within_a_few_steps(
    make: Callable[[Config], Recipe], config: Config, tmp_path: Path
) -> None:
    recipe = make(config)
    own = recipe.phases[0].name
    log = fit(recipe, tmp_path, 5)
    totals = [sum(v for key, v in row.items() if key.startswith(own)) for row in log]
    assert min(totals[-2:]) < totals[0]


def test_log_names_every_term_of_equation_12(tmp_path: Path) -> None:
    row = fit(vae_recipe(TINY), tmp_path, 1)[0]
    assert set(row) - {"step", "rate"} == {
        "vae/image",
        "vae/perceptual",
        "vae/adversarial",
        "vae/kl_0",
        "vae/kl_1",
        "discriminator/real",
        "discriminator/made",
    }


def test_log_names_every_term_of_equation_18(tmp_path: Path) -> None:
    row = fit(mapping_recipe(replace(TINY, weights="paper")), tmp_path, 1)[0]
    assert set(row) - {"step", "rate"} == {
        "mapping/latent_0",
        "mapping/latent_1",
        "mapping/perceptual",
        "mapping/adversarial",
        "discriminator/real",
        "discriminator/made",
    }


def test_vaes_stay_frozen_while_the_mapping_learns(tmp_path: Path) -> None:
    recipe = mapping_recipe(TINY)
    network = cast(MLSM, recipe.network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit(recipe, tmp_path, 2)
    changed = {
        name.split(".")[0]
        for name, value in network.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"mapping"}


def test_each_phase_moves_its_own_network_alone() -> None:
    recipe = vae_recipe(TINY)
    generator, discriminator = recipe.phases
    sum(generator.loss(draw(0, 0)).values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is None for p in discriminator.module.parameters())
    recipe.network.zero_grad(set_to_none=True)
    sum(discriminator.loss(draw(0, 0)).values()).backward()  # type: ignore[union-attr]
    assert all(p.grad is not None for p in discriminator.module.parameters())
    assert all(p.grad is None for p in recipe.network.parameters())


def test_discriminator_phase_before_the_generators_is_refused() -> None:
    with pytest.raises(RuntimeError, match="after the generator's"):
        vae_recipe(TINY).phases[1].loss(draw(0, 0))


def test_conditional_discriminator_has_six_channels_in_stage_2_alone() -> None:
    channels = []
    for recipe in (vae_recipe(CONDITIONAL), mapping_recipe(CONDITIONAL)):
        module = cast(Discriminator, recipe.phases[1].module)
        channels.append(next(module.parameters()).shape[1])
        assert recipe.phases[0].loss(draw(0, 0))["adversarial"] > 0
    assert channels == [3, 6]


def test_dark_vae_reconstructs_the_compressed_input_and_the_normal_vae_the_target() -> None:
    batch = draw(0, 0)
    for recipe, image in (
        (vae_recipe(TINY), batch.input),
        (recipes.vae_normal(TINY), batch.target),
    ):
        torch.manual_seed(0)
        term = recipe.phases[0].loss(batch)["image"].item()
        torch.manual_seed(0)
        made = cast(VAE, recipe.network)(image * 2 - 1).image
        assert term == pytest.approx(10 * (made - (image * 2 - 1)).abs().mean().item(), rel=1e-4)


def test_the_control_without_mapping_learns_from_dark_to_normal(tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe = recipes.direct(TINY)
    assert recipe.source == "pairs"
    log = fit(recipe, tmp_path, 8)
    assert {"direct/image", "direct/perceptual", "discriminator/real"} <= log[0].keys()
    assert not [key for key in log[0] if "kl" in key]
    assert log[-1]["direct/image"] < log[0]["direct/image"]
    assert recipe.predict(torch.rand(1, 3, 5, 9)).shape == (1, 3, 5, 9)


def test_recipes_name_their_crops() -> None:
    made = (vae_recipe(TINY), recipes.vae_normal(TINY), mapping_recipe(TINY))
    assert [recipe.source for recipe in made] == ["dark", "normal", "pairs"]
    assert all(recipe.batch == 16 and recipe.crop == 64 for recipe in made)


def test_many_levels_train_on_larger_crops() -> None:
    assert recipes.vae_normal(replace(TINY, levels=5)).crop == 128


def test_paper_preset_trains_as_section_iv_a_says() -> None:
    recipe = mapping_recipe(replace(TINY, weights="paper"))
    adam = recipe.phases[0].optimiser(recipe.network.parameters())
    assert isinstance(adam, torch.optim.Adam)
    assert adam.param_groups[0]["lr"] == 2e-4
    assert (recipe.factor(0, 10), recipe.factor(5, 10)) == (1.0, 0.5)


def test_vae_prediction_takes_any_size() -> None:
    assert vae_recipe(TINY).predict(torch.rand(1, 3, 19, 35)).shape == (1, 3, 19, 35)


@pytest.mark.parametrize("side", [8, 20])
def test_crops_that_the_levels_cannot_halve_are_refused(side: int) -> None:
    crops = torch.rand(1, 3, side, side)
    batch = Batch(crops, crops, torch.tensor([90]))
    with pytest.raises(InputError, match="set `crop` in params"):
        vae_recipe(TINY).phases[0].loss(batch)


def test_plugin_trains_its_parts_in_order_and_enhances(tmp_path: Path) -> None:
    settings = {"width": 4, "levels": 2, "n_res": 0, "aspp_rates": [1, 2]}
    trained: dict[str, dict[str, torch.Tensor]] = {}
    assert mlsm.train is not None
    for part in mlsm.parts:
        torch.manual_seed(0)
        recipe = mlsm.train(part, trained, **settings)
        fit(recipe, tmp_path / part, 1)
        trained[part] = recipe.network.state_dict()
    image = np.random.default_rng(0).random((13, 20, 3), np.float32)
    output = mlsm.build(trained["model"], **settings)(image)
    expected = recipe.predict(torch.from_numpy(image).permute(2, 0, 1)[None])[0]
    assert output.dtype == np.float32
    assert np.allclose(output, expected.detach().permute(1, 2, 0).numpy(), atol=1e-6)
