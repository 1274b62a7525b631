"""Leaks from training to test images."""

import io
import os
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import skimage.data

from benchmark.core import locations
from benchmark.core.errors import InputError
from benchmark.data import fingerprints, inventory, leakage, near_duplicates, registry
from benchmark.data.leakage import Leak
from benchmark.data.manifest import Pair

Picture = PIL.Image.Image


def photograph(name: str = "astronaut") -> Picture:
    return PIL.Image.fromarray(getattr(skimage.data, name)()).convert("RGB").resize((300, 200))


def listed(root: Path, split: str, *pictures: Picture, dataset: str = "LOL") -> pd.DataFrame:
    """Write normal-light images and dark ones that tell nothing, and list them."""
    found = []
    for number, picture in enumerate(pictures):
        normal = root / dataset / split / f"{number}.png"
        normal.parent.mkdir(parents=True, exist_ok=True)
        picture.save(normal)
        dark = normal.with_name(f"dark{number}.png")
        PIL.Image.new("RGB", picture.size, (number, len(split), 0)).save(dark)
        found.append(Pair(dataset, split, str(number), dark, normal))
    return inventory.manifest(found, root)


def found_in(root: Path, train: pd.DataFrame, test: pd.DataFrame) -> list[Leak]:
    both = pd.concat([train, test])
    known = fingerprints.of_manifest(both, ["normal"], root.joinpath, cache=None)
    return leakage.find_leaks(train, test, known)


def jpeg(picture: Picture) -> Picture:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=40)
    return PIL.Image.open(buffer)


def noisy(picture: Picture) -> Picture:
    noise = np.random.default_rng(0).normal(0, 8, (picture.height, picture.width, 3))
    return PIL.Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


SAME_VIEW = {
    "JPEG": jpeg,
    "half the size": lambda p: p.resize((150, 100)),
    "another shape": lambda p: p.resize((200, 200)),
    "gain 0.4": lambda p: p.point(lambda level: 0.4 * level),
    "gamma 2": lambda p: p.point([round(255 * (level / 255) ** 2) for level in range(256)] * 3),
    "noise": noisy,
}


@pytest.mark.parametrize("change", SAME_VIEW.values(), ids=SAME_VIEW)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_the_same_view_is_found_after_a_change_of_quality_size_or_exposure(tmp_path, name, change):
    train = listed(tmp_path, "train", change(photograph(name)))
    test = listed(tmp_path, "test", photograph(name))
    (leak,) = found_in(tmp_path, train, test)
    assert (leak.train_name, leak.test_name, leak.kind) == ("0", "0", "near")
    assert near_duplicates.CORRELATION <= leak.correlation <= 1


def test_different_photographs_never_leak(tmp_path):
    scenes = [photograph(name) for name in ("astronaut", "coffee", "chelsea", "rocket")]
    train = listed(tmp_path, "train", *scenes[:2])
    test = listed(tmp_path, "test", *scenes[2:])
    assert found_in(tmp_path, train, test) == []


def test_flat_images_are_no_view_of_each_other(tmp_path):
    grey = [PIL.Image.new("RGB", (64, 64), (level, level, level)) for level in (90, 120)]
    train, test = listed(tmp_path, "train", grey[0]), listed(tmp_path, "test", grey[1])
    assert found_in(tmp_path, train, test) == []


def test_a_copied_file_is_an_exact_leak(tmp_path):
    train = listed(tmp_path, "train", photograph("coffee"), photograph())
    test = listed(tmp_path, "test", photograph(), dataset="LSRW")
    (leak,) = found_in(tmp_path, train, test)
    assert leak == Leak("LOL", "1", "LSRW", "0", "exact", 1.0)


def test_a_copied_dark_image_is_an_exact_leak_though_normal_images_differ(tmp_path):
    train = listed(tmp_path, "train", photograph("coffee"))
    test = listed(tmp_path, "test", photograph("rocket"))
    test["dark_sha256"] = train["dark_sha256"]
    (leak,) = found_in(tmp_path, train, test)
    assert leak.kind == "exact"


