"""The scores against a slow second implementation, hand-computed cases and invariants."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.core.errors import InputError
from benchmark.data.labels.boxes import Boxes
from benchmark.faces.average_precision import (
    ap_interval,
    average_precision,
    evaluate,
    pool,
    precision_recall,
)
from benchmark.faces.matching import match, overlaps, shares
from tests.helpers.boxes import boxes_of_images, found, truth

IOUS = (0.3, 0.5, 0.7)
SQUARE = (0, 0, 10, 10)
FAR = (50, 50, 60, 60)


def slow_iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def slow_share(a, b):
    """Return which share of a lies in b."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    area = (a[2] - a[0]) * (a[3] - a[1])
    return max(width, 0) * max(height, 0) / area if area > 0 else 0.0


def slow_hits(labels, detections, iou):
    """Walk through the pooled detections one by one, as the definition says."""
    pooled = []
    for i, image in enumerate(labels):
        for j, score in enumerate(detections[image].scores):
            pooled.append((-score, i, j, image))
    taken, hits = set(), []
    for _, _, j, image in sorted(pooled):
        box, label = detections[image].boxes[j], labels[image]
        regions = list(zip(label.ignored.boxes, label.ignored.crowd, strict=True))
        counted = [*label.boxes, *(region for region, crowd in regions if not crowd)]
        ious = [slow_iou(box, one) for one in counted]
        best = max(range(len(ious)), key=lambda k: (ious[k], -k), default=None)
        close = best is not None and ious[best] >= iou
        hit = close and best < len(label) and (image, best) not in taken
        lone = close and best >= len(label)
        crowded = any(slow_share(box, region) >= iou for region, crowd in regions if crowd)
        if hit:
            taken.add((image, best))
        if hit or not (lone or crowded):
            hits.append(hit)
    return hits


def slow_ap(hits, faces):
    precisions = [Fraction(sum(hits[: k + 1]), k + 1) for k in range(len(hits))]
    return sum((max(precisions[k:]) for k, hit in enumerate(hits) if hit), Fraction(0)) / faces


@settings(max_examples=150, deadline=None)
@given(boxes_of_images(with_regions=True), st.sampled_from((*IOUS, 1.0)))
def test_curve_equals_the_definition_followed_one_detection_at_a_time(sets, iou):
    labels, detections = sets
    hits = slow_hits(labels, detections, iou)
    faces = sum(len(one) for one in labels.values())
    curve = evaluate(labels, detections, iou)
    assert pool(labels, detections, iou).hits.tolist() == hits
    assert curve.recall.tolist() == [sum(hits[: k + 1]) / faces for k in range(len(hits))]
    assert curve.precision.tolist() == [sum(hits[: k + 1]) / (k + 1) for k in range(len(hits))]
    assert curve.ap == pytest.approx(float(slow_ap(hits, faces)), abs=1e-12)
    assert (curve.faces, curve.images) == (faces, len(labels))


def test_average_precision_of_a_curve_computed_by_hand():
    # Four faces, hits 1 0 1 1 0: precision 1, 1/2, 2/3, 3/4, 3/5; envelope 1, 3/4, 3/4, 3/4, 3/5.
    curve = precision_recall(np.array([True, False, True, True, False]), faces=4)
    assert curve.recall.tolist() == [0.25, 0.25, 0.5, 0.75, 0.75]
    assert curve.precision.tolist() == [1.0, 1 / 2, 2 / 3, 3 / 4, 3 / 5]
    assert average_precision(*curve) == pytest.approx((1 + 0.75 + 0.75) / 4, abs=1e-15)


def test_average_precision_of_no_points_is_zero():
    assert average_precision(np.empty(0), np.empty(0)) == 0.0


def test_overlap_is_continuous_without_the_plus_one_of_pixels():
    table = overlaps(truth(SQUARE).boxes, truth(SQUARE, (5, 0, 15, 10), (10, 0, 20, 10)).boxes)
    assert table.tolist() == [[1.0, 50 / 150, 0.0]]


