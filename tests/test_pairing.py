"""Registered copies of training pairs, and what their manifest tells."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from benchmark import images, inventory, merge, pairing, pairs
from benchmark.camera import Camera, darken
from benchmark.digests import sha256
from benchmark.pairs import Pair


@pytest.fixture
def listed(tmp_path: Path):
    """A shifted pair, an aligned pair, and a pair of two scenes."""
    coffee, cat = skimage.data.coffee(), skimage.data.chelsea()
    sensor = Camera(white_electrons=60_000, read_electrons=3.0, bits=14, exposure=0.1)
    normals = {"shifted": coffee[63:263, 104:404], "same": coffee[60:260, 100:400]}
    normals["other"] = cat[50:250, 100:400]
    found = []
    for name, normal in normals.items():
        scene = images.to_float(coffee[60:260, 100:400])
        dark = darken(scene, sensor, np.random.default_rng(0))
        images.write(tmp_path / "low" / f"{name}.png", dark)
        images.write(tmp_path / "high" / f"{name}.png", np.ascontiguousarray(normal))
        low, high = (tmp_path / side / f"{name}.png" for side in ("low", "high"))
        found.append(Pair("LSRW", "train", name, low, high))
    return merge.prefixed(inventory.manifest(found, tmp_path), "work/")


def test_the_manifest_tells_what_registration_found_and_lists_the_copies(tmp_path, listed):
    places = merge.Places((), tmp_path)
    made = pairing.register(listed, places, tmp_path / "to", "work/to/", 1, 1)
    rows = {row["name"]: row for row in made.to_dict("records")}
    shifted = rows["shifted"]
    assert shifted["model"] in ("translation", "similarity", "homography")
    assert float(shifted["displacement_px"]) == pytest.approx(5.0, abs=1.0)
    assert float(shifted["rmse_px"]) > 0
    assert int(shifted["inliers"]) >= 20
    for side in ("dark", "normal"):
        path = places.locate(shifted[side])
        assert shifted[f"{side}_bytes"] == path.stat().st_size
        assert shifted[f"{side}_sha256"] == sha256(path)
    same = rows["same"]
    assert (same["model"], same["dark"]) == ("identity", "work/low/same.png")
    assert float(same["displacement_px"]) < 0.3
    other = rows["other"]
    assert other["status"] == "rejected"
    assert other["reason"]
    pairs.write_manifest(made, tmp_path / "manifest.csv")
    assert pairs.read_manifest(tmp_path / "manifest.csv").shape == made.shape
