import numpy as np
import pytest

from benchmark.core.errors import InputError
from benchmark.demo import sample_photos
from benchmark.demo.sample_photos import Size, Source

SIZE = Size(320, 240)


def corners(size: Size) -> np.ndarray:
    right, bottom = size.width - 1.0, size.height - 1.0
    return np.array([[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]])


@pytest.mark.parametrize("name", sorted(set(sample_photos.SOURCES) - {"lfw_subset"}))
def test_every_photograph_is_an_image_of_at_least_300x300_or_so(name: str):
    photograph = sample_photos.read(name)
    assert photograph.dtype == np.float32
    assert photograph.shape[2] == 3
    assert min(photograph.shape[:2]) >= 300
    assert 0.05 < photograph.mean() < 0.95


def test_face_crops_are_one_hundred_grey_images():
    crops = sample_photos.read_face_crops()
    assert (crops.shape, crops.dtype) == ((100, 25, 25, 3), np.float32)
    assert (crops[..., 0] == crops[..., 2]).all()
    assert 0 <= crops.min() < crops.max() <= 1


def test_a_photograph_read_twice_cannot_be_changed_in_between():
    with pytest.raises(ValueError, match="read-only"):
        sample_photos.read("coffee")[0, 0, 0] = 0


@pytest.mark.parametrize("package", ["no_such_package", "json"])
def test_a_missing_photograph_names_the_package_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
):
    source = Source("some-distribution", package, "data/photo.jpg")
    monkeypatch.setitem(sample_photos.SOURCES, "photo", source)
    with pytest.raises(InputError, match=rf"{package}.*pip install .* some-distribution"):
        sample_photos.locate("photo")


def test_a_view_stays_inside_the_photograph_by_its_margin():
    photograph = sample_photos.read("china")
    limit = [photograph.shape[1] - 1, photograph.shape[0] - 1]
    for seed in range(50):
        window = sample_photos.view(photograph, SIZE, np.random.default_rng(seed), margin_px=12)
        scale = abs(window[0, 0])
        shown = sample_photos.transform(window, corners(SIZE))
        assert shown.min() >= 12 * scale - 1e-6
        assert (shown <= np.array(limit) - 12 * scale + 1e-6).all()


def test_a_view_holds_the_box_it_was_asked_to_keep():
    photograph, box = sample_photos.read("astronaut"), (181.0, 64.0, 271.0, 179.0)
    for seed in range(50):
        window = sample_photos.view(photograph, SIZE, np.random.default_rng(seed), keep=box)
        shown = sample_photos.transform(window, corners(SIZE))
        assert (shown.min(axis=0) <= box[:2]).all()
        assert (shown.max(axis=0) >= box[2:]).all()


def test_rendering_with_the_identity_gives_the_top_left_of_the_photograph():
    photograph = sample_photos.read("coffee")
    image = sample_photos.render(photograph, np.eye(3), SIZE)
    assert image == pytest.approx(photograph[:240, :320], abs=1e-6)


def test_rendering_through_a_mirror_flips_left_and_right():
    photograph = sample_photos.read("coffee")[:240, :320]
    image = sample_photos.render(photograph, sample_photos.mirror(SIZE), SIZE)
    assert image == pytest.approx(photograph[:, ::-1], abs=1e-6)


def test_rendering_puts_the_photograph_where_the_matrix_says_x_before_y():
    photograph = np.zeros((60, 80, 3), np.float32)
    photograph[20, 50] = 1.0  # x 50, y 20
    window = np.array([[1.0, 0.0, 40.0], [0.0, 1.0, 5.0], [0.0, 0.0, 1.0]])
    image = sample_photos.render(photograph, window, Size(30, 25))
    assert np.unravel_index(image[..., 0].argmax(), (25, 30)) == (15, 10)


def test_rendering_over_the_edge_of_a_photograph_is_refused():
    window = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    with pytest.raises(ValueError, match="must stay inside the photograph"):
        sample_photos.render(sample_photos.read("coffee"), window, SIZE)


def test_the_camera_drifts_by_a_few_pixels_and_never_by_more_than_twelve():
    moves = []
    for seed in range(200):
        matrix = sample_photos.drift(SIZE, 1.0, np.random.default_rng(seed))
        moved = sample_photos.transform(matrix, corners(SIZE)) - corners(SIZE)
        moves.append(np.linalg.norm(moved, axis=1).max())
    assert 3 < np.median(moves) < 9
    assert max(moves) < 12


def test_no_drift_is_the_identity():
    matrix = sample_photos.drift(SIZE, 0.0, np.random.default_rng(0))
    assert matrix == pytest.approx(np.eye(3), abs=1e-12)
