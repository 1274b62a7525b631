"""The study of the paper's doubts: each measure on a case whose answer is known."""

from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from benchmark.data import manifest
from benchmark.data.lists import TRAIN_LISTS
from benchmark.training import plan
from mlsm.config import LITERAL, SOUND, Config
from mlsm.model import MLSM
from mlsm.vae import VAE
from studies import levels, limits, probes, understanding
from studies.page import Table, page

TINY = replace(SOUND, width=4, n_res=0)


def images(count, seed=0, height=64, width=80):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 6, 8, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    return list(smooth.split(1))


def model(config: Config = TINY) -> MLSM:
    torch.manual_seed(0)
    return MLSM(config).eval().requires_grad_(False)


def fake_vae(decode):
    """A VAE with one level whose latent is the image."""
    encode = lambda image: [SimpleNamespace(mu=image)]  # noqa: E731
    return SimpleNamespace(config=SimpleNamespace(stride=1), encoder=encode, decoder=decode)


def test_a_faithful_autoencoder_follows_brightness_with_slope_one():
    (image,) = images(1)
    assert levels.brightness_slope(fake_vae(lambda x: x[0]), image * 0.4) == pytest.approx(1, 1e-4)


def test_one_that_normalises_does_not_follow_brightness():
    (image,) = images(1)
    normalised = fake_vae(lambda x: (x[0] - x[0].mean()) / x[0].std())
    assert levels.brightness_slope(normalised, image * 0.4) == pytest.approx(0, abs=0.02)


def test_a_flattened_level_is_its_mean_and_the_others_stay():
    first, second = torch.rand(1, 2, 4, 4), torch.rand(1, 2, 2, 2)
    made = levels.flattened([first, second], 0)
    assert torch.allclose(made[0], first.mean((2, 3), keepdim=True).expand_as(first))
    assert made[1] is second


def test_the_top_levels_deblocking_branch_moves_with_no_image():
    moves = levels.branch_movement(model(), images(3))
    assert moves[-1][1] == 0
    assert all(second > 0 for _, second in moves[:-1])
    assert all(first > 0 for first, _ in moves)


def test_it_moves_where_it_sees_the_feature():
    assert levels.branch_movement(model(replace(TINY, topres="feature")), images(3))[-1][1] > 0


@pytest.mark.parametrize(("rate", "share"), [(6, 0.625), (12, 0.25), (18, 0)])
def test_an_off_centre_tap_meets_a_crop_as_often_as_geometry_says(rate, share):
    assert levels.reach(16, rate) == share


def test_taps_that_no_crop_reaches_get_no_gradient():
    network, crop = model(), images(1, height=64, width=64)[0]
    assert levels.off_centre_gradient(network, 2, 18, crop) == 0
    assert levels.off_centre_gradient(network, 2, 6, crop) > 0.1


def test_a_kernel_is_its_centre_for_a_while_and_itself_again():
    convolution = levels.dilated(model(), 0)[12]
    before = convolution.weight.clone()
    with levels.centre_taps_alone(convolution):
        assert torch.equal(convolution.weight[..., 1, 1], before[..., 1, 1])
        assert convolution.weight[..., 0, 0].abs().max() == 0
    assert torch.equal(convolution.weight, before)


def test_blocks_are_seen_and_a_ramp_has_none():
    blocks = torch.rand(1, 1, 8, 8).repeat_interleave(8, 2).repeat_interleave(8, 3)
    noise = 1e-3 * torch.rand(1, 1, 64, 64)
    ramp = torch.arange(64.0).view(1, 1, 1, 64).expand(1, 1, 64, 64) + noise
    assert levels.blocking(blocks + noise, 8) > 100
    assert levels.blocking(ramp, 8) == pytest.approx(1, abs=0.05)