def test_boxes_without_area_overlap_nothing_and_not_each_other():
    point, line = (3, 3, 3, 3), (0, 5, 10, 5)
    table = overlaps(truth(point, line).boxes, truth(point, line, SQUARE).boxes)
    assert not table.any()


def test_an_overlap_that_equals_the_threshold_is_a_hit():
    half = found((0, 0, 10, 5, 0.9))
    assert match(truth(SQUARE), half, 0.5).hits.all()
    assert not match(truth(SQUARE), half, np.nextafter(0.5, 1)).hits.any()


def test_second_hit_on_a_face_is_a_false_positive():
    twice = found((*SQUARE, 0.8), (*SQUARE, 0.9), (*SQUARE, 0.8))
    assert match(truth(SQUARE), twice, 0.5).hits.tolist() == [False, True, False]


def test_first_of_equal_scores_claims_the_face():
    twice = found((*SQUARE, 0.8), (*SQUARE, 0.8))
    assert match(truth(SQUARE), twice, 0.5).hits.tolist() == [True, False]


def test_second_hit_does_not_move_on_to_another_face_in_reach():
    faces = truth((0, 0, 10, 10), (2, 0, 12, 10))
    pair = found((0, 0, 10, 10, 0.9), (0.5, 0, 10.5, 10, 0.8))
    assert overlaps(pair.boxes, faces.boxes).min() > 0.5
    assert match(faces, pair, 0.5).hits.tolist() == [True, False]


def test_a_box_too_far_from_its_face_does_not_claim_it():
    loose_then_tight = found((0, 0, 10, 4, 0.9), (*SQUARE, 0.2))
    assert match(truth(SQUARE), loose_then_tight, 0.5).hits.tolist() == [False, True]


def test_boxes_outside_the_image_match_by_overlap_alone():
    outside = (-20, -20, -10, -10)
    assert match(truth(outside), found((*outside, 0.5)), 1.0).hits.all()


def test_a_share_is_that_of_the_first_box_s_own_area():
    small, large = truth((4, 4, 6, 6)).boxes, truth(SQUARE, (5, 0, 15, 10), (3, 3, 3, 3)).boxes
    assert shares(small, large).tolist() == [[1.0, 0.5, 0.0]]
    assert shares(truth((3, 3, 3, 3)).boxes, large).tolist() == [[0.0, 0.0, 0.0]]


def test_a_detection_of_a_face_that_does_not_count_is_neither_hit_nor_false():
    labels = {"1": truth(SQUARE, invalid=[FAR])}
    both = {"1": found((*FAR, 0.9), (*FAR, 0.8), (*SQUARE, 0.5))}
    pooled = pool(labels, both, 0.5)
    assert (pooled.scores.tolist(), pooled.hits.tolist()) == ([0.5], [True])
    assert (pooled.ignored.tolist(), pooled.faces.tolist()) == ([0.9, 0.8], [1])
    assert evaluate(labels, both, 0.5).ap == 1.0


def test_a_detection_follows_the_face_that_it_overlaps_most_also_where_that_does_not_count():
    labels = truth((0, 0, 10, 10), invalid=[(2, 0, 12, 10)])
    matched = match(labels, found((1.5, 0, 11.5, 10, 0.9)), 0.5)
    assert (matched.hits.tolist(), matched.ignored.tolist()) == ([False], [True])
    matched = match(labels, found((0.5, 0, 10.5, 10, 0.9)), 0.5)
    assert (matched.hits.tolist(), matched.ignored.tolist()) == ([True], [False])


def test_a_crowd_holds_any_detection_that_lies_in_it_but_no_hit():
    labels = truth(SQUARE, crowd=[(0, 0, 100, 100)])
    several = found((*SQUARE, 0.9), (*SQUARE, 0.8), (*FAR, 0.7), (90, 90, 130, 130, 0.6))
    matched = match(labels, several, 0.5)
    assert matched.hits.tolist() == [True, False, False, False]
    assert matched.ignored.tolist() == [False, True, True, False]


