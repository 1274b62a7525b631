"""The inventory: manifests of what decodes, and all that does not in one message."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from benchmark.core.errors import InputError, ProblemsError
from benchmark.data import inventory, manifest
from benchmark.data.manifest import Pair
from tests.helpers.pictures import pair, picture


def noise(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(path)
    return path


def lol(root: Path, names: str) -> Path:
    """Write a LOL whose images all differ."""
    for number, name in enumerate(names):
        for side in ("low", "high"):
            noise(root / "LOL" / "our485" / side / f"{name}.png", number + 100 * (side == "high"))
    return root


def test_manifest_has_posix_paths_below_the_root_sizes_and_digests(tmp_path):
    one = pair(tmp_path)
    row = inventory.manifest([one], tmp_path).iloc[0]
    assert row[["dark", "normal", "labels"]].tolist() == ["low/1.png", "high/1.png", ""]
    assert (row["width"], row["height"]) == (8, 6)
    assert row["dark_sha256"] == hashlib.sha256(one.dark.read_bytes()).hexdigest()
    assert row["normal_sha256"] == hashlib.sha256(one.normal.read_bytes()).hexdigest()
    assert (row["status"], row["reason"]) == ("ok", "")


def test_manifest_leaves_cells_of_absent_files_empty(tmp_path):
    alone = Pair("LabelMe", "train", "a", None, picture(tmp_path / "a.png", (5, 4)))
    row = inventory.manifest([alone], tmp_path).iloc[0]
    assert row[["dark", "labels", "dark_sha256"]].tolist() == ["", "", ""]
    assert (row["width"], row["height"]) == (5, 4)


def test_manifest_lists_in_natural_order_whatever_order_it_gets(tmp_path):
    given_order = [pair(tmp_path, name) for name in ("10", "1", "9")]
    assert inventory.manifest(given_order, tmp_path)["name"].tolist() == ["1", "9", "10"]


def test_manifest_reaches_a_file_outside_its_root(tmp_path):
    one = pair(tmp_path / "elsewhere")
    row = inventory.manifest([one], tmp_path / "root").iloc[0]
    assert (tmp_path / "root" / row["dark"]).resolve() == one.dark.resolve()


def test_manifest_of_nothing_has_every_column(tmp_path):
    assert inventory.manifest([], tmp_path).columns.tolist() == list(manifest.COLUMNS)


def test_manifest_refuses_a_name_that_comes_twice(tmp_path):
    with pytest.raises(InputError, match="LOL/train/1 is the name of more than one"):
        inventory.manifest([pair(tmp_path), pair(tmp_path)], tmp_path)


def test_two_sizes_in_a_pair_are_refused_with_both_sizes(tmp_path):
    uneven = Pair(
        "LOL", "train", "1", picture(tmp_path / "d.png"), picture(tmp_path / "n.png", (9, 6))
    )
    with pytest.raises(InputError, match=r"d\.png is 8x6 and .*n\.png is 9x6"):
        inventory.manifest([uneven], tmp_path)


def test_two_sizes_pass_in_a_set_to_be_registered_and_the_dark_size_counts(tmp_path):
    uneven = Pair(
        "LSRW", "train", "1", picture(tmp_path / "d.png"), picture(tmp_path / "n.png", (9, 6))
    )
    frame = inventory.manifest([uneven], tmp_path, to_register=["LSRW"])
    assert frame[["width", "height"]].to_numpy().tolist() == [[8, 6]]


def test_an_untouched_file_is_not_opened_again(tmp_path):
    one = pair(tmp_path)
    first = inventory.manifest([one], tmp_path, cache=tmp_path / "cache")
    stat = one.dark.stat()
    one.dark.write_bytes(one.dark.read_bytes()[::-1])  # same size, and the clock put back
    os.utime(one.dark, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    again = inventory.manifest([one], tmp_path, cache=tmp_path / "cache")
    pd.testing.assert_frame_equal(first, again)


def test_a_changed_file_is_hashed_again(tmp_path):
    one = pair(tmp_path)
    inventory.manifest([one], tmp_path, cache=tmp_path / "cache")
    picture(one.dark, level=77)
    os.utime(one.dark, ns=(1, 1))
    row = inventory.manifest([one], tmp_path, cache=tmp_path / "cache").iloc[0]
    assert row["dark_sha256"] == hashlib.sha256(one.dark.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", ["{", "[]", '{"x": 1}', json.dumps({"x": [1, 2]})])
def test_a_damaged_memory_of_digests_is_ignored(tmp_path, content):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "digests.json").write_text(content)
    one = pair(tmp_path)
    row = inventory.manifest([one], tmp_path, cache=tmp_path / "cache").iloc[0]
    assert row["dark_sha256"] == hashlib.sha256(one.dark.read_bytes()).hexdigest()


def test_sizes_in_bytes_are_listed(tmp_path):
    one = pair(tmp_path)
    row = inventory.manifest([one], tmp_path).iloc[0]
    assert row["dark_bytes"] == one.dark.stat().st_size
    assert row["normal_bytes"] == one.normal.stat().st_size


def test_the_inventory_tells_protocol_and_folder_of_every_pair_and_what_is_absent(tmp_path):
    found = inventory.take(["LOL", "LSRW"], [lol(tmp_path, "12")], None, 1)
    assert found.manifests["LOL"]["source"].tolist() == ["as published, LOL"] * 2
    assert found.manifests["LOL"]["dark"].tolist() == ["our485/low/1.png", "our485/low/2.png"]
    assert found.manifests["LSRW"].empty
    assert "LSRW is in none of" in found.absent["LSRW"]


def test_everything_wrong_with_all_sets_is_told_in_one_message_with_its_number(tmp_path):
    low = lol(tmp_path, "1234567") / "LOL" / "our485" / "low"
    (low / "1.png").write_bytes(b"")
    (low / "2.png").write_bytes((low / "2.png").read_bytes()[:2000])
    (low / "3.png").write_text("not a picture")
    (low / "4.png").unlink()
    (low / "4.png").symlink_to("4.png")
    (low / "5.png").rename(low / "five.png")
    shutil.copy(low / "6.png", low / "6.bmp")
    (tmp_path / "A7m3" / "low").mkdir(parents=True)
    picture(tmp_path / "A7m3" / "low" / "1.png")
    with pytest.raises(ProblemsError, match=r"^7 problems in the raw data: ") as caught:
        inventory.take(["LOL", "A7m3"], [tmp_path], None, 1)
    told = caught.value.problems
    for expected in (
        "low/five.png has no normal-light image of the same name",
        "low/6.bmp and .*low/6.png differ in suffix alone",
        "A7m3/low/1.png has no normal-light image",
        "low/1.png is empty",
        "low/2.png cannot be read as an image .*",
        "low/3.png is no image",
        "low/4.png cannot be read .Too many levels of symbolic links",
    ):
        assert sum(pd.Series(told).str.contains(expected)) == 1, (expected, told)


def test_what_was_wrong_is_remembered_by_content_and_told_again(tmp_path):
    low = lol(tmp_path, "12") / "LOL" / "our485" / "low"
    (low / "2.png").write_bytes((low / "2.png").read_bytes()[:2000])
    messages = []
    for _ in range(2):
        with pytest.raises(ProblemsError, match=r"1 problem .*low/2\.png cannot be read") as caught:
            inventory.take(["LOL"], [tmp_path], tmp_path / "cache", 1)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    noise(low / "2.png", 7)
    assert len(inventory.take(["LOL"], [tmp_path], tmp_path / "cache", 1).manifests["LOL"]) == 2


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    """Simulated: tests may run as root, who may read any."""
    lol(tmp_path, "12")
    opening = Path.open

    def guarded(path: Path, *arguments, **options):
        if path.match("high/2.png"):
            raise PermissionError(13, "Permission denied")
        return opening(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", guarded)
    with pytest.raises(ProblemsError, match=r"high/2\.png cannot be read .Permission denied"):
        inventory.take(["LOL"], [tmp_path], None, 1)


def test_processes_find_what_one_finds(tmp_path):
    lol(tmp_path, "1234")
    one, two = (inventory.take(["LOL"], [tmp_path], None, jobs).manifests["LOL"] for jobs in (1, 2))
    pd.testing.assert_frame_equal(one, two)
