"""Other definitions of AP: against faster-coco-eval, against slow copies of the words, by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes, Regions
from benchmark.faces import ap_protocols, average_precision, scores
from tests.helpers.boxes import boxes_of_images, coco_tool, found, truth

SQUARE = (0, 0, 10, 10)
UNCOUNTED = 1e9
"""Area, pixels, of faces that do not count: COCO's tool itself leaves out those beyond a range."""


def coco_of_other_people(labels, detections, iou):
    """Score with faster-coco-eval: one class, all areas, every detection kept."""
    ids = {name: i for i, name in enumerate(labels, start=1)}
    content = {
        "info": {},
        "images": [{"id": i, "width": 100, "height": 100} for i in ids.values()],
        "categories": [{"id": 1, "name": "face"}],
        "annotations": [],
    }
    for name, faces in labels.items():
        regions = zip(faces.ignored.boxes.tolist(), faces.ignored.crowd.tolist(), strict=True)
        listed = [(box, "face") for box in faces.boxes.tolist()]
        listed += [(box, "crowd" if crowd else "not counted") for box, crowd in regions]
        for (x0, y0, x1, y1), kind in listed:
            box = {"bbox": [x0, y0, x1 - x0, y1 - y0], "category_id": 1}
            box |= {"id": len(content["annotations"]) + 1, "image_id": ids[name]}
            box |= {"iscrowd": int(kind == "crowd"), "area": UNCOUNTED}
            if kind == "face":
                box["area"] = (x1 - x0) * (y1 - y0)
            content["annotations"].append(box)
    results = [
        {"image_id": ids[name], "category_id": 1, "bbox": [x0, y0, x1 - x0, y1 - y0], "score": s}
        for name, one in detections.items()
        for (x0, y0, x1, y1), s in zip(one.boxes.tolist(), one.scores.tolist(), strict=True)
    ]
    kept = {"maxDets": [1, 10, 750], "areaRng": [[0, UNCOUNTED / 2]], "areaRngLbl": ["all"]}
    return coco_tool(content, results, iou, **kept)


def random_set(seed, images=6, regions=0):
    """Return labels and detections without equal scores, many boxes near each face.

    Up to `regions` of the labelled boxes of an image do not count; half of those are crowds.
    """
    random = np.random.default_rng(seed)
    labels, detections = {}, {}
    for image in range(images):
        corners = random.uniform(0, 60, (random.integers(0, 6), 2))
        sides = random.uniform(4, 25, (len(corners), 2))
        boxes = np.hstack([corners, corners + sides])
        near = np.repeat(boxes, 3, axis=0) + random.normal(0, 3.0, (3 * len(boxes), 4))
        far = random.uniform(0, 60, (5, 2))
        extra = np.hstack([far, far + 10])
        every = np.vstack([near, extra])
        every[:, 2:] = np.maximum(every[:, 2:], every[:, :2] + 0.5)
        out = boxes[:regions] if regions else boxes[:0]
        ignored = Regions(out, random.random(len(out)) < 0.5)
        labels[f"{image}"] = Boxes.labelled(boxes[len(out) :], ignored)
        detections[f"{image}"] = Boxes(every, random.random(len(every)))
    return labels, detections


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("iou", [0.3, 0.5, 0.7])
@pytest.mark.parametrize(("images", "regions"), [(6, 0), (10, 2)])
def test_coco_ap_equals_that_of_faster_coco_eval(seed, iou, images, regions):
    labels, detections = random_set(seed, images, regions)
    if regions:
        assert sum(one.ignored.crowd.sum() for one in labels.values()) > 0
        pooled = average_precision.pool(labels, detections, iou, ap_protocols.coco_match)
        assert len(pooled.ignored) > 0
    ours = ap_protocols.coco101(labels, detections, iou)
    assert ours == pytest.approx(coco_of_other_people(labels, detections, iou), abs=1e-9)