def test_a_set_whose_only_boxes_do_not_count_has_no_face():
    with pytest.raises(InputError, match="no face"):
        evaluate({"1": truth(invalid=[SQUARE])}, {"1": found()}, 0.5)


def test_ties_between_images_follow_the_order_of_the_truth():
    labels = {"b.png": truth(SQUARE), "a.png": truth()}
    detections = {"a.png": found((*FAR, 0.5)), "b.png": found((*SQUARE, 0.5))}
    assert pool(labels, detections, 0.5).images.tolist() == [0, 1]
    assert pool(labels, detections, 0.5).hits.tolist() == [True, False]


def test_detections_in_an_image_without_faces_are_false_positives():
    labels = {"1.png": truth(SQUARE), "2.png": truth()}
    nothing = {"1.png": found((*SQUARE, 0.5)), "2.png": found()}
    false = {"1.png": found((*SQUARE, 0.5)), "2.png": found((*SQUARE, 0.9))}
    assert evaluate(labels, nothing, 0.5).ap == 1.0
    assert evaluate(labels, false, 0.5).ap == 0.5


def test_faces_in_an_image_without_detections_are_missed():
    labels = {"1.png": truth(SQUARE), "2.png": truth(SQUARE, FAR)}
    curve = evaluate(labels, {"1.png": found((*SQUARE, 0.5)), "2.png": found()}, 0.5)
    assert curve.recall.tolist() == [1 / 3]
    assert curve.ap == pytest.approx(1 / 3)


def test_no_detections_at_all_give_an_empty_curve_and_zero():
    curve = evaluate({"1.png": truth(SQUARE)}, {"1.png": found()}, 0.5)
    assert (curve.ap, len(curve.recall), len(curve.scores)) == (0.0, 0, 0)


def test_truth_without_any_face_is_refused():
    with pytest.raises(InputError, match="2 images hold no face"):
        evaluate({"1": truth(), "2": truth()}, {"1": found((*SQUARE, 1)), "2": found()}, 0.5)


def test_detections_without_labels_are_refused_by_name():
    with pytest.raises(InputError, match=r"1 of 2 images .* no labels .*7\.png"):
        evaluate({"1.png": truth(SQUARE)}, {"1.png": found(), "7.png": found()}, 0.5)


def test_an_image_that_the_detector_never_saw_is_refused_by_name():
    with pytest.raises(InputError, match=r"1 of 2 labelled images .*2\.png"):
        evaluate({"1.png": truth(SQUARE), "2.png": truth()}, {"1.png": found()}, 0.5)


@pytest.mark.parametrize("iou", [0.0, -0.5, 1.01, float("nan")])
def test_thresholds_outside_zero_to_one_are_refused(iou):
    with pytest.raises(ValueError, match="iou"):
        match(truth(SQUARE), found(), iou)


def test_precision_and_recall_without_faces_are_refused():
    with pytest.raises(ValueError, match="faces"):
        precision_recall(np.array([False]), faces=0)


def moved(faces, scale, shift):
    return Boxes(faces.boxes * scale + shift, faces.scores)


def rescored(faces, change):
    return Boxes(faces.boxes, change(faces.scores))


@settings(max_examples=50, deadline=None)
@given(boxes_of_images())
def test_scaling_and_shifting_all_boxes_changes_nothing(sets):
    labels, detections = sets
    before = evaluate(labels, detections, 0.5)
    after = evaluate(
        {image: moved(one, 4.0, -32.0) for image, one in labels.items()},
        {image: moved(one, 4.0, -32.0) for image, one in detections.items()},
        0.5,
    )
    assert after.recall.tolist() == before.recall.tolist()
    assert after.ap == before.ap


