"""Fig. 12: which boxes are found, missed and false, and that one sees it without colours."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision
from benchmark.figures import face_grid

A, B, C = (0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10)


def boxes(*found):
    return np.array(found, np.float64).reshape(-1, 4)


def detected(*scored):
    numbers = np.array(scored, np.float64).reshape(-1, 5)
    return Boxes(numbers[:, :4].copy(), numbers[:, 4].copy())


def test_boxes_are_found_missed_or_false_and_unsure_ones_are_not_there():
    truth = Boxes.labelled(boxes(A, B))
    found = detected((*A, 0.9), (*A, 0.8), (*C, 0.7), (*B, 0.2))
    verdict = face_grid.judge(truth, found, 0.5, least=0.5)
    assert verdict.found.tolist() == [list(A)]
    assert verdict.missed.tolist() == [list(B)]
    assert verdict.false.tolist() == [list(A), list(C)]  # a duplicate is false, too


def test_without_detections_every_face_is_missed_and_without_faces_every_box_is_false():
    assert len(face_grid.judge(Boxes.labelled(boxes(A, B)), Boxes.none(), 0.5, 0.0).missed) == 2
    assert len(face_grid.judge(Boxes.none(), detected((*A, 0.9)), 0.5, 0.0).false) == 1


def test_the_threshold_is_where_f1_is_highest():
    truth = {"a": Boxes.labelled(boxes(A, B))}
    found = {"a": detected((*A, 0.9), (*B, 0.6), (*C, 0.3))}
    assert face_grid.threshold(average_precision.evaluate(truth, found, 0.5)) == 0.6
    nothing = average_precision.evaluate(truth, {"a": Boxes.none()}, 0.5)
    assert face_grid.threshold(nothing) == 1.0


def test_images_are_the_first_with_a_number_of_faces_that_can_be_seen():
    one, two, many = (Boxes.labelled(np.tile(boxes(A), (n, 1))) for n in (1, 2, 13))
    truth = {"one": one, "two": two, "many": many, "again": two, "last": two}
    assert face_grid.chosen(truth, 2) == ["two", "again"]


@pytest.fixture
def figure():
    verdict = face_grid.Verdict(boxes(A), boxes(B), boxes(C))
    dark = np.zeros((20, 60, 3), np.uint8)
    row = [face_grid.Shown(title, dark, verdict) for title in ("Identity", "MLSM")]
    return face_grid.grid([row, row], 0.5)


def test_kinds_of_boxes_differ_in_line_as_well_as_colour(figure):
    drawn = [p for p in figure.axes[0].patches if isinstance(p, Rectangle)]
    assert [p.get_xy() for p in drawn] == [(0, 0), (20, 0), (40, 0)]
    assert len({p.get_linestyle() for p in drawn}) == 3
    assert len({tuple(p.get_edgecolor()) for p in drawn}) == 3
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert [line.get_xydata().tolist() for line in crosses] == [[[45, 5]]]


def test_methods_stand_above_their_columns_and_counts_under_every_picture(figure):
    assert [axes.get_title() for axes in figure.axes] == ["Identity", "MLSM", "", ""]
    assert {axes.get_xlabel() for axes in figure.axes} == {"1 of 2 found, 1 false"}
    assert [text.get_text() for text in figure.legends[0].texts] == ["found", "missed", "false"]
