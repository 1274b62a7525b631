"""WIDER FACE's annotations, and its images made dark."""

import numpy as np
import pytest

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.data import darkening, inventory, lists
from benchmark.data.labels import wider_face
from benchmark.data.manifest import Pair
from tests.helpers.pictures import photograph

FACE = "0 0 0 {invalid} 0 0"
TEXT = f"""0--Parade/0_Parade_a_1.jpg
2
10 20 30 40 {FACE.format(invalid=0)}
1 2 3 4 2 1 1 0 2 1
1--Handshaking/1_b.jpg
0
0 0 0 0 0 0 0 0 0 0
2--Riot/c.jpg
3
5 5 10 10 {FACE.format(invalid=1)}
5 5 0 10 {FACE.format(invalid=0)}
7 8 9 10 {FACE.format(invalid=0)}
"""


def annotations(folder, text=TEXT):
    path = folder / "wider_face_val_bbx_gt.txt"
    path.write_text(text)
    wider_face.read_annotations.cache_clear()
    return path


def test_annotations_become_corners_by_image_in_order(tmp_path):
    found = wider_face.read_annotations(annotations(tmp_path))
    assert list(found) == ["0--Parade/0_Parade_a_1", "1--Handshaking/1_b", "2--Riot/c"]
    assert found["0--Parade/0_Parade_a_1"].boxes.tolist() == [[10, 20, 40, 60], [1, 2, 4, 6]]


def test_an_image_without_faces_has_a_line_of_zeros_and_no_face(tmp_path):
    assert len(wider_face.labelled(annotations(tmp_path), "1--Handshaking/1_b")) == 0


def test_invalid_faces_are_regions_that_do_not_count_and_boxes_without_area_are_left_out(tmp_path):
    labels = wider_face.labelled(annotations(tmp_path), "2--Riot/c")
    assert labels.boxes.tolist() == [[7, 8, 16, 18]]
    assert labels.ignored.boxes.tolist() == [[5, 5, 15, 15]]
    assert labels.ignored.crowd.tolist() == [False]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2\n", "line 1 is '2', expected the path"),
        ("a.jpg\nmany\n", "line 2 is 'many', expected the number"),
        ("a.jpg\n1\n1 2 3 4\n", "line 3 .* expected 10 whole numbers"),
        ("a.jpg\n2\n1 2 3 4 0 0 0 0 0 0\n", "ends early"),
        ("a.jpg\n1\n1 2 3 -4 0 0 0 0 0 0\n", "line 3 .* its height in range"),
        ("a.jpg\n1\n1 2 3 4 0 0 0 2 0 0\n", "line 3 .* its invalid in range"),
        ("a.jpg\n0\n0 0 0 0 0 0 0 0 0 0\na.jpg\n", "line 4 .* each image once"),
        ("", "is empty"),
    ],
)
def test_broken_annotations_are_refused_with_the_line(tmp_path, text, told):
    with pytest.raises(InputError, match=told):
        wider_face.read_annotations(annotations(tmp_path, text))


def test_an_image_that_the_annotations_lack_is_told(tmp_path):
    with pytest.raises(InputError, match="no faces of 9--Press/x"):
        wider_face.labelled(annotations(tmp_path), "9--Press/x")
    with pytest.raises(InputError, match="is not a file"):
        wider_face.read_annotations(tmp_path / "wider_face_other.txt")


def test_labels_of_one_image_are_read_as_dark_face_has_them(tmp_path):
    (tmp_path / "1.txt").write_text("1\n1 2 3 4\n")
    assert wider_face.labelled(tmp_path / "1.txt", "anything").boxes.tolist() == [[1, 2, 3, 4]]


def test_night_is_dark_and_belongs_to_name_and_seed():
    image = images.to_float(photograph(40, 60, 0))
    dark = darkening.night(image, "a", 1)
    assert dark.shape == image.shape
    assert 0 < dark.mean() < 0.5 * image.mean()
    assert np.array_equal(dark, darkening.night(image, "a", 1))
    assert not np.array_equal(dark, darkening.night(image, "b", 1))
    assert not np.array_equal(dark, darkening.night(image, "a", 2))


def test_rows_without_a_dark_image_get_one_and_others_stay_as_they_are(tmp_path):
    raw, work = tmp_path / "raw", tmp_path / "work"
    for name in ("a", "b"):
        images.write(raw / f"WIDER/{name}.png", photograph(32, 48, 1))
    images.write(raw / "WIDER/dark.png", np.zeros((32, 48, 3), np.uint8))
    root = raw / "WIDER"
    pairs = [
        Pair("WIDER", "test", "event/a", None, root / "a.png"),
        Pair("WIDER", "test", "event/b", root / "dark.png", root / "b.png"),
    ]
    listed = lists.prefixed(inventory.manifest(pairs, root), "raw/WIDER/")
    places = lists.PathResolver((raw,), work)
    folder = work / "jpeg/test/dark/WIDER"
    made = darkening.complete(listed, places, folder, "work/jpeg/test/dark/WIDER/", 7, 1)
    assert made["dark"].tolist() == [
        "work/jpeg/test/dark/WIDER/event/a.png",
        "raw/WIDER/dark.png",
    ]
    assert made["prepared"].tolist() == ["darkened by the camera model", ""]
    dark = images.read(places.locate(made["dark"].iloc[0]))
    assert dark.mean() < 0.5 * images.read(root / "a.png").mean()
    assert made.loc[1].equals(listed.loc[1])
