"""Prints: what is remembered of an image file."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.ExifTags
import PIL.Image
import pytest
import skimage.data

from benchmark.core import jpeg
from benchmark.core.errors import ProblemsError
from benchmark.data import fingerprints
from tests.helpers.pictures import renumbered


def photograph(name: str = "coffee") -> PIL.Image.Image:
    return PIL.Image.fromarray(getattr(skimage.data, name)()).convert("RGB").resize((120, 80))


@pytest.mark.parametrize("qf", [1, 10, 50, 75, 90, 95, 99])
def test_the_quality_of_a_jpeg_file_is_read_from_its_tables(tmp_path, qf):
    (tmp_path / "a.jpg").write_bytes(jpeg.encode(np.asarray(photograph()), qf))
    found = fingerprints.fingerprint(tmp_path / "a.jpg")
    assert (found.format, found.quality, found.subsampling) == ("JPEG", qf, "4:2:0")


@pytest.mark.parametrize(("code", "name"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_the_subsampling_of_a_jpeg_file_is_told(tmp_path, code, name):
    photograph().save(tmp_path / "a.jpg", quality=90, subsampling=code)
    assert fingerprints.fingerprint(tmp_path / "a.jpg").subsampling == name


def test_tables_of_another_encoder_get_the_nearest_quality_with_a_minus(tmp_path):
    buffer = io.BytesIO()
    photograph().save(buffer, "JPEG", qtables=[[17] * 64, [17] * 64])
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert -100 <= fingerprints.fingerprint(tmp_path / "a.jpg").quality < 0


def test_other_formats_have_no_quality_and_are_known_by_content(tmp_path):
    photograph().save(tmp_path / "a.jpg", "PNG")
    found = fingerprints.fingerprint(tmp_path / "a.jpg")
    assert (found.format, found.quality, found.subsampling) == ("PNG", 0, "")
    assert (found.width, found.height) == (120, 80)


def test_ranks_do_not_move_with_exposure(tmp_path):
    picture = photograph()
    picture.save(tmp_path / "a.png")
    picture.point([round(255 * (level / 255) ** 2) for level in range(256)] * 3).save(
        tmp_path / "b.png"
    )
    a, b = (fingerprints.fingerprint(tmp_path / f"{n}.png").thumbnail("ranks") for n in "ab")
    assert a.shape == (fingerprints.SIDE, fingerprints.SIDE)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.98


def test_brightness_is_the_mean_luma(tmp_path):
    PIL.Image.new("RGB", (40, 40), (100, 50, 200)).save(tmp_path / "a.png")
    expected = 0.299 * 100 + 0.587 * 50 + 0.114 * 200
    assert fingerprints.fingerprint(tmp_path / "a.png").brightness == pytest.approx(
        expected, abs=0.01
    )


def test_a_memory_cut_off_in_the_middle_of_a_line_is_used_as_far_as_it_goes(tmp_path):
    paths = []
    for name in ("coffee", "rocket"):
        paths.append(tmp_path / f"{name}.png")
        photograph(name).save(paths[-1])
    first = fingerprints.examine(paths, tmp_path / "cache")
    (memory,) = (tmp_path / "cache" / "fingerprints").iterdir()
    memory.write_text(memory.read_text()[:-100])
    assert fingerprints.examine(paths, tmp_path / "cache") == first


def test_files_that_changed_since_they_were_listed_are_told(tmp_path):
    photograph().save(tmp_path / "a.png")
    listed = pd.DataFrame({"normal": ["a.png"], "normal_sha256": ["0" * 64]})
    with pytest.raises(ProblemsError, match=r"a\.png has changed since it was listed"):
        fingerprints.of_manifest(listed, ["normal"], Path(tmp_path).joinpath, None)


def test_the_quality_of_a_jpeg_file_is_that_of_its_luma_table_wherever_it_stands(tmp_path):
    for number, (numbers, unused) in enumerate([((1, 0), False), ((1, 0), True), ((2, 3), True)]):
        data = renumbered(jpeg.encode(np.asarray(photograph()), 60), numbers, unused)
        (tmp_path / f"{number}.jpg").write_bytes(data)
        assert fingerprints.fingerprint(tmp_path / f"{number}.jpg").quality == 60


def test_a_file_that_its_exif_data_turn_is_a_problem_that_names_it(tmp_path):
    exif = PIL.Image.Exif()
    exif[PIL.ExifTags.Base.Orientation] = 6
    photograph().save(tmp_path / "turned.jpg", exif=exif)
    photograph().save(tmp_path / "upright.jpg")
    seen = fingerprints.examine([tmp_path / "turned.jpg", tmp_path / "upright.jpg"], None)
    turned, upright = (seen[tmp_path / f"{name}.jpg"] for name in ("turned", "upright"))
    assert turned.fingerprint is None
    assert "turned.jpg is turned by its EXIF orientation (6)" in turned.problem
    assert upright.problem == ""
