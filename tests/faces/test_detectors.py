"""The detectors: MTCNN, RetinaFace, and PyramidBox without weights."""

import os
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from facenet_pytorch import MTCNN

from benchmark.core.errors import InputError
from benchmark.core.images import read, to_float
from benchmark.data.labels.boxes import MAX_BOXES, Boxes
from benchmark.data.labels.dark_face import read_labels
from benchmark.faces import anchors, detectors, mtcnn, multiscale, retinaface
from benchmark.faces.anchors import Level
from benchmark.faces.average_precision import evaluate
from benchmark.faces.matching import overlaps
from benchmark.faces.pyramidbox import LEVELS, Config, PyramidBox, adapt
from benchmark.methods import assemble

ASTRONAUT_FACE = (177.0, 62.0, 271.0, 180.0)  # drawn by hand: hairline to chin, cheek to cheek


@pytest.fixture(scope="module")
def detect():
    return mtcnn.build()


@pytest.fixture(scope="module")
def astronaut():
    return to_float(skimage.data.astronaut())


def test_mtcnn_finds_the_astronaut_first(detect, astronaut):
    found = detect(astronaut)
    assert overlaps(found.boxes[:1], np.array([ASTRONAUT_FACE])).item() > 0.7
    assert found.scores[0] > 0.99


def test_mtcnn_keeps_low_scores_down_to_its_floor(detect, astronaut):
    low, high = detect(astronaut), mtcnn.build(floor=0.7)(astronaut)
    assert low.scores.min() < 0.1
    assert low.scores.min() >= 0.01
    assert high.scores.tolist() == low.scores[low.scores > 0.7].tolist()


def test_mtcnn_returns_boxes_with_area_inside_the_image_by_falling_score(detect, astronaut):
    found = detect(astronaut[80:230, 190:260])  # cuts the face off on both sides
    assert len(found) > 0
    assert found.boxes.min() >= 0
    assert (found.boxes[:, 2:] <= (70, 150)).all()
    assert (found.boxes[:, :2] < found.boxes[:, 2:]).all()
    assert (np.diff(found.scores) <= 0).all()


def test_mtcnn_keeps_no_more_boxes_than_the_protocol_allows(monkeypatch, detect, astronaut):
    assert MAX_BOXES == 750
    best = detect(astronaut)
    monkeypatch.setattr("benchmark.faces.anchors.MAX_BOXES", 2)
    assert detect(astronaut).boxes.tolist() == best.boxes[:2].tolist()


def test_mtcnn_boxes_are_the_library_s_inclusive_pixels_made_continuous(detect, astronaut):
    library = MTCNN(min_face_size=12, thresholds=[0.6, 0.2, 0.01], keep_all=True)
    boxes, scores = library.detect(skimage.data.astronaut())
    outwards = np.array([-0.5, -0.5, 0.5, 0.5])
    widened = boxes[scores.argmax()].astype(np.float64) + outwards
    assert detect(astronaut).boxes[0].tolist() == widened.tolist()


def test_mtcnn_repeats_itself_bit_for_bit_and_leaves_its_input_alone(detect, astronaut):
    image = astronaut[:300, 100:400].copy()
    first, again, rebuilt = detect(image), detect(image), mtcnn.build()(image)
    assert np.array_equal(image, astronaut[:300, 100:400])
    for other in (again, rebuilt):
        assert np.array_equal(first.boxes, other.boxes)
        assert np.array_equal(first.scores, other.scores)


def test_mtcnn_finds_nothing_in_a_black_image(detect):
    assert len(detect(np.zeros((120, 160, 3), np.float32))) == 0


@pytest.mark.parametrize("size", [(1, 1), (7, 13), (11, 400), (12, 12), (13, 400)])
def test_mtcnn_survives_images_of_a_few_pixels(detect, size):
    image = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    found = detect(image)
    assert len(found) == 0 or min(size) >= 12


@pytest.mark.parametrize("wrong", [{"min_face_px": 5}, {"floor": -0.1}, {"floor": 1.0}])
def test_mtcnn_refuses_arguments_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        mtcnn.build(**wrong)


def test_the_default_detector_needs_nothing_and_says_what_it_is():
    assert len(detectors.detector("mtcnn")(np.zeros((32, 32, 3), np.float32))) == 0
    told = detectors.identity("mtcnn")
    assert told.title.startswith("MTCNN")
    assert len(told.weights) == len(told.code) == 64
    assert told.digest == detectors.identity("mtcnn").digest


def test_an_unknown_detector_is_refused_with_those_that_exist():
    with pytest.raises(InputError, match="mtcnn, mtcnn_multiscale, pyramidbox"):
        detectors.detector("haar")


