"""The profile of disjoint scenes on the real LOL: no training list shares a scene with its test."""

import os

import pytest

from benchmark.core import params as profiles
from benchmark.data import fingerprints, inventory, leakage, readers, registry

ROOT = registry.find("LOL", registry.raw_roots(None))
pytestmark = pytest.mark.skipif(
    "MLSM_BENCH_DATA" not in os.environ or ROOT is None, reason="needs LOL under MLSM_BENCH_DATA"
)


def test_no_training_image_of_disjoint_scenes_shows_the_scene_of_a_test_image(tmp_path):
    assert profiles.load(profiles.profile_path("lol_disjoint")).merge.without_test_views
    assert ROOT is not None
    listed = inventory.manifest(readers.read_paired("LOL", ROOT), ROOT)
    train, test = (listed[listed["split"] == split] for split in ("train", "test"))
    if len(train) < 200:
        pytest.skip(f"LOL holds {len(train)} training pairs here: too few show a test scene again")
    known = fingerprints.of_manifest(listed, ["normal"], ROOT.joinpath, tmp_path)
    leaks = leakage.find_leaks(train, test, known)
    recurring = {leak.test_name for leak in leaks}
    assert len(recurring) >= 8  # of 15, with the 200 pairs that some copies have; 11 with all 485
    left = leakage.without_leaks({"LOL": train}, leaks)["LOL"]
    assert leakage.find_leaks(left, test, known) == []
    assert (left["status"] == "ok").sum() == len(train) - len({leak.train_name for leak in leaks})