def test_a_probe_finds_a_pattern_and_guesses_without_one():
    plain = [x + 0.05 * torch.randn(x.shape) for x in images(12)]
    pattern = 0.2 * torch.sin(torch.arange(80.0) * torch.pi / 4).view(1, 1, 1, 80)
    marked = [x + pattern for x in plain]
    assert probes.separation(plain, marked, 1).auc > 0.95
    other = [x + 0.05 * torch.randn(x.shape) for x in images(12)]
    assert 0.3 < probes.separation(plain, other, 1).auc < 0.7


def test_gain_moves_the_error_and_not_the_fair_measures():
    plain = [x + 0.05 * torch.randn(x.shape) for x in images(8)]
    moved = [x + 0.1 * torch.randn(x.shape) for x in plain]
    one = probes.separation(plain, moved, 1)
    two = probes.separation([2 * x for x in plain], [2 * x for x in moved], 1)
    assert two.mse == pytest.approx(4 * one.mse)
    assert two.relative == pytest.approx(one.relative)
    assert two.auc == pytest.approx(one.auc, abs=1e-6)


@pytest.fixture
def seen():
    found = images(6)
    compressed = [(x + 0.02 * torch.randn(x.shape)).clamp(0, 1) for x in found]
    return understanding.Pictures(found, compressed, images(6, 1), 90)


@pytest.fixture
def found():
    return understanding.Subject(
        model(), *(VAE(TINY).eval().requires_grad_(False) for _ in range(2))
    )


@pytest.mark.parametrize(
    ("experiment", "count"),
    [
        (understanding.e19_dead_branch, 3),
        (understanding.e21_collapse, 4),
        (understanding.e22_blocks, 2),
        (understanding.e23_dilation, 9),
        (understanding.e25_separation, 5),
    ],
)
def test_an_experiment_fills_its_table(experiment, count, found, seen):
    table = experiment(found, seen)
    assert len(table.rows) == count
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_figure_3_shows_each_image_in_the_pixels_and_at_every_level(found, seen):
    errors = understanding.relative_errors(found, seen)
    assert list(errors) == ["image", "level 0", "level 1", "level 2"]
    assert {len(values) for values in errors.values()} == {len(seen.dark)}
    by_hand = (seen.dark[0] - seen.compressed[0]).square().mean() / seen.dark[0].var()
    assert errors["image"][0] == pytest.approx(float(by_hand))
    figure = understanding.figure_3(found, [seen, seen])
    assert [len(axes.lines) for axes in figure.axes] == [8, 8]  # dots and a bar each


def test_experiments_on_trained_autoencoders_fill_theirs(seen, monkeypatch):
    def small_vae(params, data, **settings):
        preset = LITERAL if settings.get("preset") == "literal" else SOUND
        own = {"norm": settings["norm"]} if "norm" in settings else {}
        return VAE(replace(preset, width=4, n_res=0, **own)).requires_grad_(False)

    monkeypatch.setattr(understanding, "small_vae", small_vae)
    params = SimpleNamespace(training={"mlsm": SimpleNamespace(settings={"width": 4})})
    kl = understanding.e17_literal_kl(params, None, seen)
    assert kl.rows[0][:2] == ["as printed", "before training"]
    printed = [float(cell.split()[0]) for cell in kl.rows[0][2:]]
    assert printed == pytest.approx([0.25] * 3, abs=0.05)  # E[relu(z)^2] / 2 under instance norm
    assert len(understanding.e18_brightness(params, None, seen).rows) == 4


def test_a_page_holds_every_cell():
    table = Table("E1: a doubt", "What was done.", ["norm", "PSNR"], [["none", "30.1"]])
    text, cells = page("Doubts", "Of a profile.", [table])
    assert "| none | 30.1 |" in text
    assert cells[["doubt", "column", "value"]].to_numpy().tolist() == [
        ["E1", "norm", "none"],
        ["E1", "PSNR", "30.1"],
    ]