def test_every_exposure_that_shares_a_leaking_reference_is_told(tmp_path):
    train = listed(tmp_path, "train", jpeg(photograph()))
    train = pd.concat([train, train.assign(name="again")], ignore_index=True)
    test = listed(tmp_path, "test", photograph())
    found = found_in(tmp_path, train, test)
    assert [leak.train_name for leak in found] == ["0", "again"]


def test_rejected_rows_and_rows_without_reference_are_passed_over(tmp_path):
    train = listed(tmp_path, "train", photograph(), photograph())
    train.loc[0, "status"] = "rejected"
    train.loc[1, ["normal", "normal_sha256"]] = ""
    test = listed(tmp_path, "test", photograph())
    assert found_in(tmp_path, train, test) == []


def test_a_missing_image_is_told(tmp_path):
    train = listed(tmp_path, "train", photograph("coffee"))
    test = listed(tmp_path, "test", photograph())
    (tmp_path / "LOL/test/0.png").unlink()
    with pytest.raises(InputError, match=r"test/0\.png cannot be read"):
        found_in(tmp_path, train, test)


NEAR = Leak("LOL", "2", "LOL", "1", "near", 0.999)
EXACT = Leak("LOL", "3", "LOL", "1", "exact", 1.0)
CROSS = Leak("LabelMe", "a", "LOL", "1", "near", 0.99)


def test_no_leak_passes():
    leakage.check_leaks([])


def test_leaks_are_refused_with_their_number_the_first_three_and_the_remedy():
    with pytest.raises(InputError, match="4 training images are also") as caught:
        leakage.check_leaks([NEAR, EXACT, CROSS, CROSS])
    message = str(caught.value)
    assert "LOL/2 is the same view as test image LOL/1 (correlation 0.9990)" in message
    assert "LOL/3 is the same file as test image LOL/1" in message
    assert message.count("correlation") == 3
    assert "reject" in message
    assert "accept" in message


def test_an_accepted_published_split_may_repeat_its_own_views():
    leakage.check_leaks([NEAR], accepted={"LOL"})


@pytest.mark.parametrize("leak", [EXACT, CROSS])
def test_an_accepted_split_covers_neither_same_files_nor_other_sets(leak):
    with pytest.raises(InputError, match="1 training images"):
        leakage.check_leaks([leak], accepted={"LOL", "LabelMe"})


@pytest.mark.parametrize("leak", [NEAR, EXACT, CROSS])
def test_a_training_image_accepted_by_name_passes(leak):
    leakage.check_leaks([leak], accepted={"LOL/2": "why", "LOL/3": "why", "LabelMe/a": "why"})


@pytest.mark.slow
def test_the_real_lol_repeats_test_views_in_its_training_set():
    """Known of LOL (weichen582/RetinexNet, issue 9): the audit must see it."""
    if not os.environ.get(locations.VARIABLE):
        pytest.skip(f"{locations.VARIABLE} is not set")
    roots = registry.raw_roots(None)
    folder = registry.find("LOL", roots)
    found = [] if folder is None else registry.read("LOL", roots)
    if folder is None or {pair.split for pair in found} != {"train", "test"}:
        pytest.skip(
            f"{locations.VARIABLE} holds no training pairs of LOL in their published layout"
        )
    frame = inventory.manifest(found, folder)
    train, test = (frame[frame["split"] == split] for split in ("train", "test"))
    seen = {(leak.train_name, leak.test_name) for leak in found_in(folder, train, test)}
    assert {("81", "79"), ("53", "55"), ("2", "1"), ("664", "665")} <= seen


def test_a_split_of_disjoint_scenes_rejects_the_training_images_of_leaks(tmp_path):
    train = listed(tmp_path, "train", jpeg(photograph("coffee")), photograph("rocket"))
    test = listed(tmp_path, "test", photograph("coffee"))
    whole = pd.concat([train, test], ignore_index=True)
    dataset = whole["dataset"][0]
    left = leakage.without_leaks({dataset: whole}, found_in(tmp_path, train, test))[dataset]
    assert left["status"].tolist() == ["rejected", "ok", "ok"]
    assert "the same view as test image" in left["reason"][0]
    kept = left[left["split"] == "train"]
    assert found_in(tmp_path, kept, test) == []