@pytest.mark.parametrize("name", ap_protocols.PROTOCOLS)
@pytest.mark.parametrize("kind", ["invalid", "crowd"])
def test_a_detection_of_an_ignored_region_costs_nothing_under_every_protocol(name, kind):
    labels = {"a": truth(SQUARE, **{kind: [(20, 20, 30, 30)]})}
    both = {"a": found((20, 20, 30, 30, 0.9), (*SQUARE, 0.5))}
    assert ap_protocols.score(name, labels, both, 0.5) == pytest.approx(1.0)


def test_coco_ignores_one_detection_of_a_face_that_does_not_count_and_voc_all():
    labels = {"a": truth(SQUARE, invalid=[(20, 20, 30, 30)])}
    twice = {"a": found((20, 20, 30, 30, 0.9), (20, 20, 30, 30, 0.8), (*SQUARE, 0.5))}
    assert ap_protocols.score("all_point", labels, twice, 0.5) == 1.0
    assert ap_protocols.coco101(labels, twice, 0.5) == pytest.approx(0.5)
    assert coco_of_other_people(labels, twice, 0.5) == pytest.approx(0.5)


def test_the_dark_face_tool_normalises_scores_with_those_of_ignored_detections():
    # 0.9 and 0.8999 of 1 fall between the same two thresholds, of 0.9 they do not
    boxes = ((50, 50, 60, 60, 0.9), (*SQUARE, 0.8999), (70, 70, 80, 80, 0.0))
    labels = {"a": truth(SQUARE, invalid=[(20, 20, 30, 30)])}
    without, beside = {"a": found(*boxes[1:])}, {"a": found((20, 20, 30, 30, 1.0), *boxes)}
    assert ap_protocols.score("df1000", labels, without, 0.5) == 1.0
    assert ap_protocols.score("df1000", labels, beside, 0.5) == pytest.approx(0.5)
    pooled = average_precision.pool(labels, beside, 0.5)
    assert ap_protocols.df1000(pooled) == pytest.approx(slow_df1000(pooled), abs=1e-12)


def test_coco_lets_a_second_detection_move_on_to_a_free_neighbour_and_voc_does_not():
    labels = {"a": truth((0, 0, 10, 10), (2, 0, 12, 10))}
    both = {"a": found((0, 0, 10, 10, 0.9), (0.5, 0, 10.5, 10, 0.8))}
    assert ap_protocols.coco_match(labels["a"], both["a"], 0.5).hits.tolist() == [True, True]
    assert ap_protocols.coco101(labels, both, 0.5) == pytest.approx(1.0)
    assert ap_protocols.score("all_point", labels, both, 0.5) == pytest.approx(0.5)


def slow_df1000(pooled):
    """Walk through the tool's thresholds one by one."""
    every = [*pooled.scores, *pooled.ignored]
    low, high = min(every), max(every)
    points = []
    for t in range(1, 1001):
        level = 1 - t / 1000
        chosen = [
            hit
            for score, hit in zip(pooled.scores, pooled.hits, strict=True)
            if (1.0 if high == low else (score - low) / (high - low)) >= level
        ]
        hits = sum(chosen)
        points.append((hits / pooled.faces.sum(), hits / len(chosen) if chosen else 0.0))
    area = last = 0.0
    for i, (recall, _) in enumerate(points):
        area += (recall - last) * max(p for _, p in points[i:])
        last = recall
    return area


@settings(max_examples=25, deadline=None)
@given(boxes_of_images(with_regions=True), st.sampled_from([0.3, 0.5]))
def test_the_dark_face_tool_s_ap_equals_its_words_followed_threshold_by_threshold(sets, iou):
    pooled = average_precision.pool(*sets, iou)
    if len(pooled.scores):
        assert ap_protocols.df1000(pooled) == pytest.approx(slow_df1000(pooled), abs=1e-12)


def slow_sampled(pooled, recalls):
    recall, precision = average_precision.curve_of(pooled)
    best = [max((p for r, p in zip(recall, precision, strict=True) if r >= at), default=0.0)
            for at in recalls]  # fmt: skip
    return sum(best) / len(best)


@settings(max_examples=40, deadline=None)
@given(boxes_of_images())
def test_eleven_point_ap_is_the_mean_of_the_best_precisions_beyond_eleven_recalls(sets):
    pooled = average_precision.pool(*sets, 0.5)
    expected = slow_sampled(pooled, [i / 10 for i in range(11)])
    assert ap_protocols.voc11(pooled) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(boxes_of_images(with_regions=True))
