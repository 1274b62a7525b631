"""Paired tests over images: what they say of equal, better and noisy detections."""

import numpy as np
import pytest

from benchmark.data.labels.boxes import Boxes
from benchmark.faces import average_precision, paired_test

IMAGES = 24


def faces(seed):
    corners = np.random.default_rng(seed).uniform(0, 80, (3, 2))
    return Boxes.labelled(np.hstack([corners, corners + 12]))


TRUTH = {f"{i}": faces(i) for i in range(IMAGES)}


def detections(share, seed):
    """Find each face with a probability, and as many wrong boxes."""
    random = np.random.default_rng(seed)
    made = {}
    for name, labels in TRUTH.items():
        kept = labels.boxes[random.random(len(labels)) < share]
        wrong = np.tile([200.0, 200, 210, 210], (2, 1))
        boxes = np.vstack([kept, wrong])
        made[name] = Boxes(boxes, random.random(len(boxes)))
    return made


def test_detections_against_themselves_differ_by_nothing_and_prove_nothing():
    same = detections(0.6, 1)
    seen = paired_test.compare(TRUTH, same, same, 0.5, seed=0, draws=200)
    assert seen == (0.0, 0.0, 0.0, 1.0)


def test_a_clear_gain_has_an_interval_above_zero_and_a_small_p():
    seen = paired_test.compare(TRUTH, detections(0.95, 1), detections(0.3, 2), 0.5, 0, 400)
    assert 0 < seen.low < seen.value < seen.high
    assert seen.p == pytest.approx(1 / 401)  # no draw is as extreme as what was seen


def test_exchanging_the_two_turns_the_sign_and_keeps_p():
    a, b = detections(0.7, 1), detections(0.5, 2)
    one, other = (paired_test.compare(TRUTH, *pair, 0.5, 0, 300) for pair in ((a, b), (b, a)))
    assert other.value == pytest.approx(-one.value)
    assert (other.low, other.high) == (pytest.approx(-one.high), pytest.approx(-one.low))
    assert other.p == pytest.approx(one.p, abs=0.08)


def test_equal_chances_are_seldom_told_apart():
    p = [
        paired_test.compare(TRUTH, detections(0.5, s), detections(0.5, s + 50), 0.5, s, 100).p
        for s in range(20)
    ]
    assert sum(value < 0.05 for value in p) <= 4  # one of 20 is expected
    assert np.mean(p) == pytest.approx(0.5, abs=0.2)


def test_a_weighted_pool_scores_images_as_often_as_they_are_counted():
    found = detections(0.6, 3)
    weighted = average_precision.Weighted(average_precision.pool(TRUTH, found, 0.5))
    times = np.random.default_rng(4).integers(0, 3, IMAGES).astype(np.int32)
    names = [f"{name}/{copy}" for name, n in zip(TRUTH, times, strict=True) for copy in range(n)]
    truth, copies = (
        {name: source[name.split("/")[0]] for name in names} for source in (TRUTH, found)
    )
    expected = average_precision.evaluate(truth, copies, 0.5).ap
    assert weighted.ap(times) == pytest.approx(expected, abs=1e-12)


def test_a_pool_without_hits_weighs_nothing():
    empty = {name: Boxes.none() for name in TRUTH}
    weighted = average_precision.Weighted(average_precision.pool(TRUTH, empty, 0.5))
    assert weighted.ap(np.ones(IMAGES, np.int32)) == 0.0
