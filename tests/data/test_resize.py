"""Test pairs at the size of their protocol."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from benchmark.core import images
from benchmark.core.hashing import sha256
from benchmark.data import inventory, lists, resize
from benchmark.data.manifest import Pair


@pytest.fixture
def places(tmp_path: Path) -> lists.PathResolver:
    return lists.PathResolver((), tmp_path)


def listed(root: Path, sizes: list[tuple[int, int]]):
    """Two exposures a sequence, which share a label."""
    found = []
    for sequence, size in enumerate(sizes):
        label = root / "Label" / f"{sequence}.JPG"
        for exposure in (1, 2):
            pixels = np.random.default_rng([sequence, exposure]).integers(0, 256, (*size[::-1], 3))
            dark = root / str(sequence) / f"{exposure}.JPG"
            for path in (dark, label):
                path.parent.mkdir(parents=True, exist_ok=True)
                PIL.Image.fromarray(pixels.astype(np.uint8)).save(path, "JPEG")
            found.append(Pair("SICE", "test", f"{sequence}/{exposure}", dark, label))
    return lists.prefixed(inventory.manifest(found, root), "work/")


def test_both_images_of_a_pair_are_resized_and_the_manifest_says_so(tmp_path, places):
    before = listed(tmp_path, [(60, 40)])
    after = resize.resize(before, [32, 24], places, tmp_path / "new", "work/new/", 1)
    assert after["prepared"].unique().tolist() == ["resized from 60x40 (bicubic)"]
    assert after[["width", "height"]].to_numpy().tolist() == [[32, 24]] * 2
    for row in after.to_dict("records"):
        for side in ("dark", "normal"):
            path = places.locate(row[side])
            assert path.suffix == ".png"
            assert images.read_uint8(path).shape == (24, 32, 3)
            assert row[f"{side}_sha256"] == sha256(path)
            assert row[f"{side}_bytes"] == path.stat().st_size
    assert after["name"].tolist() == before["name"].tolist()


def test_a_label_that_exposures_share_is_written_once(tmp_path, places):
    after = resize.resize(
        listed(tmp_path, [(60, 40)]), [32, 24], places, tmp_path / "new", "work/new/", 1
    )
    assert after["normal"].nunique() == 1
    assert after["dark"].nunique() == 2
    assert len(list((tmp_path / "new").rglob("*.png"))) == 3


def test_a_pair_of_the_wanted_size_stays_as_it_is(tmp_path, places):
    before = listed(tmp_path, [(32, 24), (60, 40)])
    after = resize.resize(before, [32, 24], places, tmp_path / "new", "work/new/", 1)
    same = before["name"].str.startswith("0/")
    assert after[same].equals(before[same])
    assert (after[~same]["prepared"] != "").all()


def test_shrinking_averages_and_does_not_alias(tmp_path, places):
    """Stripes of one pixel become grey; a filter of fixed support would keep some."""
    stripes = np.zeros((40, 60, 3), np.uint8)
    stripes[:, ::2] = 255
    images.write(tmp_path / "a.png", stripes)
    pair = Pair("SICE", "test", "a", tmp_path / "a.png", tmp_path / "a.png")
    before = lists.prefixed(inventory.manifest([pair], tmp_path), "work/")
    after = resize.resize(before, [15, 10], places, tmp_path / "new", "work/new/", 1)
    small = images.read_uint8(places.locate(after.iloc[0]["dark"]))
    assert np.abs(small[:, 1:-1].astype(int) - 128).max() <= 12