@pytest.fixture
def logged():
    """Curves of a method of one part and of two of three parts."""
    log = pd.DataFrame({"step": [10, 20, 30], "validation_psnr": [None, 15.0, 16.0]})
    parts = ("mlsm", "mlsm_vae_dark", "mlsm_vae_normal")
    keys = ("unet", *parts, *(part.replace("mlsm", "mlsm_level1") for part in parts))
    pace = {"vae_dark": 60.0, "vae_normal": 60.0, "model": 6.0}
    rows = [(name, *item) for name in ("mlsm", "mlsm_level1") for item in pace.items()]
    seconds = pd.DataFrame([("unet", "model", 6.0), *rows], columns=["method", "part", "seconds"])
    return limits.curves(dict.fromkeys(keys, log), seconds)


def test_minutes_of_a_method_count_the_parts_that_it_is_built_on(logged):
    assert logged["unet"]["minutes"].tolist() == [2.0, 3.0]
    for name in ("mlsm", "mlsm_level1"):  # 30 minutes for each VAE
        assert logged[name]["minutes"].tolist() == [62.0, 63.0]
        assert logged[name]["psnr"].tolist() == [15.0, 16.0]


def test_a_time_before_the_first_or_after_the_last_validation_has_no_value(logged):
    curve = logged["unet"]
    assert limits.reached(curve, 1.9) is None
    assert limits.reached(curve, 2.5) == 15.0
    assert limits.reached(curve, 3.4) == 16.0
    assert limits.reached(curve, 4.0) is None
    table = limits.time(logged, dict.fromkeys(logged, "a title"))
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_a_figure_shows_every_method(logged):
    figure = limits.draw(logged, dict.fromkeys(logged, "a title"))
    (axes,) = figure.axes
    assert len(axes.lines) == len(logged) + 1  # and one for the legend


def test_reduced_lists_keep_every_nth_training_pair_and_all_others(tmp_path):
    columns = dict.fromkeys(manifest.COLUMNS, "") | dict.fromkeys(manifest.INTEGERS, 1)
    rows = [
        columns | {"dataset": "A", "name": f"{i}", "status": "ok", "split": split}
        for i, split in enumerate(["train"] * 8 + ["validation"] * 2)
    ]
    for name in TRAIN_LISTS:
        manifest.write_manifest(pd.DataFrame(rows), tmp_path / "all" / f"{name}.csv")
    whole = plan.TrainingData(tmp_path / "all", tmp_path / "jpegs", None)
    made = limits.reduced(whole, 4, tmp_path / "few")
    counts = {
        name: manifest.read_manifest(made.lists / f"{name}.csv")["split"].value_counts().to_dict()
        for name in TRAIN_LISTS
    }
    assert counts["mapping_pairs"] == {"train": 2, "validation": 2}
    assert counts["vae_dark"] == counts["vae_normal"] == {"train": 8, "validation": 2}
    assert made.jpegs == whole.jpegs


def test_forgiving_part_of_the_error_leaves_what_it_should():
    (wanted,) = images(1, height=96, width=112)
    wanted = wanted * 0.5 + 0.1
    dark = limits.corrected(wanted * 0.5, wanted)
    assert dark[0] < 20 < 90 < dark[1]  # a gain alone was missing
    offset = torch.tensor([0.02, 0.05, 0.1]).reshape(1, 3, 1, 1)
    tinted = limits.corrected(wanted * 0.5 + offset, wanted)
    assert tinted[1] < 60 < 90 < tinted[2]  # a gain and an offset
    field = torch.linspace(0, 0.2, 112).expand(1, 3, 96, 112)
    lit = limits.corrected(wanted + field, wanted)
    assert lit[3] > max(lit[:3]) + 3  # a smooth field
    noise = torch.rand(wanted.shape, generator=torch.Generator().manual_seed(1)) * 0.2 - 0.1
    assert limits.corrected(wanted + noise, wanted)[3] == pytest.approx(
        limits.corrected(wanted + noise, wanted)[0], abs=0.2
    )
