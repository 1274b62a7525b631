"""Merged lists: who enters, who is held back, where paths lead."""

import pandas as pd
import pytest

from benchmark.core.errors import InputError
from benchmark.data import lists, manifest


def manifest_of(dataset, names, split="train", status="ok"):
    rows = [
        {
            **dict.fromkeys(manifest.COLUMNS, ""),
            **dict.fromkeys(manifest.INTEGERS, 8),
            **{"dataset": dataset, "split": split, "name": name},
            **{"dark": f"low/{name}.png", "normal": f"high/{name}.png"},
            **{"dark_sha256": f"d{name}", "normal_sha256": f"n{name}"},
            **{"status": status, "reason": "" if status == "ok" else "blurred"},
        }
        for name in names
    ]
    return pd.DataFrame(rows, columns=list(manifest.COLUMNS))


def test_a_prefix_reaches_every_path_and_leaves_empty_ones_empty():
    made = lists.prefixed(manifest_of("LOL", ["1"]), "raw/LOL/").iloc[0]
    assert (made["dark"], made["normal"], made["labels"]) == (
        "raw/LOL/low/1.png",
        "raw/LOL/high/1.png",
        "",
    )


def test_a_raw_path_is_found_in_the_sets_own_folder(tmp_path):
    (tmp_path / "LOL").mkdir()
    places = lists.PathResolver((tmp_path,), tmp_path / "work")
    assert places.locate("raw/LOL/low/1.png") == tmp_path / "LOL" / "low" / "1.png"
    assert places.locate("work/pairs/LSRW/a.png") == tmp_path / "work" / "pairs" / "LSRW" / "a.png"


def test_a_set_that_went_away_is_named(tmp_path):
    with pytest.raises(InputError, match=r"raw/LOL/low/1\.png is in no raw data folder"):
        lists.PathResolver((tmp_path,), tmp_path).locate("raw/LOL/low/1.png")


def test_validation_takes_the_share_of_each_set_and_is_fixed_by_the_seed():
    frame = pd.concat(
        [manifest_of("LOL", map(str, range(40))), manifest_of("LSRW", map(str, range(20)))]
    )
    held = lists.held_back(frame, 0.1, seed=1)
    sets = pd.Series(sorted(held)).str.partition("/")[0]
    assert sets.value_counts().to_dict() == {"LOL": 4, "LSRW": 2}
    assert held == lists.held_back(frame, 0.1, seed=1)
    assert held != lists.held_back(frame, 0.1, seed=2)


def test_the_split_that_lols_weights_were_trained_with_stays_what_it_is():
    """Another choice would make the committed weights those of another split."""
    held = lists.held_back(manifest_of("LOL", map(str, range(2, 202))), 0.05, seed=2403)
    numbers = sorted(int(name.partition("/")[2]) for name in held)
    assert numbers == [5, 6, 24, 35, 65, 70, 104, 106, 167, 200]


def test_exposures_of_one_scene_stay_on_one_side():
    names = [f"{scene:05d}-{ev}" for scene in range(10) for ev in ("2.5", "3.0", "4.5")]
    frame = manifest_of("RELLISUR", names)
    held = lists.held_back(frame, 0.2, seed=0)
    assert len(held) == 2
    assert lists.scenes(frame).isin(held).sum() == 6


def test_photographs_of_one_view_stay_on_one_side():
    frame = manifest_of("LOL", map(str, range(40)))
    views = [[f"n{n}", f"n{n + 1}"] for n in range(0, 38, 2)] + [["n1", "n2"]]
    for seed in range(20):
        held = {int(name.partition("/")[2]) for name in lists.held_back(frame, 0.2, seed, views)}
        for view in views:
            assert len({int(digest[1:]) in held for digest in view}) == 1
    without = lists.held_back(frame, 0.2, 0)
    assert without == lists.held_back(frame, 0.2, 0, [["n0", "nowhere"], ["nx", "ny"]])


