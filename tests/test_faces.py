"""Boxes, labels of DARK FACE, and detections on disk."""

import numpy as np
import pandas as pd
import pytest

from benchmark.errors import InputError
from benchmark.faces import (
    Faces,
    read_detections,
    read_labels,
    write_detections,
)


def faces(*scored):
    """Build detections of (x0, y0, x1, y1, score)."""
    numbers = np.array(scored, dtype=np.float64).reshape(-1, 5)
    return Faces(numbers[:, :4].copy(), numbers[:, 4].copy())


def labels(tmp_path, text):
    path = tmp_path / "1.txt"
    path.write_text(text)
    return path


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
        Faces(boxes, scores)


def test_labelled_faces_have_score_one_and_none_have_none():
    assert Faces.labelled(np.zeros((3, 4))).scores.tolist() == [1, 1, 1]
    assert (len(Faces.none()), Faces.none().boxes.shape) == (0, (0, 4))


def test_labels_are_read_in_order_with_integers_and_fractions(tmp_path):
    read_back = read_labels(labels(tmp_path, "2\n10 20 30 40\n0.5 1.25 3.0 4\n\n"))
    assert read_back.boxes.tolist() == [[10, 20, 30, 40], [0.5, 1.25, 3, 4]]
    assert read_back.scores.tolist() == [1, 1]


def test_labels_of_no_faces_are_no_faces(tmp_path):
    assert read_labels(labels(tmp_path, "0\n")).boxes.shape == (0, 4)


def test_labels_with_windows_line_ends_and_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "1.txt"
    path.write_bytes(b"\xef\xbb\xbf1\r\n1 2 3 4\r\n")
    assert read_labels(path).boxes.tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"1\.txt is empty"),
        ("1 2 3 4\n", r"1\.txt line 1 is '1 2 3 4', expected the number of faces"),
        ("-1\n", r"line 1 is '-1', expected the number"),
        ("2\n1 2 3 4\n", "line 1 announces 2 faces, but 1 lines follow"),
        ("1\n1 2 3 4\n5 6 7 8\n", "line 1 announces 1 faces, but 2 lines follow"),
        ("1\n1 2 3\n", r"1\.txt line 2 is '1 2 3', expected four numbers"),
        ("1\n1 2 3 4 0.9\n", "line 2 .* expected four numbers"),
        ("2\n1 2 3 4\n1,2,3,4\n", "line 3 is '1,2,3,4', expected four numbers"),
        ("1\n1 2 x 4\n", "line 2 .* expected four numbers"),
        ("1\n1 2 nan 4\n", "line 2 .* expected four numbers"),
        ("1\n1 2 inf 4\n", "line 2 .* expected four numbers"),
        ("2\n1 2 3 4\n300 20 31 44\n", "line 3 .* if the file holds x, y, width, height"),
        ("1\n30 200 310 44\n", "line 2 .* if the file holds x, y, width, height"),
    ],
)
def test_labels_in_another_format_are_refused_with_the_line(tmp_path, text, complaint):
    with pytest.raises(InputError, match=complaint):
        read_labels(labels(tmp_path, text))


def test_absent_and_binary_labels_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"9\.txt is not a file"):
        read_labels(tmp_path / "9.txt")
    (tmp_path / "1.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(InputError, match="is not text"):
        read_labels(tmp_path / "1.txt")


def test_detections_come_back_bit_for_bit_with_images_in_order(tmp_path):
    numbers = np.random.default_rng(0).random((7, 5))
    numbers[:, 2:4] += 1
    written = {
        "b.png": faces(*numbers[:4]),
        "empty.png": Faces.none(),
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
    write_detections(path, {"1": Faces.none(), "2": faces((1, 2, 3, 4, 0.5)), "3": Faces.none()})
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
