"""Registered sets: resumable, deterministic, and every refusal recorded with its reason."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.data

from benchmark import ROOT
from benchmark.core import images, params
from benchmark.core.errors import InputError
from benchmark.core.hashing import sha256
from benchmark.data import inventory, lists
from benchmark.data.manifest import Pair, read_manifest, write_manifest
from benchmark.registration import batch, register
from benchmark.registration.criteria import RegistrationSettings
from benchmark.stages import pairs

SETTINGS = RegistrationSettings(max_keypoints=600)
PREFIX = "work/pairs/LSRW/"
SHIFT = (3, 5)  # rows, columns


def photograph(name: str) -> images.Image:
    return images.to_float(np.ascontiguousarray(getattr(skimage.data, name)()[:300, :400]))


def darkened(image: images.Image, seed: int) -> images.Image:
    noise = np.random.default_rng(seed).normal(0.01, 0.004, image.shape)
    return np.clip(0.15 * image**2.2 + noise, 0, 1).astype(np.float32)


@pytest.fixture
def places(tmp_path: Path) -> lists.PathResolver:
    """A raw set: 1 is shifted, 2 aligned, 3 of two scenes, 4 shifted the other way."""
    root = tmp_path / "data" / "raw" / "demo" / "LSRW"
    coffee, astronaut = photograph("coffee"), photograph("astronaut")
    down, right = SHIFT
    for name, dark, normal in (
        ("1", coffee[down:, right:], coffee[:-down, :-right]),
        ("2", astronaut, astronaut),
        ("3", coffee, astronaut),
        ("4", astronaut[:-down, :-right], astronaut[down:, right:]),
    ):
        images.write(root / "low" / f"{name}.png", darkened(dark, int(name)))
        images.write(root / "high" / f"{name}.png", normal)
    return lists.PathResolver((root.parent,), tmp_path / "data" / "work" / "demo")


def listed(places: lists.PathResolver) -> pd.DataFrame:
    root = places.roots[0] / "LSRW"
    found = [
        Pair("LSRW", "train", name, root / "low" / f"{name}.png", root / "high" / f"{name}.png")
        for name in "1234"
    ]
    return lists.prefixed(inventory.manifest(found, root), "raw/LSRW/")


def run(places: lists.PathResolver, jobs: int = 1, seed: int = 0) -> batch.Outcome:
    folder, cache = places.work / "pairs" / "LSRW", places.work / "cache"
    return batch.register_pairs(listed(places), places, folder, PREFIX, seed, jobs, cache, SETTINGS)


def placed(places: lists.PathResolver) -> dict[str, str]:
    folder = places.work / "pairs"
    return {str(f.relative_to(folder)): sha256(f) for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by one entry with each pair that is registered."""
    calls: list[int] = []
    original = register.register

    def counted(*arguments: object) -> register.Registration:
        calls.append(1)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(register, "register", counted)
    return calls


def test_every_pair_is_warped_left_alone_or_refused_and_the_tables_say_which(places):
    manifest, facts = run(places)
    assert manifest["status"].tolist() == ["ok", "ok", "rejected", "ok"]
    assert facts["accepted"].tolist() == [True, True, False, True]
    assert [facts["model"][row] == "identity" for row in (0, 1, 3)] == [False, True, False]
    assert facts["max_displacement_px"][0] == pytest.approx(np.hypot(*SHIFT), abs=0.2)
    for row in manifest.iloc[[0, 3]].itertuples():
        for cell, digest in ((row.dark, row.dark_sha256), (row.normal, row.normal_sha256)):
            assert cell.startswith(PREFIX)
            assert sha256(places.locate(cell)) == digest
            assert images.read(places.locate(cell)).shape == (row.height, row.width, 3)


def test_references_of_test_pairs_are_the_warped_images_with_their_corner(places):
    before, after = listed(places), run(places)
    found = batch.references(before, after)
    assert found["registered"].tolist() == [
        after.manifest["normal"][0],
        "",
        "",
        after.manifest["normal"][3],
    ]
    assert found["accepted"].tolist() == [True, True, False, True]
    corner = found.iloc[3]  # the normal-light image began below and to the right
    dark = images.read(places.locate(before["dark"][3]))
    crop = images.read(places.locate(after.manifest["dark"][3]))
    height, width = crop.shape[:2]
    top, left = corner["top"], corner["left"]
    np.testing.assert_allclose(dark[top : top + height, left : left + width], crop, atol=1 / 255)