def test_views_are_joined_within_a_data_set_alone():
    frame = pd.concat([manifest_of("LOL", ["1", "2"]), manifest_of("LSRW", ["1", "2"])])
    held = lists.held_back(frame, 0.4, 0, [["n1"], ["n2"]])
    assert {name.partition("/")[0] for name in held} == {"LOL", "LSRW"}
    assert len(held) == 2


def test_a_share_of_zero_holds_nothing_back():
    assert lists.held_back(manifest_of("LOL", ["1", "2"]), 0.0, seed=0) == set()


def test_rejected_pairs_train_the_vae_and_not_the_mapping():
    raw = {"LSRW": manifest_of("LSRW", ["1", "2"])}
    paired = {
        "LSRW": pd.concat(
            [manifest_of("LSRW", ["1"]), manifest_of("LSRW", ["2"], status="rejected")],
            ignore_index=True,
        )
    }
    sets = {"vae_dark": ["LSRW"], "vae_normal": [], "mapping_pairs": ["LSRW"]}
    merged = lists.training_lists(raw, paired, sets, ())
    assert merged["vae_dark"]["name"].tolist() == ["1", "2"]
    assert merged["mapping_pairs"]["name"].tolist() == ["1"]
    assert len(merged["vae_normal"]) == 0


def test_test_images_never_enter_a_training_list():
    raw = {"LOL": pd.concat([manifest_of("LOL", ["1"]), manifest_of("LOL", ["22"], split="test")])}
    sets = {name: ["LOL"] for name in lists.TRAIN_LISTS}
    merged = lists.training_lists(raw, raw, sets, ())
    assert all(listed["name"].tolist() == ["1"] for listed in merged.values())
    assert lists.testing_lists(raw, ["LOL"])["LOL"]["name"].tolist() == ["22"]


def test_the_same_scene_is_on_the_same_side_in_every_list_though_pairs_were_refused():
    raw = {"LSRW": manifest_of("LSRW", map(str, range(50)))}
    paired = raw["LSRW"].copy()
    paired.loc[::3, "status"] = "rejected"
    sets = {name: ["LSRW"] for name in lists.TRAIN_LISTS}
    held = lists.held_back(raw["LSRW"], 0.1, 3)
    merged = lists.training_lists(raw, {"LSRW": paired}, sets, held)
    assert len(merged["mapping_pairs"]) < len(merged["vae_dark"])
    sides = {}
    for listed in merged.values():
        for name, split in listed[["name", "split"]].to_numpy():
            assert sides.setdefault(name, split) == split
    assert list(sides.values()).count("validation") == 5


def test_training_images_are_those_of_every_list_as_read():
    raw = {name: manifest_of(name, ["1"]) for name in ("LOL", "LSRW", "SICE")}
    raw["LOL"] = pd.concat([raw["LOL"], manifest_of("LOL", ["22"], split="test")])
    seen = lists.training_images(raw, [["LOL"], ["LOL", "LSRW"], []])
    assert seen[["dataset", "name"]].to_numpy().tolist() == [["LOL", "1"], ["LSRW", "1"]]


def test_counts_cover_both_splits():
    made = lists.counts({"vae_dark": manifest_of("LOL", "abcd").assign(split=list("tttv"))})
    assert made.to_numpy().tolist() == [["vae_dark", "LOL", 4]]


def test_training_without_any_image_is_refused_with_the_reason():
    merged = {"vae_dark": lists.empty(), "mapping_pairs": lists.empty()}
    sets = {"vae_dark": ["LOL"], "mapping_pairs": []}
    absent = {"LOL": "LOL is in none of the raw data folders: /data."}
    with pytest.raises(InputError, match=r"no image to train on .* LOL is in none .*: /data; see"):
        lists.check_trainable(merged, sets, absent)
    lists.check_trainable(merged, {"vae_dark": [], "mapping_pairs": []}, {})