def test_every_protocol_stays_between_nothing_and_all(sets):
    for name in ap_protocols.PROTOCOLS:
        assert 0.0 <= ap_protocols.score(name, *sets, 0.5) <= 1.0


@pytest.mark.parametrize("name", ap_protocols.PROTOCOLS)
def test_perfect_detections_have_ap_one_under_every_protocol(name):
    labels = {"a": truth(SQUARE, (20, 20, 30, 30)), "b": truth()}
    exact = {"a": found((*SQUARE, 0.9), (20, 20, 30, 30, 0.4)), "b": found()}
    assert ap_protocols.score(name, labels, exact, 0.5) == pytest.approx(1.0)


@pytest.mark.parametrize("name", ap_protocols.PROTOCOLS)
def test_no_detections_have_ap_zero_under_every_protocol(name):
    assert ap_protocols.score(name, {"a": truth(SQUARE)}, {"a": found()}, 0.5) == 0.0


@pytest.mark.parametrize("name", ap_protocols.PROTOCOLS)
def test_no_labelled_face_is_refused_under_every_protocol(name):
    with pytest.raises(InputError, match="no face"):
        ap_protocols.score(name, {"a": truth()}, {"a": found((*SQUARE, 0.9))}, 0.5)


@pytest.mark.parametrize("name", ap_protocols.PROTOCOLS)
def test_boxes_without_area_and_boxes_off_the_image_are_false_under_every_protocol(name):
    labels = {"a": truth(SQUARE)}
    odd = found((3, 3, 3, 3, 0.99), (-50, -50, -40, -40, 0.98), (*SQUARE, 0.5))
    assert ap_protocols.score(name, labels, {"a": odd}, 0.5) == pytest.approx(1 / 3)


def test_scores_that_are_all_equal_make_one_point_of_the_tool_s_curve():
    labels = {"a": truth(SQUARE)}
    equal = {"a": found((50, 50, 60, 60, 0.7), (*SQUARE, 0.7))}
    assert ap_protocols.score("df1000", labels, equal, 0.5) == pytest.approx(0.5)


def test_duplicates_cost_precision_at_recalls_beyond_them():
    labels = {"a": truth(SQUARE, (20, 20, 30, 30))}
    twice = {"a": found((*SQUARE, 0.9), (*SQUARE, 0.8), (20, 20, 30, 30, 0.7))}
    at = ap_protocols.precision_at(average_precision.pool(labels, twice, 0.5), [0.2, 0.5, 0.6, 1.0])
    assert at.tolist() == pytest.approx([1.0, 1.0, 2 / 3, 2 / 3])


def test_precision_beyond_the_end_of_the_curve_is_zero():
    labels = {"a": truth(SQUARE, (20, 20, 30, 30))}
    pooled = average_precision.pool(labels, {"a": found((*SQUARE, 0.9))}, 0.5)
    assert ap_protocols.precision_at(pooled, [0.5, 0.51]).tolist() == [1.0, 0.0]


def test_an_unknown_protocol_is_refused_with_those_that_exist():
    with pytest.raises(InputError, match="all_point, df1000, coco101, voc11"):
        ap_protocols.score("voc12", {"a": truth(SQUARE)}, {"a": found()}, 0.5)


def test_a_summary_has_a_row_an_overlap_and_protocol_and_an_interval_for_the_headline():
    labels, detections = random_set(3)
    asked = scores.Asked((0.3, 0.5), ("all_point", "coco101"), seed=1, draws=100)
    rows = scores.summary(labels, detections, asked)
    assert [(r["iou"], r["protocol"]) for r in rows] == [
        (0.3, "all_point"), (0.3, "coco101"), (0.5, "all_point"), (0.5, "coco101"),
    ]  # fmt: skip
    assert rows[0]["ci_low"] <= rows[0]["ap"] <= rows[0]["ci_high"]
    assert rows[1]["ci_low"] is None
    with pytest.raises(InputError, match="--iou"):
        scores.Asked((1.5,), ("all_point",), seed=1, draws=100)
