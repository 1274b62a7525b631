"""Training a part of a method on merged lists, and registered pairs on disk."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from pictures import photograph

from benchmark import (
    ROOT,
    compression,
    fitting,
    images,
    inventory,
    merge,
    pairing,
    pairs,
    params,
    weights,
)
from benchmark.errors import InputError
from benchmark.fitting import Data


@pytest.fixture
def data(tmp_path):
    """Six pairs as the stages merge and compress leave them; the last is for validation."""
    found = []
    for number in range(6):
        normal = photograph(64, 80, number)
        images.write(tmp_path / "normal" / f"{number}.png", normal)
        images.write(tmp_path / "dark" / f"{number}.png", (normal // 6).astype(np.uint8))
        files = (tmp_path / side / f"{number}.png" for side in ("dark", "normal"))
        found.append(pairs.Pair("LOL", "train", str(number), *files))
    listed = merge.prefixed(inventory.manifest(found, tmp_path), "work/")
    listed["split"] = ["train"] * 5 + ["validation"]
    for name in merge.TRAIN_LISTS:
        pairs.write_manifest(listed, tmp_path / "lists" / f"{name}.csv")
    places = merge.Places((), tmp_path)
    cells = [*listed["dark"], *listed["normal"]]
    compression.compress(cells, [90, 60], places, tmp_path / "jpeg", 1)
    return Data(tmp_path / "lists", tmp_path / "jpeg", places)


def profile(steps=4, **settings):
    content = yaml.safe_load((ROOT / "params.yaml").read_text())
    content |= {"train_qfs": [90, 60]}
    content["training"] = {
        "edsr": {
            "steps": steps,
            "batch": 2,
            "crop": 16,
            "settings": {"blocks": 1, "width": 8} | settings,
        }
    }
    return params.Params.model_validate(content)


def fit(data, state, **changes):
    return fitting.fit(profile(**changes), "edsr", "model", data, state)


@pytest.mark.parametrize(
    ("source", "train", "same"),
    [("dark", 5, True), ("normal", 5, True), ("both", 10, True), ("pairs", 5, False)],
)
def test_each_source_gives_its_images(data, source, train, same):
    found = fitting.items(data, source, [90, 60])
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
    weights.save(tmp_path / "edsr.pt", checkpoint)
    read = weights.load(tmp_path / "edsr.pt")
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
    for name in merge.TRAIN_LISTS:
        path = data.lists / f"{name}.csv"
        pairs.write_manifest(pairs.read_manifest(path).iloc[1:], path)
    fit(data, tmp_path / "state")
    assert len(list((tmp_path / "state").iterdir())) == 2


def test_an_unknown_part_is_named(data, tmp_path):
    with pytest.raises(InputError, match="no part 'vae'"):
        fitting.fit(profile(), "edsr", "vae", data, tmp_path)


def test_registration_writes_what_it_moved_and_tells_what_it_refused(tmp_path):
    scene = photograph(200, 220, 3)
    shifted = {"dark": scene[:192, :208] // 3, "normal": scene[5:197, 7:215]}
    strange = {"dark": scene[:192, :208] // 3, "normal": np.full((192, 208, 3), 90, np.uint8)}
    aligned = {"dark": scene[:192, :208] // 3, "normal": scene[:192, :208]}
    found = []
    for name, made in (("shifted", shifted), ("strange", strange), ("aligned", aligned)):
        for side, pixels in made.items():
            images.write(tmp_path / side / f"{name}.png", np.ascontiguousarray(pixels))
        files = (tmp_path / side / f"{name}.png" for side in ("dark", "normal"))
        found.append(pairs.Pair("LSRW", "train", name, *files))
    listed = merge.prefixed(inventory.manifest(found, tmp_path), "work/")
    folder = tmp_path / "pairs"
    made = pairing.register(listed, merge.Places((), tmp_path), folder, "work/pairs/", 0, 1)
    rows = made.set_index("name")
    assert rows.loc["strange", "status"] == "rejected"
    assert rows.loc["strange", "reason"]
    pd.testing.assert_series_equal(rows.loc["aligned"], listed.set_index("name").loc["aligned"])
    assert rows.loc["shifted", "dark"] == "work/pairs/dark/shifted.png"
    dark = images.read_uint8(folder / "dark" / "shifted.png")
    normal = images.read_uint8(folder / "normal" / "shifted.png")
    assert (
        dark.shape
        == normal.shape
        == (rows.loc["shifted", "height"], rows.loc["shifted", "width"], 3)
    )
    error = np.abs(dark[8:-8, 8:-8] * 3.0 - normal[8:-8, 8:-8]).mean()
    assert error < 6.0
