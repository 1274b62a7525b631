"""Training a part of a method on merged lists."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
import yaml

from benchmark import ROOT, methods
from benchmark.core import images, params
from benchmark.core.errors import InputError
from benchmark.data import compression, inventory, lists, manifest
from benchmark.methods import checkpoints
from benchmark.training import Phase, Recipe, loop, plan
from benchmark.training.plan import TrainingData
from tests.helpers.pictures import photograph


@pytest.fixture
def data(tmp_path):
    """Six pairs as the stages merge and compress leave them; the last is for validation."""
    found = []
    for number in range(6):
        normal = photograph(64, 80, number)
        images.write(tmp_path / "normal" / f"{number}.png", normal)
        images.write(tmp_path / "dark" / f"{number}.png", (normal // 6).astype(np.uint8))
        files = (tmp_path / side / f"{number}.png" for side in ("dark", "normal"))
        found.append(manifest.Pair("LOL", "train", str(number), *files))
    listed = lists.prefixed(inventory.manifest(found, tmp_path), "work/")
    listed["split"] = ["train"] * 5 + ["validation"]
    for name in lists.TRAIN_LISTS:
        manifest.write_manifest(listed, tmp_path / "lists" / f"{name}.csv")
    places = lists.PathResolver((), tmp_path)
    cells = [*listed["dark"], *listed["normal"]]
    compression.compress(cells, [90, 60], places, tmp_path / "jpeg", 1)
    return TrainingData(tmp_path / "lists", tmp_path / "jpeg", places)


def profile(steps=4, **settings):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content |= {"train_qfs": [90, 60], "precision": "32-true"}
    content["training"] = {
        "edsr": {
            "steps": steps,
            "batch": 2,
            "crop": 16,
            "settings": {"blocks": 1, "width": 8} | settings,
        }
    }
    return params.Params.model_validate(content)


def training_only(**training):
    content = profile().model_dump(mode="json", exclude_none=True)
    return params.Params.model_validate(content | {"training": training})


def fit(data, state, **changes):
    return plan.train_part(profile(**changes), "edsr", "model", data, state)


@pytest.mark.parametrize(
    ("source", "train", "same"),
    [("dark", 5, True), ("normal", 5, True), ("both", 10, True), ("pairs", 5, False)],
)
def test_each_source_gives_its_images(data, source, train, same):
    found = plan.items(data, source, [90, 60])
    assert len(found["train"]) == train
    assert len(found["validation"]) == train // 5
    for item in found["train"]:
        assert sorted(item.inputs) == [60, 90]
        sides = {path.parent.name for path in item.inputs.values()}
        assert (sides == {item.target.parent.name}) is same


def test_a_checkpoint_tells_how_it_was_made(data, tmp_path):
    checkpoint, log = fit(data, tmp_path / "state")
    record = checkpoint.record
    assert checkpoint.settings == {"blocks": 1, "width": 8}
    assert (record["steps"], record["batch"], record["crop_px"]) == (4, 2, 16)
    assert record["images"] == {"train": 10, "validation": 2}
    assert record["qfs"] == [90, 60]
    assert record["versions"]["torch"] == torch.__version__
    assert log[-1]["step"] == 4
    assert np.isfinite(log[-1]["validation_psnr"])


def test_a_checkpoint_survives_the_disk(data, tmp_path):
    checkpoint, _ = fit(data, tmp_path / "state")
    checkpoints.save(tmp_path / "edsr.pt", checkpoint)
    read = checkpoints.load(tmp_path / "edsr.pt", "edsr")
    assert (read.settings, read.record) == (checkpoint.settings, checkpoint.record)
    assert all(torch.equal(read.state[name], checkpoint.state[name]) for name in read.state)


def test_the_same_profile_trains_the_same_weights(data, tmp_path):
    one, _ = fit(data, tmp_path / "one")
    two, _ = fit(data, tmp_path / "two")
    assert all(torch.equal(one.state[name], two.state[name]) for name in one.state)


def test_another_setting_is_another_run(data, tmp_path):
    fit(data, tmp_path / "state")
    fit(data, tmp_path / "state", width=4)
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_changed_data_are_another_run(data, tmp_path):
    fit(data, tmp_path / "state")
    for name in lists.TRAIN_LISTS:
        path = data.lists / f"{name}.csv"
        manifest.write_manifest(manifest.read_manifest(path).iloc[1:], path)
    fit(data, tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_weights_that_a_training_would_give_are_known(data, tmp_path):
    checkpoint, _ = fit(data, tmp_path / "state")
    wanted = plan.identity(profile(), "edsr", "model", data)
    assert plan.is_trained(checkpoint, wanted)
    for other in (profile(steps=5), profile(width=4)):
        assert not plan.is_trained(checkpoint, plan.identity(other, "edsr", "model", data))


def test_a_setting_that_a_variant_fixes_cannot_be_set_by_a_profile(data):
    budget = {"steps": 1, "settings": {"width": 8, "levels": 3}}
    parts = {name: {"steps": 1} for name in ("vae_dark", "vae_normal")}
    chosen = training_only(mlsm_level1=budget | {"parts": parts})
    with pytest.raises(InputError, match=r"mlsm_level1 is a variant that fixes levels to 1"):
        plan.identity(chosen, "mlsm_level1", "model", data)


def test_a_misspelt_setting_of_a_training_is_named(data, tmp_path):
    chosen = training_only(edsr={"steps": 1, "settings": {"widht": 8}})
    with pytest.raises(InputError, match=r"training\.edsr\.settings .*'widht'"):
        plan.train_part(chosen, "edsr", "model", data, tmp_path / "state")


def test_the_identity_of_a_training_follows_the_images_and_not_their_paths(data):
    before = plan.identity(profile(), "edsr", "model", data)
    path = data.lists / "vae_dark.csv"
    listed = manifest.read_manifest(path)
    manifest.write_manifest(listed.assign(dark="elsewhere/" + listed["dark"]), path)
    assert plan.identity(profile(), "edsr", "model", data) == before
    manifest.write_manifest(listed.assign(dark_sha256="0" * 64), path)
    assert plan.identity(profile(), "edsr", "model", data) != before


def changed(**changes):
    whole = profile()
    training = whole.training["edsr"].model_copy(update=changes)
    return whole.model_copy(update={"training": {"edsr": training}})


def test_a_training_on_some_quality_factors_never_sees_the_others(data, tmp_path, monkeypatch):
    seen = set()

    def remember(recipe, batches, run, fabric):
        seen.update(int(qf) for step in range(20) for qf in batches.draw(step, 0).qf)
        return [{"step": 1.0}]

    monkeypatch.setattr(plan.loop, "train", remember)
    monkeypatch.setattr(plan.loop, "seconds", lambda run: 90.0)
    checkpoint, _ = plan.train_part(changed(qfs=[60]), "edsr", "model", data, tmp_path)
    assert seen == {60}
    assert checkpoint.record["qfs"] == [60]
    assert checkpoint.record["minutes"] == 1.5


def test_what_a_profile_chooses_of_the_loop_is_recorded(data, tmp_path):
    chosen = changed(schedule="cosine", ema=0.9, keep="best")
    checkpoint, log = plan.train_part(chosen, "edsr", "model", data, tmp_path)
    record = checkpoint.record
    assert (record["schedule"], record["ema"], record["keep"]) == ("cosine", 0.9, "best")
    assert record["kept_step"] == record["steps"] == record["budget_steps"] == log[-1]["step"]
    assert record["flat_at"] is None
    usual = plan.identity(profile(), "edsr", "model", data)
    assert plan.identity(chosen, "edsr", "model", data) != usual


def test_a_training_until_flat_says_where_it_was_flat(data, tmp_path):
    chosen = changed(schedule="until_flat", steps=8)
    checkpoint, log = plan.train_part(chosen, "edsr", "model", data, tmp_path)
    assert log[-1]["step"] == 8
    assert checkpoint.record["schedule"] == "until_flat"
    assert checkpoint.record["flat_at"] is None  # eight steps are validated once, at their end


def test_the_step_of_flatness_is_found_in_the_log():
    made = Recipe(None, (), "pairs", 1, 8, 1, None, schedule="until_flat")
    log = [{"step": step} for step in (20, 40, 60, 80)]
    assert plan._flat_at(made, log, 100) == 60
    assert plan._flat_at(made, log, 80) is None
    assert plan._flat_at(dataclasses.replace(made, schedule="linear"), log, 100) is None


def test_a_part_without_a_budget_is_named():
    with pytest.raises(InputError, match=r"add it as training\.edsr\.parts\.decomposition"):
        profile().training_of("edsr", "decomposition")


def in_parts(monkeypatch):
    """A method of two parts: the second network holds the first, frozen."""

    def recipe(part, trained, width=2):
        network = torch.nn.Conv2d(3, 3, 1)
        if part == "model":
            network = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), network)
            network[0].load_state_dict(trained["first"])
            network[0].requires_grad_(False)
        loss = partial(
            lambda net, batch: {"l1": (net(batch.input) - batch.target).abs().mean()}, network
        )
        phase = Phase("train", network, loss, partial(torch.optim.Adam, lr=1e-2))
        return Recipe(network, (phase,), "pairs", 2, 16, 10, network)

    found = dataclasses.replace(methods.find("edsr"), train=recipe, parts=("first", "model"))
    monkeypatch.setattr(plan, "find", lambda name: found)


def test_all_parts_are_trained_in_order_and_the_log_tells_them_apart(data, tmp_path, monkeypatch):
    in_parts(monkeypatch)
    content = profile().model_dump()
    content["training"]["edsr"] |= {
        "settings": {},
        "parts": {"first": {"steps": 3, "batch": 2, "crop": 16}},
    }
    chosen = params.Params.model_validate(content)
    made, log = plan.train_method(chosen, "edsr", data, tmp_path / "state")
    checkpoint = made["model"]
    first, _ = plan.train_part(chosen, "edsr", "first", data, tmp_path / "state")
    assert [row["part"] for row in log] == ["first", "model"]
    assert torch.equal(checkpoint.state["0.weight"], first.state["weight"])
    assert plan.is_trained(checkpoint, plan.identity(chosen, "edsr", "model", data))


def test_a_part_that_is_trained_as_asked_is_kept_with_its_log(data, tmp_path, monkeypatch):
    in_parts(monkeypatch)
    content = profile().model_dump()
    parts = {"first": {"steps": 3, "batch": 2, "crop": 16}}
    content["training"]["edsr"] |= {"settings": {}, "parts": parts}
    chosen = params.Params.model_validate(content)
    made, log = plan.train_method(chosen, "edsr", data, tmp_path / "state")
    loop.write_log(tmp_path / "edsr.csv", log)
    for part, checkpoint in made.items():
        checkpoints.save(checkpoints.trained_path(tmp_path, "edsr", part), checkpoint)
    content["training"]["edsr"]["steps"] += 1
    longer = params.Params.model_validate(content)
    kept = plan.trained_already(longer, "edsr", data, tmp_path, tmp_path)
    assert [*kept] == ["first"]
    asked = []
    monkeypatch.setattr(plan, "train_part", lambda *a: asked.append(a[2]) or (made[a[2]], []))
    _, again = plan.train_method(longer, "edsr", data, tmp_path / "state", kept)
    assert asked == ["model"]
    assert [row["step"] for row in again] == [r["step"] for r in log if r["part"] == "first"]


def test_an_unknown_part_is_named(data, tmp_path):
    with pytest.raises(InputError, match="no part 'vae'"):
        plan.train_part(profile(), "edsr", "vae", data, tmp_path)


def test_weights_trained_in_double_precision_are_kept_in_float32(data, tmp_path):
    chosen = profile().model_copy(update={"precision": "64-true"})
    made, _ = plan.train_part(chosen, "edsr", "model", data, tmp_path / "state")
    assert {value.dtype for value in made.state.values()} == {torch.float32}
    assert made.record["precision"] == "64-true"
    single = plan.identity(profile(), "edsr", "model", data)
    assert not plan.is_trained(made, single)


def test_a_training_may_have_a_precision_of_its_own(data):
    content = profile().model_dump() | {"precision": "64-true"}
    content["training"]["edsr"]["precision"] = "32-true"
    chosen = params.Params.model_validate(content)
    known = plan.identity(chosen, "edsr", "model", data)
    assert known == plan.identity(profile(), "edsr", "model", data)
