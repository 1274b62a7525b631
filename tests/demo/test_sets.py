import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.registration
import skimage.transform

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.data import registry
from benchmark.data.camera import to_light
from benchmark.data.labels import wider_face
from benchmark.demo import sets

PAIRS = {
    "LOL": {"train": 20, "test": 4},
    "LSRW": {"train": 12, "test": 4},
    "SICE": {"train": 3, "test": 3 + 4},
    "RELLISUR": {"train": 12, "val": 2, "test": 2},
    "LabelMe": {"train": 24},
    "A7m3": {"train": 6},
    "DARKFACE": {"test": 8},
    "WIDER": {"test": 3},
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    sets.write(folder, seed=0)
    return folder


@pytest.fixture(scope="module")
def truth(root: Path) -> dict[str, Any]:
    return json.loads((root / "truth.json").read_text(encoding="utf-8"))


def files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def grey(path: Path) -> np.ndarray:
    """Square root of relative linear G: the same for both exposures of a pair."""
    light = to_light(images.read(path))[..., 1]
    return np.sqrt(light / light.mean())


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a[16:-16, 16:-16].ravel(), b[16:-16, 16:-16].ravel())[0, 1])


@pytest.mark.parametrize("name", sorted(PAIRS))
def test_the_reader_of_the_published_set_reads_the_miniature(name: str, root: Path):
    pairs = registry.read(name, [root])
    counts = {split: sum(pair.split == split for pair in pairs) for split in registry.SPLITS}
    assert {split: n for split, n in counts.items() if n} == PAIRS[name]


@pytest.mark.parametrize("name", sorted(set(PAIRS) - {"LabelMe", "DARKFACE", "WIDER"}))
def test_both_images_of_a_pair_have_the_same_size_and_the_dark_one_is_dark(name: str, root: Path):
    for pair in registry.read(name, [root]):
        dark, normal = images.read(pair.dark), images.read(pair.normal)
        assert dark.shape == normal.shape
        assert max(dark.shape) <= 400
        assert dark.mean() < 0.75 * normal.mean()


def test_lol_is_as_dark_as_lol(root: Path):
    means = [images.read(path).mean() for path in root.glob("LOL/*/low/*.png")]
    assert 0.03 < np.median(means) < 0.08  # LOL eval15: 0.061
    assert min(means) > 0.01


def test_no_photograph_is_in_a_training_and_a_held_out_image(root: Path, truth: dict[str, Any]):
    shown: dict[str, set[str]] = {"train": set(), "held out": set()}
    for name in PAIRS:
        for pair in registry.read(name, [root]):
            side = "train" if pair.split == "train" else "held out"
            for path in filter(None, (pair.dark, pair.normal)):
                shown[side].update(truth["photographs"][path.relative_to(root).as_posix()])
    assert shown["train"] == {*sets.TRAINING, *sets.TEXTURES}
    assert shown["held out"] == {*sets.HELD_OUT, "brick", "lfw_subset"}
    assert not shown["train"] & shown["held out"]


def test_the_truth_knows_every_image(root: Path, truth: dict[str, Any]):
    suffixes = {".png", ".jpg", ".JPG"}
    written = {name for name in files(root) if Path(name).suffix in suffixes}
    assert set(truth["photographs"]) == written
    assert set(truth["homographies"]) < written


@pytest.mark.parametrize("name", ["LSRW", "RELLISUR"])
def test_the_homographies_lay_the_normal_light_image_over_the_dark_one(
    name: str, root: Path, truth: dict[str, Any]
):
    for pair in registry.read(name, [root]):
        homography = truth["homographies"][pair.dark.relative_to(root).as_posix()]
        if homography == "mispaired":
            continue
        dark, normal = grey(pair.dark), grey(pair.normal)
        inverse = np.linalg.inv(homography)
        warped = skimage.transform.warp(normal, inverse, order=3, mode="edge")
        shift, _, _ = skimage.registration.phase_cross_correlation(
            dark[16:-16, 16:-16], warped[16:-16, 16:-16], upsample_factor=10
        )
        assert np.abs(shift).max() <= 0.2, pair.name
        assert correlation(dark, warped) > 0.9, pair.name
        assert correlation(dark, warped) >= correlation(dark, normal) - 1e-4, pair.name


