import numpy as np
import pytest

from benchmark.core import images
from benchmark.demo import portraits, sample_photos
from benchmark.demo.sample_photos import Size

SIZE = Size(396, 264)


def iou(a: np.ndarray, b: np.ndarray) -> float:
    width, height = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = max(0.0, width) * max(0.0, height)
    return shared / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)


@pytest.mark.parametrize("faces", range(1, 9))
def test_a_gallery_has_one_box_a_portrait_and_none_overlap(faces: int):
    scene = portraits.gallery(faces, SIZE, np.random.default_rng(faces))
    assert scene.image.shape == (264, 396, 3)
    assert scene.boxes.shape == (faces, 4)
    overlaps = [iou(a, b) for i, a in enumerate(scene.boxes) for b in scene.boxes[:i]]
    assert not any(overlaps)


def test_boxes_lie_inside_the_image_and_are_upright():
    for seed in range(6):
        boxes = portraits.gallery(6, SIZE, np.random.default_rng(seed)).boxes
        boxes = np.vstack(
            [boxes, portraits.snapshot("astronaut", SIZE, np.random.default_rng(seed)).boxes]
        )
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, 2:] <= [395, 263]).all()
        assert (boxes[:, 2:] - boxes[:, :2] >= 8).all()


def test_the_box_of_a_snapshot_shows_the_face_of_the_photograph():
    scene = portraits.snapshot("astronaut", SIZE, np.random.default_rng(3))
    x0, y0, x1, y1 = scene.boxes[0].round().astype(int)
    left, top, right, bottom = portraits.PEOPLE["astronaut"].face
    face = sample_photos.read("astronaut")[top:bottom, left:right]
    shown = scene.image[y0:y1, x0:x1]
    assert shown.mean((0, 1)) == pytest.approx(face.mean((0, 1)), abs=0.02)
    assert (x1 - x0) / (y1 - y0) == pytest.approx((right - left) / (bottom - top), rel=0.03)


def test_a_scene_names_every_photograph_it_shows():
    assert portraits.snapshot("grace_hopper", SIZE, np.random.default_rng(0)).photographs == (
        "grace_hopper",
    )
    names = portraits.gallery(6, SIZE, np.random.default_rng(0)).photographs
    assert set(names) == {"brick", "astronaut", "grace_hopper", "luispedro", "lfw_subset"}


@pytest.mark.slow
def test_a_face_detector_finds_nearly_all_faces_by_light_of_day():
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    detector = MTCNN(keep_all=True, min_face_size=12, device="cpu")
    found = []
    for seed in range(3):
        scene = portraits.gallery(6, SIZE, np.random.default_rng(seed))
        detected, _ = detector.detect(images.to_uint8(scene.image))
        found += [max(iou(box, guess.astype(float)) for guess in detected) for box in scene.boxes]
    assert np.mean(np.array(found) >= 0.5) >= 0.9
    assert np.median(found) >= 0.75