@settings(max_examples=50, deadline=None)
@given(boxes_of_images(), st.sampled_from([np.log, np.sqrt, lambda s: 8 * s - 100]))
def test_a_rising_function_of_the_scores_changes_nothing_but_the_scores(sets, change):
    labels, detections = sets
    before = evaluate(labels, detections, 0.5)
    other = {image: rescored(one, change) for image, one in detections.items()}
    after = evaluate(labels, other, 0.5)
    assert after.precision.tolist() == before.precision.tolist()
    assert after.scores.tolist() == change(before.scores).tolist()
    assert after.ap == before.ap


def test_false_positives_below_all_other_scores_leave_the_area_alone():
    labels = {"1.png": truth(SQUARE)}
    few = found((*FAR, 0.6), (*SQUARE, 0.5))
    more = found((*FAR, 0.6), (*SQUARE, 0.5), *[(*FAR, 0.01)] * 20)
    assert evaluate(labels, {"1.png": more}, 0.5).ap == evaluate(labels, {"1.png": few}, 0.5).ap


def random_set(seed, images=8):
    """Make a set without tied scores: hits, near misses and boxes in empty images."""
    random = np.random.default_rng(seed)
    labels, detections = {}, {}
    for image in range(images):
        corners = random.uniform(0, 90, (int(random.integers(0, 6)), 2))
        labels[str(image)] = Boxes.labelled(np.hstack([corners, corners + 10]))
        jitter = labels[str(image)].boxes + random.normal(0, 1.5, (len(corners), 4))
        extra = random.uniform(0, 90, (3, 2))
        boxes = np.vstack([jitter, np.hstack([extra, extra + 10])])
        detections[str(image)] = Boxes(boxes, random.random(len(boxes)))
    return labels, detections


def test_bootstrap_equals_scoring_each_resampled_set_on_its_own():
    labels, detections = random_set(seed=3)
    names = list(labels)
    random = np.random.default_rng(11)
    aps = []
    for _ in range(100):
        drawn = [names[i] for i in random.integers(len(names), size=len(names))]
        copies = {f"{name} {copy}": name for copy, name in enumerate(drawn)}
        sets = [{k: one[v] for k, v in copies.items()} for one in (labels, detections)]
        aps.append(evaluate(*sets, 0.5).ap)
    interval = ap_interval(labels, detections, 0.5, seed=11, draws=100, level=0.9)
    assert interval == pytest.approx(np.quantile(aps, [0.05, 0.95]), abs=1e-12)


def test_bootstrap_repeats_under_a_seed_and_holds_the_estimate():
    labels, detections = random_set(seed=4, images=30)
    interval = ap_interval(labels, detections, 0.5, seed=0)
    assert interval == ap_interval(labels, detections, 0.5, seed=0)
    assert interval != ap_interval(labels, detections, 0.5, seed=1)
    assert interval.low < evaluate(labels, detections, 0.5).ap < interval.high


def test_bootstrap_of_a_perfect_detector_has_no_width():
    labels = {"1": truth(SQUARE), "2": truth(SQUARE, FAR)}
    perfect = {"1": found((*SQUARE, 0.9)), "2": found((*SQUARE, 0.7), (*FAR, 0.8))}
    assert ap_interval(labels, perfect, 0.5, seed=0, draws=100) == (1.0, 1.0)


def test_bootstrap_leaves_out_draws_without_a_face():
    labels = {"1": truth(SQUARE), "2": truth()}  # a quarter of the draws takes image 2 twice
    detections = {"1": found((*SQUARE, 0.9)), "2": found((*FAR, 0.95))}
    assert ap_interval(labels, detections, 0.5, seed=0, draws=200, level=0.9) == (0.5, 1.0)


@pytest.mark.parametrize("wrong", [{"draws": 99}, {"level": 0.0}, {"level": 1.0}])
def test_bootstrap_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ap_interval({"1": truth(SQUARE)}, {"1": found()}, 0.5, seed=0, **wrong)
