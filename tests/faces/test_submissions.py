"""Detections from elsewhere: formats, and boxes that are not what they are said to be."""

import json

import numpy as np
import pytest

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes, write_detections
from benchmark.faces.formats import submissions
from tests.helpers.commands import call

FACES = {"1": [(10, 20, 30, 50), (60, 60, 75, 80)], "2": [], "3": [(100, 40, 120, 70)]}
FOUND = {"1": [(11, 20, 30, 50, 0.9), (60, 61, 75, 80, 0.8)], "3": [(100, 41, 120, 70, 0.4)]}


def as_xywh(box):
    x0, y0, x1, y1, *score = box
    return (x0, y0, x1 - x0, y1 - y0, *score)


def lines_of(boxes):
    return "".join(" ".join(map(str, box)) + "\n" for box in boxes)


@pytest.fixture
def labels(put):
    for name, boxes in FACES.items():
        path = put(f"label/{name}.txt", f"{len(boxes)}\n{lines_of(boxes)}")
    return path.parent


@pytest.fixture
def submission(put):
    def write(convert=tuple):
        for name, boxes in FOUND.items():
            path = put(f"mine/{name}.txt", lines_of(map(convert, boxes)))
        return path.parent

    return write


@pytest.fixture
def coco(put):
    def write(convert=as_xywh):
        content = [
            {"image_id": int(name), "category_id": 1, "bbox": convert(box)[:4], "score": box[4]}
            for name, boxes in FOUND.items()
            for box in boxes
        ]
        return put("mine.json", content)

    return write


def expected(found):
    assert list(found) == ["1", "2", "3"]
    for name, faces in found.items():
        boxes = [[*box, score] for *box, score in FOUND.get(name, [])]
        read = np.column_stack([faces.boxes, faces.scores]).tolist()
        assert read == [pytest.approx(box) for box in boxes]


def read(path, labels, layout=None):
    return submissions.load(labels, path, layout).found


def test_a_dark_face_submission_is_read_and_images_without_a_file_have_no_detection(
    submission, labels
):
    expected(read(submission(), labels))


def test_a_submission_of_sizes_is_read_where_that_is_said(submission, labels):
    expected(read(submission(as_xywh), labels, "xywh"))


def test_coco_results_are_sizes_and_their_ids_names_of_label_files(coco, labels):
    expected(read(coco(), labels))


def test_a_table_of_this_suite_is_read(tmp_path, labels):
    found = {
        name: Boxes(np.array(b, float)[:, :4].copy(), np.array(b, float)[:, 4].copy())
        for name, b in FOUND.items()
    }
    write_detections(tmp_path / "mine.parquet", found)
    expected(read(tmp_path / "mine.parquet", labels))


def test_coco_ground_truth_names_images_by_their_files_and_results_by_their_ids(put):
    content = {
        "images": [{"id": 7, "file_name": "a/1.png"}, {"id": 9, "file_name": "3.png"}],
        "annotations": [{"id": 1, "image_id": 7, "bbox": [10, 20, 20, 30], "category_id": 1}],
    }
    entry = {"image_id": 7, "category_id": 1, "bbox": [10, 20, 20, 30], "score": 0.5}
    truth, found, unseen = submissions.load(put("truth.json", content), put("mine.json", [entry]))
    assert truth["a/1.png"].boxes.tolist() == [[10, 20, 30, 50]]
    assert len(truth["3.png"]) == 0
    assert found["a/1.png"].boxes.tolist() == [[10, 20, 30, 50]]
    assert unseen == ["3.png"]


def test_sizes_are_refused_because_they_meet_the_labels_and_corners_do_not(submission, labels):
    with pytest.raises(InputError, match=r"meets 0 labelled.*meets 3: .*--boxes xywh"):
        read(submission(as_xywh), labels)


def test_sizes_that_cannot_be_corners_are_refused_with_the_hint(put, labels):
    mine = put("mine/1.txt", "500 500 20 30 0.9\n").parent
    with pytest.raises(InputError, match=r"no extent as x0 y0 x1 y1 score: .*--boxes xywh"):
        read(mine, labels)


def test_sizes_that_could_be_corners_are_refused_because_they_miss_the_labels(put):
    folder = put("label/1.txt", "1\n100 100 210 230\n").parent  # 110 wide, 130 high
    mine = put("mine/1.txt", "100 100 110 130 0.9\n5 5 6 6 0.5\n").parent
    with pytest.raises(InputError, match=r"meets 0 labelled faces.*meets 1: .*--boxes xywh"):
        read(mine, folder)
    assert len(read(mine, folder, "xywh")["1"]) == 2


def test_coco_results_that_hold_corners_are_refused_with_the_hint(coco, labels):
    with pytest.raises(InputError, match="--boxes xyxy"):
        read(coco(convert=tuple), labels)
    expected(read(coco(convert=tuple), labels, "xyxy"))


@pytest.mark.parametrize(
    ("line", "told"), [("1 2 3 4", "5 numbers"), ("a b c d e", "5 numbers"), ("1 2 3 4 nan", "5")]
)
def test_lines_that_are_no_boxes_are_refused_with_their_number(put, submission, labels, line, told):
    mine = submission()
    put("mine/3.txt", f"1 2 3 4 0.5\n{line}\n")
    with pytest.raises(InputError, match=rf"3\.txt line 2 .*{told}"):
        read(mine, labels)


@pytest.mark.parametrize("text", ["{}", "[1]", "no json", '[{"image_id": 1}]'])
def test_json_that_is_no_result_file_is_refused(put, labels, text):
    with pytest.raises(InputError, match=r"mine\.json"):
        read(put("mine.json", text), labels)


def test_nothing_to_read_is_told(tmp_path, labels):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no \.txt file"):
        read(labels, tmp_path / "empty")
    with pytest.raises(InputError, match=r"is no folder of \.txt files"):
        read(tmp_path / "absent", labels)


def test_the_command_scores_a_submission_under_several_protocols(submission, labels):
    done = call(
        *("detect", "score", "--labels", labels, "--detections", submission(), "--draws", 100),
        *("--iou", 0.5, "--iou", 0.7, "--protocol", "all_point", "--protocol", "coco101"),
        "--json",
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert [(row["iou"], row["protocol"], row["ap"]) for row in rows] == [
        (0.5, "all_point", 1.0), (0.5, "coco101", 1.0),
        (0.7, "all_point", 1.0), (0.7, "coco101", 1.0),
    ]  # fmt: skip
    assert "3 boxes against 3 faces in 3 images" in done.stderr


def test_the_command_prints_a_table(submission, labels):
    done = call("detect", "score", "--labels", labels, "--detections", submission(), "--draws", 0)
    heads, row = done.stdout.splitlines()
    assert heads.split()[:3] == ["iou", "protocol", "ap"]
    assert row.split()[:3] == ["0.5", "all_point", "1.0"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--boxes", "cxcywh"],
        ["--protocol", "voc12"],
        ["--iou", "0"],
        ["--iou", "nan"],
        ["--draws", "5"],
        ["--seed", "-1"],
        ["--protocol", "voc11", "--protocol", "voc11"],
        ["--category", "face"],
    ],
)
def test_the_command_refuses_wrong_options_in_a_sentence(submission, labels, wrong):
    done = call("detect", "score", "--labels", labels, "--detections", submission(), *wrong)
    assert done.returncode == 2
    assert wrong[1] in done.stderr