def test_detectors_without_their_weights_say_where_to_put_them(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.locations.released_folders", lambda: [tmp_path])
    for name in ("pyramidbox", "pyramidbox_multiscale", "retinaface"):
        with pytest.raises(InputError, match="weights/released"):
            detectors.detector(name)


@pytest.mark.slow
@pytest.mark.skipif("MLSM_BENCH_DATA" not in os.environ, reason="MLSM_BENCH_DATA is not set")
def test_mtcnn_scores_sensibly_on_wider_face(detect):
    folder = Path(os.environ["MLSM_BENCH_DATA"]) / "wider416"
    if not folder.is_dir():
        pytest.skip("MLSM_BENCH_DATA has no wider416")
    names = sorted(path.stem for path in (folder / "images").glob("*.jpg"))[::6]
    truth = {name: read_labels(folder / "label" / f"{name}.txt") for name in names}
    found = {name: detect(read(folder / "images" / f"{name}.jpg")) for name in names}
    assert evaluate(truth, found, 0.5).ap > 0.2


def test_anchors_stand_in_the_middle_of_their_cells_row_by_row():
    made = anchors.squares([Level(8, (16, 32))], [(1, 2)])
    assert made.tolist() == [[4, 4, 16, 16], [4, 4, 32, 32], [12, 4, 16, 16], [12, 4, 32, 32]]


def test_offsets_of_zero_give_the_anchor_and_others_move_and_stretch_it():
    anchor = torch.tensor([[10.0, 20.0, 16.0, 16.0]])
    assert anchors.decode(anchor, torch.zeros(1, 4)).tolist() == [[2, 12, 18, 28]]
    moved = anchors.decode(anchor, torch.tensor([[1.0, 0.0, np.log(2) / 0.2, 0.0]]))
    # the centre moves by 0.1 * 16 px, the width doubles
    assert moved.numpy() == pytest.approx(np.array([[11.6 - 16, 12, 11.6 + 16, 28]]), abs=1e-4)


def test_detectors_see_blue_first_less_the_mean_of_imagenet():
    image = np.zeros((1, 1, 3), np.float32)
    image[..., 0] = 1.0  # red
    assert anchors.as_input(image).flatten().tolist() == [-104, -117, 255 - 123]


def test_suppression_keeps_the_better_of_two_that_overlap():
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]])
    kept = anchors.suppressed(Boxes(boxes, np.array([0.8, 0.9, 0.5])), 0.4)
    assert kept.scores.tolist() == [0.9, 0.5]


def test_retinaface_follows_an_image_that_moves_by_its_coarsest_stride():
    torch.manual_seed(0)
    network = retinaface.RetinaFace()
    detect = retinaface.build(network.state_dict(), floor=0.0)
    found = detect(np.random.default_rng(0).random((64, 96, 3), dtype=np.float32))
    assert 0 < len(found) <= MAX_BOXES
    assert (found.boxes >= 0).all()
    assert (found.boxes[:, 2:] <= (96, 64)).all()
    assert (np.diff(found.scores) <= 0).all()


@pytest.mark.skipif("MLSM_BENCH_DATA" not in os.environ, reason="MLSM_BENCH_DATA is not set")
def test_retinaface_with_released_weights_finds_the_astronaut(astronaut):
    if assemble.find_released(detectors.RETINAFACE) is None:
        pytest.skip("MLSM_BENCH_DATA has no weights of RetinaFace")
    found = detectors.detector("retinaface")(astronaut)
    assert found.scores[0] > 0.9
    assert overlaps(found.boxes[:1], np.array([ASTRONAUT_FACE]))[0, 0] > 0.6


def small(**changes):
    torch.manual_seed(1)
    return PyramidBox(Config(width=1 / 64, **changes)).eval()


def test_pyramidbox_of_published_width_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = PyramidBox()
        count = sum(p.numel() for p in network.parameters())
        context = sum(p.numel() for p in network.cpm.parameters())
        trunk = sum(p.numel() for p in network.vgg.parameters())
    assert count / 1e6 == pytest.approx(57.2, abs=0.05)
    assert context / 1e6 == pytest.approx(33.0, abs=0.05)
    assert trunk / 1e6 == pytest.approx(20.5, abs=0.05)


