"""Pictures of the report: chosen by rule, cut and never scaled, within their budget."""

import numpy as np
import PIL.Image
import pytest

from benchmark.core import jsonfile
from benchmark.core.errors import InputError
from benchmark.data import evaluation
from benchmark.figures import report_images
from benchmark.methods import Chain
from benchmark.scoring import jobs, kept_outputs, plan, results
from tests.helpers import synthetic_results as synthetic


def psnr(values):
    made = [
        results.Row("p", "LOL", f"{i}", 60, "mlsm", "retrained", metric, "sound", value)
        for i, value in enumerate(values)
        for metric in ("psnr", "ssim")
    ]
    return results.frame(made)


def test_images_stand_at_the_nearest_rank_of_their_quantile():
    found = report_images.choose(psnr([15, 11, 13, 12, 14]), [0.0, 0.5, 1.0])
    assert [(one.image, one.psnr) for one in found] == [("1", 11), ("2", 13), ("0", 15)]


def test_quantiles_that_meet_in_one_image_choose_it_once():
    found = report_images.choose(psnr([11, 12]), [0.0, 0.1, 1.0])
    assert [(one.image, one.quantile) for one in found] == [("0", 0.0), ("1", 1.0)]


def test_large_images_are_cut_to_their_centre_on_the_grid_of_blocks():
    pixels = np.arange(700 * 20, dtype=np.uint32).reshape(700, 20)
    pixels = np.repeat((pixels % 256).astype(np.uint8)[..., None], 3, 2)
    cut = report_images._centre(pixels)
    assert cut.shape == (480, 20, 3)
    start = next(row for row in range(220) if np.array_equal(pixels[row : row + 480], cut))
    assert start % 8 == 0


def test_quality_falls_until_the_pictures_fit(monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    full = len(report_images._webp(noise, 90))
    assert report_images._encoded([noise])[0] == 90
    monkeypatch.setattr(report_images, "MOST_BYTES", full - 1)
    quality, files = report_images._encoded([noise])
    assert quality < 90
    assert len(files[0]) < full


def test_pictures_that_can_never_fit_are_refused(monkeypatch):
    monkeypatch.setattr(report_images, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="name fewer quantiles"):
        report_images._encoded([np.zeros((8, 8, 3), np.uint8)])


def test_a_profile_without_quantiles_writes_no_picture(tmp_path):
    report_images.make(synthetic.profile(previews=[]), psnr([1.0]), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
    assert jsonfile.read(tmp_path / "index.json")["images"] == []


def test_every_chain_is_shown_on_every_image_beside_input_and_reference(tmp_path, monkeypatch):
    for name, level in (("dark", 30), ("normal", 200)):
        PIL.Image.new("RGB", (24, 16), (level,) * 3).save(tmp_path / f"{name}.png")
    paths = tmp_path / "dark.png", tmp_path / "normal.png"

    def planned(params, chain, listing):
        cases = [evaluation.EvaluationInput("LOL", f"{i}", 70, *paths, None) for i in range(3)]
        return {"classical": [jobs.Job(Chain((chain,)), "classical", tmp_path, c) for c in cases]}

    monkeypatch.setattr(plan, "planned", planned)
    monkeypatch.setattr(kept_outputs, "folder", lambda params, chain, track: tmp_path / chain)
    faces = {"chains": [], "sets": [], "detector": "mtcnn", "qfs": [90], "iou": [0.5]}
    chains = ["identity", "gamma"]
    params = synthetic.profile(chains=chains, detection=faces, previews=[0.0, 1.0], jobs=1)
    seen = psnr([11, 13, 12]).assign(qf=70, chain="identity").astype({"qf": "Int16"})
    report_images.make(params, seen, tmp_path / "samples")
    index = jsonfile.read(tmp_path / "samples" / "index.json")
    assert [image["image"] for image in index["images"]] == ["0", "1"]
    files = dict(index["images"][0]["files"])
    assert [*files] == ["dark", "reference", "identity classical", "gamma classical"]
    level = {
        kind: np.asarray(PIL.Image.open(tmp_path / "samples" / name)).mean()
        for kind, name in files.items()
    }
    assert level["dark"] == pytest.approx(30, abs=2)
    assert level["dark"] == level["identity classical"] < level["gamma classical"]
    assert level["reference"] == pytest.approx(200, abs=2)
