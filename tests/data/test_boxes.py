"""Boxes, and detections on disk."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import (
    Boxes,
    Regions,
    from_plain,
    plain,
    read_detections,
    write_detections,
)


def faces(*scored):
    """Build detections of (x0, y0, x1, y1, score)."""
    numbers = np.array(scored, dtype=np.float64).reshape(-1, 5)
    return Boxes(numbers[:, :4].copy(), numbers[:, 4].copy())


@pytest.mark.parametrize(
    ("boxes", "scores", "complaint"),
    [
        (np.zeros((2, 4)), np.zeros(1), "shape"),
        (np.zeros((2, 5)), np.zeros(2), "shape"),
        (np.zeros(4), np.zeros(1), "shape"),
        (np.zeros((1, 4)), np.zeros((1, 1)), "shape"),
        (np.zeros((1, 4), np.float32), np.zeros(1), "float64"),
        (np.zeros((1, 4)), np.zeros(1, int), "float64"),
        (np.full((1, 4), np.inf), np.zeros(1), "finite"),
        (np.zeros((1, 4)), np.array([np.nan]), "finite"),
        (np.array([[2.0, 0, 1, 1]]), np.zeros(1), "x0 <= x1"),
        (np.array([[0.0, 2, 1, 1]]), np.zeros(1), "y0 <= y1"),
    ],
)
def test_faces_refuse_what_are_no_boxes(boxes, scores, complaint):
    with pytest.raises(ValueError, match=complaint):
        Boxes(boxes, scores)


def test_labelled_faces_have_score_one_and_none_have_none():
    assert Boxes.labelled(np.zeros((3, 4))).scores.tolist() == [1, 1, 1]
    assert (len(Boxes.none()), Boxes.none().boxes.shape) == (0, (0, 4))


def test_labels_with_regions_come_back_from_json():
    crowd = np.array([False, True])
    regions = Regions(np.array([[1.5, 2, 3, 4], [0, 0, 9, 9]]), crowd)
    labels = Boxes.labelled(np.array([[1.0, 2.0, 3.0, 4.25]]), regions)
    back = from_plain(json.loads(json.dumps(plain(labels))))
    assert back.boxes.tolist() == labels.boxes.tolist()
    assert back.ignored.boxes.tolist() == regions.boxes.tolist()
    assert back.ignored.crowd.tolist() == [False, True]
    assert len(from_plain(plain(Boxes.none()))) == 0


def test_detections_come_back_bit_for_bit_with_images_in_order(tmp_path):
    numbers = np.random.default_rng(0).random((7, 5))
    numbers[:, 2:4] += 1
    written = {
        "b.png": faces(*numbers[:4]),
        "empty.png": Boxes.none(),
        "a.png": faces(*numbers[4:]),
    }
    write_detections(tmp_path / "new" / "found.parquet", written)
    found = read_detections(tmp_path / "new" / "found.parquet")
    assert list(found) == list(written)
    for image, one in written.items():
        assert np.array_equal(found[image].boxes, one.boxes)
        assert np.array_equal(found[image].scores, one.scores)


def test_table_of_detections_counts_images_without_any(tmp_path):
    path = tmp_path / "found.parquet"
    write_detections(path, {"1": Boxes.none(), "2": faces((1, 2, 3, 4, 0.5)), "3": Boxes.none()})
    table = pd.read_parquet(path)
    assert list(table.columns) == ["image", "x0", "y0", "x1", "y1", "score"]
    assert table["image"].nunique() == 3
    assert table["score"].count() == 1


def test_detections_of_no_images_are_no_images(tmp_path):
    write_detections(tmp_path / "found.parquet", {})
    assert read_detections(tmp_path / "found.parquet") == {}


@pytest.mark.parametrize(
    "rows",
    [
        [("1", 5.0, 2.0, 3.0, 4.0, 0.5)],
        [("1", 1.0, 2.0, 3.0, None, 0.5)],
        [("1", 1.0, 2.0, 3.0, 4.0, 0.5), ("1", None, None, None, None, None)],
    ],
)
def test_rows_that_are_no_boxes_are_refused(tmp_path, rows):
    path = tmp_path / "found.parquet"
    columns = ["image", "x0", "y0", "x1", "y1", "score"]
    pd.DataFrame(rows, columns=columns).to_parquet(path)
    with pytest.raises(InputError, match=r"found\.parquet holds rows of 1 that are no boxes"):
        read_detections(path)


def test_files_that_are_no_detections_are_refused(tmp_path):
    path = tmp_path / "found.parquet"
    with pytest.raises(InputError, match="is not a file"):
        read_detections(path)
    path.write_text("image,x0\n")
    with pytest.raises(InputError, match="no Parquet file"):
        read_detections(path)
    pd.DataFrame({"image": ["1"], "x": [1.0]}).to_parquet(path)
    with pytest.raises(InputError, match=r"has the columns \['image', 'x'\]"):
        read_detections(path)
