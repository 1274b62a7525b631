"""Labels in the format of DARK FACE."""

import pytest

from benchmark.core.errors import InputError
from benchmark.data.labels.dark_face import read_labels


def labels(tmp_path, text):
    path = tmp_path / "1.txt"
    path.write_text(text)
    return path


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
    with pytest.raises(InputError, match=r"9\.txt cannot be read \(No such file"):
        read_labels(tmp_path / "9.txt")
    (tmp_path / "1.txt").write_bytes(b"\x01\xfe\x00\x81")
    with pytest.raises(InputError, match="is not text"):
        read_labels(tmp_path / "1.txt")