@pytest.mark.parametrize("size", [(64, 96), (70, 45)])
def test_pyramidbox_has_an_anchor_a_cell_at_six_strides(size):
    with torch.inference_mode():
        offsets, scores, sizes = small()(torch.zeros(1, 3, *size))
    assert sizes[0] == (size[0] // 4, size[1] // 4)
    assert len(sizes) == len(LEVELS) == 6
    assert len(offsets) == len(scores) == sum(h * w for h, w in sizes)
    assert len(anchors.squares(LEVELS, sizes)) == len(scores)
    assert ((scores > 0) & (scores < 1)).all()


def test_the_two_conventions_of_pyramidbox_are_different_networks():
    port, official = small(), small(dilation=1, scale_first=False)
    assert port.L2Norm3_3.weight.numel() < official.L2Norm3_3.weight.numel()
    assert port.L2Norm3_3.weight.unique().tolist() == [10.0]
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 255
    with torch.inference_mode():
        assert not torch.equal(port(image)[1], official(image)[1])


def test_on_the_finest_map_the_largest_of_three_is_the_background_elsewhere_the_face():
    from benchmark.faces.pyramidbox import _face_logits

    x = torch.tensor([3.0, 1.0, 2.0, 7.0, 0, 0, 0, 0])[None, :, None, None]
    assert _face_logits(x, finest=True).tolist() == [[3.0, 7.0]]
    assert _face_logits(x[:, :6], finest=False).tolist() == [[3.0, 7.0]]
    y = torch.tensor([3.0, 1.0, 9.0, 7.0, 0, 0])[None, :, None, None]
    assert _face_logits(y, finest=False).tolist() == [[3.0, 9.0]]


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"weight": s, "epoch": 3}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_weights_of_pyramidbox_load_from_the_port_s_files(wrap, prefix):
    source, network = small(), small()
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    state = {prefix + name: value for name, value in source.state_dict().items()}
    network.load_state_dict(adapt(wrap(state), network))
    for name, value in network.state_dict().items():
        assert torch.equal(value, source.state_dict()[name]), name


def test_weights_that_do_not_fit_pyramidbox_are_refused_by_the_first_tensor_that_does_not():
    network = small()
    state = dict(network.state_dict())
    for change, told in (
        ({"vgg.0.weight": torch.zeros(1)}, "vgg.0.weight has shape"),
        ({"body.0.weight": torch.zeros(1)}, "body.0.weight has no place"),
    ):
        with pytest.raises(ValueError, match=told):
            adapt(state | change, network)
    del state["lfpn_later.0.bias"]
    with pytest.raises(ValueError, match=r"lfpn_later\.0\.bias is missing"):
        adapt(state, network)


def test_a_file_of_weights_makes_pyramidbox_a_detector(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.locations.released_folders", lambda: [tmp_path])
    monkeypatch.setattr("benchmark.faces.pyramidbox.Config", lambda **_: Config(width=1 / 64))
    path = tmp_path / detectors.PYRAMIDBOX[1]
    path.parent.mkdir()
    torch.save({"weight": small().state_dict()}, path)
    image = np.random.default_rng(2).random((64, 80, 3), dtype=np.float32)
    for name in ("pyramidbox", "pyramidbox_multiscale"):
        found = detectors.detector(name)(image)
        assert (found.boxes[:, 2:] <= (80, 64)).all()
        assert "scale" in detectors.identity(name).title


def test_voting_means_boxes_by_score_and_keeps_those_that_stand_alone():
    boxes = np.array([[0.0, 0, 10, 10], [2, 0, 12, 10], [50, 50, 60, 60]])
    merged = multiscale.vote(boxes, np.array([0.9, 0.3, 0.2]))
    assert merged.scores.tolist() == [0.9, 0.2]
    assert merged.boxes[0] == pytest.approx([0.5, 0, 10.5, 10])
    assert merged.boxes[1].tolist() == [50, 50, 60, 60]
    assert len(multiscale.vote(np.empty((0, 4)), np.empty(0))) == 0


def test_several_scales_and_the_mirror_image_agree_on_where_a_face_is():
    seen = []

    def looks(image):  # finds the bounding box of what is white
        seen.append(image.shape[:2])
        rows, columns = np.nonzero(image[..., 0] > 0.5)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return Boxes(np.array([box], np.float64), np.array([0.9]))

    image = np.zeros((40, 60, 3), np.float32)
    image[8:24, 10:30] = 1.0
    found = multiscale.voting(looks)(image)
    assert seen == [(40, 60), (20, 30), (40, 60), (80, 120)]
    assert len(found) == 1
    assert found.boxes[0] == pytest.approx([10, 8, 30, 24], abs=0.5)


def test_an_image_too_large_to_be_enlarged_is_seen_at_the_other_scales():
    seen = []

    def looks(image):
        seen.append(image.shape[1])
        return Boxes.none()

    multiscale.voting(looks)(np.zeros((700, 1000, 3), np.float32))
    assert seen == [1000, 500, 1000]


@pytest.mark.parametrize("name", ["mtcnn", "retinaface"])
def test_the_multiscale_setting_merges_the_image_its_mirror_and_twice_its_size(monkeypatch, name):
    seen = []

    def single(image):
        seen.append(image.shape)
        return Boxes(np.array([[4.0, 2.0, 8.0, 6.0]]) * image.shape[0] / 10, np.array([0.9]))

    monkeypatch.setattr(detectors, f"_{name}", lambda: single)
    found = detectors.detector(f"{name}_multiscale")(np.zeros((10, 12, 3), np.float32))
    assert seen == [(10, 12, 3), (10, 12, 3), (20, 24, 3)]
    np.testing.assert_allclose(found.boxes, [[4.0, 2.0, 8.0, 6.0]])  # the mirrored one is the same
