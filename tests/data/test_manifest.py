"""Pairs, manifests and remembered digests."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core.errors import InputError
from benchmark.data import inventory, manifest
from tests.helpers.pictures import pair


def test_natural_key_puts_two_before_ten():
    names = ["10", "2", "a10b", "a9b", "00018-4.5", "1"]
    expected = ["1", "2", "10", "00018-4.5", "a9b", "a10b"]
    assert sorted(names, key=manifest.natural_key) == expected


@given(st.text(max_size=8), st.text(max_size=8))
def test_natural_key_puts_any_two_different_texts_in_one_order(first, second):
    one, other = manifest.natural_key(first), manifest.natural_key(second)
    assert (one < other) + (other < one) == (first != second)


def test_a_manifest_reads_back_as_it_was_written(tmp_path):
    frame = inventory.manifest([pair(tmp_path, "007"), pair(tmp_path, "Huawei/1e5, x")], tmp_path)
    manifest.write_manifest(frame, tmp_path / "new" / "m.csv")
    pd.testing.assert_frame_equal(manifest.read_manifest(tmp_path / "new" / "m.csv"), frame)


def test_write_manifest_puts_rows_and_columns_in_stable_order(tmp_path):
    frame = inventory.manifest([pair(tmp_path, name) for name in ("1", "2", "10")], tmp_path)
    manifest.write_manifest(frame, tmp_path / "a.csv")
    manifest.write_manifest(frame.iloc[::-1, ::-1], tmp_path / "b.csv")
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
    frame = inventory.manifest([pair(tmp_path)], tmp_path)
    change(frame).to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(InputError, match=message):
        manifest.read_manifest(tmp_path / "m.csv")


def test_read_manifest_tells_that_the_file_is_missing(tmp_path):
    with pytest.raises(InputError, match=r"m\.csv cannot be read .* run the stage"):
        manifest.read_manifest(tmp_path / "m.csv")


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2,3\n1,2,3,4\n", b"\xff\xfe\x00x"])
def test_read_manifest_refuses_a_file_that_is_no_csv(tmp_path, content):
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"m\.csv is not a CSV file"):
        manifest.read_manifest(tmp_path / "m.csv")