def test_a_refused_pair_carries_its_reason_in_both_tables_and_leaves_no_image(places):
    manifest, facts = run(places)
    reason = manifest["reason"][2]
    assert "expected at least" in reason
    assert facts["reason"].tolist() == ["", "", reason, ""]
    assert {name.split("/")[-1] for name in placed(places)} == {"1.png", "4.png"}


def test_facts_have_a_row_a_pair_and_survive_as_csv(places, tmp_path):
    facts = run(places).facts
    assert tuple(facts.columns) == batch.FACTS
    facts.to_csv(tmp_path / "registration.csv", index=False)
    again = pd.read_csv(tmp_path / "registration.csv", keep_default_na=True, dtype={"name": str})
    assert again["name"].tolist() == list("1234")
    found = facts.iloc[0]
    assert found["inlier_ratio"] == pytest.approx(found["inliers"] / found["matches"])
    assert SETTINGS.min_inlier_ratio <= found["inlier_ratio"] <= 1.0
    assert 0.9 <= found["overlap"] <= 1.0
    assert 0.0 < found["rmse_px"] <= SETTINGS.max_rmse_px


def test_a_pair_within_a_third_of_a_pixel_keeps_its_files(places):
    before = listed(places)
    manifest, facts = run(places)
    assert facts["max_displacement_px"][1] < SETTINGS.identity_px
    told = ["model", "inliers", "rmse_px", "displacement_px"]
    pd.testing.assert_series_equal(manifest.iloc[1].drop(told), before.iloc[1].drop(told))
    assert manifest["model"][1] == "identity"
    for side in ("dark", "normal"):
        assert sha256(places.locate(manifest[side][1])) == before[f"{side}_sha256"][1]


def test_one_process_and_two_give_the_same_files_and_tables(places, tmp_path):
    alone = run(places, jobs=1)
    other = lists.PathResolver(places.roots, tmp_path / "other")
    together = run(other, jobs=2)
    for one, two in zip(alone, together, strict=True):
        pd.testing.assert_frame_equal(one, two)
    assert placed(places) == placed(other)


def test_a_finished_set_is_not_registered_again(places, count):
    first = run(places)
    assert len(count) == 4
    files = placed(places)
    for name in files:
        (places.work / "pairs" / name).unlink()  # as DVC does before it runs a pairs
    second = run(places)
    assert len(count) == 4
    assert placed(places) == files
    for one, two in zip(first, second, strict=True):
        pd.testing.assert_frame_equal(one, two)


def finished(cache: Path) -> int:
    """Count the pairs in a journal, a line each."""
    return sum(file.read_text().count("\n") for file in cache.rglob("*.jsonl"))


def test_a_run_killed_by_the_system_goes_on_where_it_stopped(places, count):
    """The other process hangs in its third pair until SIGKILL, which no handler sees."""
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "import tests.registration.test_batch as t\n"
        "real, seen = t.register.register, []\n"
        "def slow(*a):\n"
        "    seen.append(1)\n"
        "    time.sleep(60 * (len(seen) == 3))\n"
        "    return real(*a)\n"
        "t.register.register = slow\n"
        "t.run(t.lists.PathResolver((Path(sys.argv[2]),), Path(sys.argv[3])))\n"
    )
    here, root = str(ROOT), str(places.roots[0])
    process = subprocess.Popen([sys.executable, "-c", script, here, root, str(places.work)])
    deadline = time.monotonic() + 60
    while finished(places.work / "cache") < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not placed(places)
    manifest, _ = run(places)
    assert len(count) == 2
    assert manifest["status"].tolist() == ["ok", "ok", "rejected", "ok"]


def test_a_damaged_finished_image_is_made_again(places, count):
    run(places)
    files = placed(places)
    damaged = next((places.work / "cache").rglob("normal.png"))
    damaged.unlink()
    damaged.write_bytes(b"half")
    run(places)
    assert len(count) == 5
    assert placed(places) == files


