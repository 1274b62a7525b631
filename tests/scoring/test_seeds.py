"""Scores of several seeds: means image by image, and the rows of each kept."""

import pandas as pd
import pytest

from benchmark.scoring import results, seeds


def rows(*values, metric="psnr"):
    return [
        results.Row("demo", "LOL", f"{image}", 90, "mlsm", "retrained", metric, "sound", value)
        for image, value in enumerate(values)
    ]


def test_the_mean_is_taken_image_by_image():
    found = seeds.averaged({1: rows(20.0, 30.0), 2: rows(22.0, 30.0), 3: rows(24.0, 33.0)})
    assert [row.value for row in found] == [22.0, 31.0]
    assert [row.image for row in found] == ["0", "1"]


def test_seeds_of_different_images_are_refused():
    with pytest.raises(ValueError, match="different images"):
        seeds.averaged({1: rows(20.0, 30.0), 2: rows(22.0)})


def test_rows_of_all_seeds_survive_the_disk(tmp_path):
    seeds.write(tmp_path / "mlsm.parquet", {2: rows(22.0), 1: rows(20.0)})
    found = seeds.read(tmp_path)
    assert list(found.columns) == seeds.COLUMNS
    assert found[["seed", "value"]].to_numpy().tolist() == [[1, 20.0], [2, 22.0]]
    seeds.write_all(tmp_path / seeds.FILE, found)
    pd.testing.assert_frame_equal(seeds.read_all(tmp_path / seeds.FILE), found)


def test_without_files_there_are_no_rows(tmp_path):
    assert seeds.read(tmp_path).empty
    assert seeds.read_all(tmp_path / seeds.FILE).empty
