"""Merged lists: who enters, who is held back, where paths lead."""

import pandas as pd
import pytest

from benchmark import merge, pairs
from benchmark.errors import InputError


def manifest(dataset, names, split="train", status="ok"):
    rows = [
        (
            *(dataset, split, name, f"low/{name}.png", f"high/{name}.png", ""),
            *(8, 8, "d" * 64, "n" * 64, status, "" if status == "ok" else "blurred"),
        )
        for name in names
    ]
    return pd.DataFrame(rows, columns=list(pairs.COLUMNS))


def test_a_prefix_reaches_every_path_and_leaves_empty_ones_empty():
    made = merge.prefixed(manifest("LOL", ["1"]), "raw/LOL/").iloc[0]
    assert (made["dark"], made["normal"], made["labels"]) == (
        "raw/LOL/low/1.png",
        "raw/LOL/high/1.png",
        "",
    )


def test_a_raw_path_is_found_in_the_sets_own_folder(tmp_path):
    (tmp_path / "LOL").mkdir()
    places = merge.Places((tmp_path,), tmp_path / "work")
    assert places.locate("raw/LOL/low/1.png") == tmp_path / "LOL" / "low" / "1.png"
    assert places.locate("work/pairs/LSRW/a.png") == tmp_path / "work" / "pairs" / "LSRW" / "a.png"


def test_a_set_that_went_away_is_named(tmp_path):
    with pytest.raises(InputError, match=r"raw/LOL/low/1\.png is in no raw data folder"):
        merge.Places((tmp_path,), tmp_path).locate("raw/LOL/low/1.png")


def test_validation_takes_the_share_of_each_set_and_is_fixed_by_the_seed():
    frame = pd.concat(
        [manifest("LOL", map(str, range(40))), manifest("LSRW", map(str, range(20)))],
        ignore_index=True,
    )
    one = merge.split_validation(frame, 0.1, seed=1)
    held = one[one["split"] == "validation"]
    assert held["dataset"].value_counts().to_dict() == {"LOL": 4, "LSRW": 2}
    pd.testing.assert_frame_equal(one, merge.split_validation(frame, 0.1, seed=1))
    other = merge.split_validation(frame, 0.1, seed=2)
    assert not one["split"].equals(other["split"])


def test_exposures_of_one_scene_stay_on_one_side():
    names = [f"{scene:05d}-{ev}" for scene in range(10) for ev in ("2.5", "3.0", "4.5")]
    made = merge.split_validation(manifest("RELLISUR", names), 0.2, seed=0)
    scenes = made["name"].str.partition("-")[0]
    assert made.groupby(scenes)["split"].nunique().max() == 1
    assert (made["split"] == "validation").sum() == 6


def test_a_share_of_zero_holds_nothing_back():
    made = merge.split_validation(manifest("LOL", ["1", "2"]), 0.0, seed=0)
    assert set(made["split"]) == {"train"}


def test_rejected_pairs_train_the_vae_and_not_the_mapping():
    raw = {"LSRW": manifest("LSRW", ["1", "2"])}
    paired = {
        "LSRW": pd.concat(
            [manifest("LSRW", ["1"]), manifest("LSRW", ["2"], status="rejected")],
            ignore_index=True,
        )
    }
    sets = {"vae_dark": ["LSRW"], "vae_normal": [], "mapping_pairs": ["LSRW"]}
    lists = merge.training_lists(raw, paired, sets, 0.0, 0)
    assert lists["vae_dark"]["name"].tolist() == ["1", "2"]
    assert lists["mapping_pairs"]["name"].tolist() == ["1"]
    assert len(lists["vae_normal"]) == 0


def test_test_images_never_enter_a_training_list():
    raw = {"LOL": pd.concat([manifest("LOL", ["1"]), manifest("LOL", ["22"], split="test")])}
    sets = {name: ["LOL"] for name in merge.TRAIN_LISTS}
    lists = merge.training_lists(raw, raw, sets, 0.0, 0)
    assert all(listed["name"].tolist() == ["1"] for listed in lists.values())
    assert merge.testing_lists(raw, ["LOL"])["LOL"]["name"].tolist() == ["22"]


def test_the_same_scene_is_on_the_same_side_in_every_list():
    raw = {"LOL": manifest("LOL", map(str, range(50)))}
    sets = {name: ["LOL"] for name in merge.TRAIN_LISTS}
    lists = merge.training_lists(raw, raw, sets, 0.1, 3)
    held = [set(listed.loc[listed["split"] == "validation", "name"]) for listed in lists.values()]
    assert len(held[0]) == 5
    assert held[0] == held[1] == held[2]


def test_counts_cover_both_splits():
    made = merge.counts({"vae_dark": merge.split_validation(manifest("LOL", "abcd"), 0.25, 0)})
    assert made.to_numpy().tolist() == [["vae_dark", "LOL", 4]]
