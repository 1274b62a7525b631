"""Recall by height of face, on boxes whose answer is seen at a glance."""

import math

import numpy as np
import pytest

from benchmark.data.labels.boxes import Boxes
from benchmark.faces import recall


def labelled(*boxes):
    return Boxes.labelled(np.array(boxes, np.float64).reshape(-1, 4))


def detected(*boxes):
    return Boxes(np.array(boxes, np.float64).reshape(-1, 4), np.full(len(boxes), 0.1))


TRUTH = {
    "a": labelled((0, 0, 5, 6), (20, 0, 28, 10), (40, 0, 60, 40)),
    "b": labelled((0, 0, 5, 8)),
    "c": labelled(),
}


def test_faces_are_counted_by_height_and_found_by_any_detection():
    found = recall.by_height(
        TRUTH,
        {"a": detected((20, 0, 28, 11), (40, 0, 60, 10)), "b": detected(), "c": detected()},
        0.5,
    )
    assert [(one.faces, one.found) for one in found] == [(1, 0), (2, 1), (0, 0), (1, 0)]
    assert [one.recall for one in found[:2]] == [0.0, 0.5]
    assert math.isnan(found[2].recall)


def test_two_detections_of_a_face_find_it_once():
    twice = detected((0, 0, 5, 8), (0, 0, 5, 8))
    found = recall.by_height({"b": TRUTH["b"]}, {"b": twice}, 0.5)
    assert (found[1].faces, found[1].found) == (1, 1)


def test_classes_have_names_and_every_height_has_a_class():
    names = [one.name for one in recall.by_height(TRUTH, TRUTH, 0.5)]
    assert names == ["below 8 px", "8 to 16 px", "16 to 32 px", "from 32 px"]
    assert sum(one.faces for one in recall.by_height(TRUTH, TRUTH, 0.5)) == 4


@pytest.mark.parametrize("iou", [0.3, 1.0])
def test_labels_find_themselves(iou):
    assert all(one.found == one.faces for one in recall.by_height(TRUTH, TRUTH, iou))
