"""Result rows: what may be written, and what a mean is."""

import numpy as np
import pytest

from benchmark.core.errors import InputError
from benchmark.scoring import results
from benchmark.scoring.results import Row


def row(value=20.0, **changes):
    base = Row("demo", "LOL", "1", 90, "gamma", "classical", "psnr", "sound", value)
    return base._replace(**changes)


def test_rows_survive_a_round_trip(tmp_path):
    made = results.frame([row(), row(qf=None, value=np.inf), row(image="22")])
    results.write(tmp_path / "rows.parquet", made)
    read = results.read(tmp_path / "rows.parquet")
    assert len(read) == 3
    assert read["qf"].isna().sum() == 1
    assert set(map(tuple, read.drop(columns="qf").to_numpy())) == set(
        map(tuple, made.drop(columns="qf").to_numpy())
    )


def test_equal_rows_in_another_order_give_equal_files(tmp_path):
    made = [row(), row(image="22"), row(metric="ssim", value=0.5)]
    results.write(tmp_path / "a.parquet", results.frame(made))
    results.write(tmp_path / "b.parquet", results.frame(made[::-1]))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_nan_is_refused():
    with pytest.raises(ValueError, match="1 rows hold NaN"):
        results.frame([row(float("nan"))])


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="1 rows stand twice"):
        results.frame([row(), row(21.0)])


@pytest.mark.parametrize(("column", "value"), [("track", "stolen"), ("protocol", "lenient")])
def test_an_unknown_track_or_protocol_is_refused(column, value):
    with pytest.raises(ValueError, match=f"Rows have {column}"):
        results.frame([row(**{column: value})])


def test_missing_results_name_the_remedy(tmp_path):
    with pytest.raises(InputError, match="dvc repro"):
        results.read(tmp_path / "rows.parquet")


def test_a_mean_leaves_infinite_values_out_and_counts_them():
    made = results.frame([row(20.0), row(30.0, image="22"), row(np.inf, image="23")])
    cell = results.means(made).iloc[0]
    assert (cell["value"], cell["n"], cell["infinite"]) == (25.0, 2, 1)


def test_a_mean_of_infinite_values_alone_is_infinite():
    cell = results.means(results.frame([row(np.inf)])).iloc[0]
    assert cell["value"] == np.inf


def test_uncompressed_images_are_a_cell_of_their_own():
    made = results.frame([row(20.0), row(30.0, qf=None)])
    assert sorted(results.means(made)["value"]) == [20.0, 30.0]