def test_pairs_are_displaced_in_the_sets_whose_published_pairs_are(truth: dict[str, Any]):
    for file, homography in truth["homographies"].items():
        if homography == "mispaired":
            continue
        still = np.allclose(homography, np.eye(3), atol=1e-9)
        assert still != file.startswith(("LSRW/", "RELLISUR/Train/")), file


def test_mispaired_files_show_another_photograph_than_their_partner(
    root: Path, truth: dict[str, Any]
):
    wrong = {file for file, value in truth["homographies"].items() if value == "mispaired"}
    partners = {
        pair.dark.relative_to(root).as_posix(): pair.normal.relative_to(root).as_posix()
        for name in ("LSRW", "RELLISUR")
        for pair in registry.read(name, [root])
    }
    shown = truth["photographs"]
    assert wrong == {dark for dark, normal in partners.items() if shown[dark] != shown[normal]}
    assert sorted(file.split("/")[0] for file in wrong) == ["LSRW", "LSRW", "RELLISUR"]


def test_a_sice_sequence_goes_from_dark_to_bright_and_passes_its_label_in_the_middle(root: Path):
    for label in root.glob("SICE/*/Label/*.JPG"):
        exposures = sorted(
            (label.parents[1] / label.stem).iterdir(), key=lambda path: int(path.stem)
        )
        means = [images.read(path).mean() for path in exposures]
        assert len(means) in (7, 9)
        assert means == sorted(means)
        assert means[len(means) // 2] == pytest.approx(images.read(label).mean(), rel=0.1)


def test_dark_face_labels_count_their_boxes_and_keep_them_inside_the_image(root: Path):
    counts = []
    for path in root.glob("DARK FACE/image/*.png"):
        height, width = images.read(path).shape[:2]
        count, *lines = (root / "DARK FACE/label" / f"{path.stem}.txt").read_text().splitlines()
        boxes = np.array([[int(edge) for edge in line.split()] for line in lines])
        assert boxes.shape == (int(count), 4)
        assert (boxes[:, :2] < boxes[:, 2:]).all()
        assert boxes.min() >= 0
        assert (boxes[:, 2:] < [width, height]).all()
        counts.append(int(count))
    assert (len(counts), min(counts), max(counts)) == (8, 1, 6)


def test_wider_annotations_hold_the_faces_of_every_image_inside_it(root: Path):
    pairs = registry.read("WIDER", [root])
    for pair, count in zip(pairs, (2, 4, 6), strict=True):
        height, width = images.read(pair.normal).shape[:2]
        boxes = wider_face.labelled(pair.labels, pair.name).boxes
        assert len(boxes) == count
        assert boxes.min() >= 0
        assert (boxes[:, 2:] <= [width, height]).all()


@pytest.mark.slow
def test_the_seed_decides_every_byte(root: Path, tmp_path: Path):
    sets.write(tmp_path / "same", seed=0)
    sets.write(tmp_path / "other", seed=1)
    first, same, other = files(root), files(tmp_path / "same"), files(tmp_path / "other")
    assert same == first
    assert other.keys() == first.keys()
    assert [name for name in first if name.endswith("g") and other[name] == first[name]] == []


def test_what_is_there_is_never_overwritten(tmp_path: Path):
    mine = tmp_path / "LOL" / "mine.png"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    with pytest.raises(InputError, match=r"LOL exists.*move it away"):
        sets.write(tmp_path, seed=0)
    assert files(tmp_path) == {"LOL/mine.png": b"mine"}


def test_a_negative_seed_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="must be at least 0, but got -1"):
        sets.write(tmp_path, seed=-1)


def test_an_interrupted_run_shows_no_set_and_the_next_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupt(writer: Any) -> None:
        raise KeyboardInterrupt

    makers = {"_lol": "LOL", "_lsrw": "LSRW", "_sice": "SICE", "_rellisur": "RELLISUR"}
    makers |= {
        "_labelme": "LabelMe",
        "_a7m3": "A7m3",
        "_dark_face": "DARK FACE",
        "_wider": "WIDER FACE",
    }
    for maker, name in makers.items():
        monkeypatch.setattr(sets, maker, lambda writer, name=name: (writer.root / name).mkdir())
    with monkeypatch.context() as context:
        context.setattr(sets, "_dark_face", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sets.write(tmp_path, seed=0)
    assert [path.name for path in tmp_path.iterdir()] == [".demo.partial"]
    sets.write(tmp_path, seed=0)
    assert {path.name for path in tmp_path.iterdir()} == {*sets.SETS, sets.TRUTH}
