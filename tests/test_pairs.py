"""Pairs, manifests and remembered digests."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark import pairs
from benchmark.digests import Digests
from benchmark.errors import InputError
from benchmark.pairs import Pair


def picture(path: Path, size: tuple[int, int] = (8, 6), level: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", size, (level, level, level)).save(path)
    return path


def pair(root: Path, name: str = "1", level: int = 0) -> Pair:
    dark = picture(root / "low" / f"{name}.png", level=level)
    return Pair("LOL", "train", name, dark, picture(root / "high" / f"{name}.png", level=200))


def test_natural_key_puts_two_before_ten():
    names = ["10", "2", "a10b", "a9b", "00018-4.5", "1"]
    expected = ["1", "2", "10", "00018-4.5", "a9b", "a10b"]
    assert sorted(names, key=pairs.natural_key) == expected


@given(st.text(max_size=8), st.text(max_size=8))
def test_natural_key_puts_any_two_different_texts_in_one_order(first, second):
    one, other = pairs.natural_key(first), pairs.natural_key(second)
    assert (one < other) + (other < one) == (first != second)


def test_manifest_has_posix_paths_below_the_root_sizes_and_digests(tmp_path):
    one = pair(tmp_path)
    row = pairs.manifest([one], tmp_path).iloc[0]
    assert row[["dark", "normal", "labels"]].tolist() == ["low/1.png", "high/1.png", ""]
    assert (row["width"], row["height"]) == (8, 6)
    assert row["dark_sha256"] == hashlib.sha256(one.dark.read_bytes()).hexdigest()
    assert row["normal_sha256"] == hashlib.sha256(one.normal.read_bytes()).hexdigest()
    assert (row["status"], row["reason"]) == ("ok", "")


def test_manifest_leaves_cells_of_absent_files_empty(tmp_path):
    alone = Pair("LabelMe", "train", "a", None, picture(tmp_path / "a.png", (5, 4)))
    row = pairs.manifest([alone], tmp_path).iloc[0]
    assert row[["dark", "labels", "dark_sha256"]].tolist() == ["", "", ""]
    assert (row["width"], row["height"]) == (5, 4)


def test_manifest_lists_in_natural_order_whatever_order_it_gets(tmp_path):
    given_order = [pair(tmp_path, name) for name in ("10", "1", "9")]
    assert pairs.manifest(given_order, tmp_path)["name"].tolist() == ["1", "9", "10"]


def test_manifest_reaches_a_file_outside_its_root(tmp_path):
    one = pair(tmp_path / "elsewhere")
    row = pairs.manifest([one], tmp_path / "root").iloc[0]
    assert (tmp_path / "root" / row["dark"]).resolve() == one.dark.resolve()


def test_manifest_of_nothing_has_every_column(tmp_path):
    assert pairs.manifest([], tmp_path).columns.tolist() == list(pairs.COLUMNS)


def test_manifest_refuses_a_name_that_comes_twice(tmp_path):
    with pytest.raises(InputError, match="LOL/train/1 more than once"):
        pairs.manifest([pair(tmp_path), pair(tmp_path)], tmp_path)


def test_two_sizes_in_a_pair_are_refused_with_both_sizes(tmp_path):
    uneven = Pair(
        "LOL", "train", "1", picture(tmp_path / "d.png"), picture(tmp_path / "n.png", (9, 6))
    )
    with pytest.raises(InputError, match=r"d\.png is 8x6 and .*n\.png is 9x6"):
        pairs.manifest([uneven], tmp_path)


def test_two_sizes_pass_in_a_set_to_be_registered_and_the_dark_size_counts(tmp_path):
    uneven = Pair(
        "LSRW", "train", "1", picture(tmp_path / "d.png"), picture(tmp_path / "n.png", (9, 6))
    )
    frame = pairs.manifest([uneven], tmp_path, to_register=["LSRW"])
    assert frame[["width", "height"]].to_numpy().tolist() == [[8, 6]]


def test_a_file_that_is_no_image_is_refused_by_name(tmp_path):
    (tmp_path / "d.png").write_text("not a picture")
    broken = Pair("LOL", "train", "1", tmp_path / "d.png", picture(tmp_path / "n.png"))
    with pytest.raises(InputError, match=r"d\.png cannot be read as an image"):
        pairs.check_sizes(broken)


def test_sizes_are_read_from_the_header_of_a_truncated_image(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    PIL.Image.fromarray(noise).save(tmp_path / "d.png")
    (tmp_path / "d.png").write_bytes((tmp_path / "d.png").read_bytes()[:200])
    assert pairs.check_sizes(Pair("DARKFACE", "test", "1", tmp_path / "d.png", None)) == (60, 40)


def test_an_untouched_file_is_not_hashed_again(tmp_path):
    one = pair(tmp_path)
    pairs.manifest([one], tmp_path, cache=tmp_path / "cache")
    stat = one.dark.stat()
    one.dark.write_bytes(one.dark.read_bytes()[::-1])  # same size, and the clock put back
    os.utime(one.dark, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    remembered = Digests(tmp_path / "cache").sha256(one.dark)
    assert remembered != hashlib.sha256(one.dark.read_bytes()).hexdigest()


def test_a_changed_file_is_hashed_again(tmp_path):
    one = pair(tmp_path)
    pairs.manifest([one], tmp_path, cache=tmp_path / "cache")
    picture(one.dark, level=77)
    os.utime(one.dark, ns=(1, 1))
    row = pairs.manifest([one], tmp_path, cache=tmp_path / "cache").iloc[0]
    assert row["dark_sha256"] == hashlib.sha256(one.dark.read_bytes()).hexdigest()


@pytest.mark.parametrize("content", ["{", "[]", '{"x": 1}', json.dumps({"x": [1, 2]})])
def test_a_damaged_memory_of_digests_is_ignored(tmp_path, content):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "digests.json").write_text(content)
    one = pair(tmp_path)
    row = pairs.manifest([one], tmp_path, cache=tmp_path / "cache").iloc[0]
    assert row["dark_sha256"] == hashlib.sha256(one.dark.read_bytes()).hexdigest()


def test_a_missing_file_cannot_be_hashed(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png cannot be read"):
        Digests(None).sha256(tmp_path / "gone.png")


def test_a_manifest_reads_back_as_it_was_written(tmp_path):
    frame = pairs.manifest([pair(tmp_path, "007"), pair(tmp_path, "Huawei/1e5, x")], tmp_path)
    pairs.write_manifest(frame, tmp_path / "new" / "m.csv")
    pd.testing.assert_frame_equal(pairs.read_manifest(tmp_path / "new" / "m.csv"), frame)


def test_write_manifest_puts_rows_and_columns_in_stable_order(tmp_path):
    frame = pairs.manifest([pair(tmp_path, name) for name in ("1", "2", "10")], tmp_path)
    pairs.write_manifest(frame, tmp_path / "a.csv")
    pairs.write_manifest(frame.iloc[::-1, ::-1], tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="status"), r"lacks the columns \['status'\]"),
        (lambda f: f.assign(extra=1), r"unknown columns \['extra'\]"),
        (lambda f: f.assign(status="fine"), "status 'fine', expected one of"),
        (lambda f: f.assign(width="wide"), "no whole number"),
        (lambda f: pd.concat([f, f]), "more than once"),
    ],
)
def test_read_manifest_refuses_what_is_no_manifest(tmp_path, change, message):
    frame = pairs.manifest([pair(tmp_path)], tmp_path)
    change(frame).to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(InputError, match=message):
        pairs.read_manifest(tmp_path / "m.csv")


def test_read_manifest_tells_that_the_file_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"m\.csv cannot be read .* run the stage"):
        pairs.read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2,3\n1,2,3,4\n", b"\xff\xfe\x00x"])
def test_read_manifest_refuses_a_file_that_is_no_csv(tmp_path, content):
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"m\.csv is not a CSV file"):
        pairs.read_manifest(tmp_path / "m.csv")