@pytest.mark.parametrize("change", ["seed", "settings", "image"])
def test_what_a_result_depends_on_has_a_place_of_its_own(places, count, change, monkeypatch):
    run(places)
    if change == "settings":
        monkeypatch.setattr(sys.modules[__name__], "SETTINGS", replace(SETTINGS, ratio=0.79))
    if change == "image":
        images.write(places.roots[0] / "LSRW" / "low" / "2.png", darkened(photograph("coffee"), 9))
    run(places, seed=int(change == "seed"))
    assert len(count) == {"seed": 8, "settings": 8, "image": 5}[change]


def test_a_file_that_is_not_the_one_listed_is_an_error(places):
    frame = listed(places)
    path = places.roots[0] / "LSRW" / "low" / "2.png"
    images.write(path, darkened(photograph("coffee"), 9))
    folder = places.work / "pairs" / "LSRW"
    with pytest.raises(InputError, match=r"low/2\.png has SHA-256 .*: it changed since"):
        batch.register_pairs(frame, places, folder, PREFIX, 0, 1, places.work / "cache", SETTINGS)
    assert not folder.exists()


def test_a_file_system_without_links_gets_copies(places, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    manifest, _ = run(places)
    for side in ("dark", "normal"):
        assert sha256(places.locate(manifest[side][0])) == manifest[f"{side}_sha256"][0]


@pytest.fixture
def demo(places, tmp_path, monkeypatch) -> params.Params:
    """The demo profile, its folders in the temporary one."""
    profile = params.load(params.profile_path("demo"))
    for module in (params, pairs):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    return profile


def write_inventory(places: lists.PathResolver, name: str) -> pd.DataFrame:
    frame = listed(places).assign(dataset=name)
    for column in ("dark", "normal"):
        frame[column] = frame[column].str.removeprefix("raw/LSRW/")
    write_manifest(frame, places.work / "inventory" / f"{name}.csv")
    return frame


def only(demo, name: str):
    """Return the profile with one set of training pairs."""
    merge = demo.merge.model_copy(update={"mapping_pairs": [name]})
    return demo.model_copy(update={"merge": merge})


def test_the_stage_writes_what_was_found_beside_the_manifest(places, demo, tmp_path):
    write_inventory(places, "LSRW")
    pairs.register(only(demo, "LSRW"))
    folder = places.work / "pairs" / "LSRW"
    manifest = read_manifest(folder / "manifest.csv")
    facts = pd.read_csv(folder / "registration.csv", dtype={"name": str}, keep_default_na=False)
    assert facts["name"].tolist() == manifest["name"].tolist() == list("1234")
    assert facts["accepted"].tolist() == (manifest["status"] == "ok").tolist()
    assert facts["reason"].tolist() == manifest["reason"].tolist()
    assert (tmp_path / ".cache" / "pairs").is_dir()


def test_a_set_that_needs_no_registration_is_listed_as_it_is(places, demo, count):
    before = write_inventory(places, "LOL")
    pairs.register(only(demo, "LOL"))
    folder = places.work / "pairs" / "LOL"
    manifest = read_manifest(folder / "manifest.csv")
    assert not count
    assert [file.name for file in folder.rglob("*")] == ["manifest.csv"]
    assert manifest["dark"].tolist() == ("raw/LOL/" + before["dark"]).tolist()
    for column in ("dark_sha256", "normal_sha256", "width", "height", "status"):
        assert manifest[column].tolist() == before[column].tolist()


def test_the_manifest_tells_what_registration_found_and_lists_the_copies(places, tmp_path):
    manifest, facts = run(places)
    assert manifest["model"].tolist()[:2] == facts["model"].tolist()[:2]
    assert float(manifest["displacement_px"][0]) == pytest.approx(np.hypot(*SHIFT), abs=0.2)
    assert float(manifest["rmse_px"][0]) > 0.0
    assert int(manifest["inliers"][0]) == facts["inliers"][0]
    for side in ("dark", "normal"):
        assert manifest[f"{side}_bytes"][0] == places.locate(manifest[side][0]).stat().st_size
    write_manifest(manifest, tmp_path / "manifest.csv")
    assert read_manifest(tmp_path / "manifest.csv").shape == manifest.shape
