"""A user's pictures: the same files and the same upright pixels for every command."""

import re

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from benchmark import ROOT
from benchmark.core import images, jpeg, user_files
from benchmark.core.errors import InputError
from benchmark.scoring import folders, metrics
from tests.helpers.commands import call
from tests.helpers.pictures import photograph

ORIENTATIONS = range(1, 9)


def turned(path, pixels, orientation, **options):
    """Write a picture that is upright only after its EXIF orientation."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stored = PIL.Image.fromarray(user_files.upright(pixels, inverse))
    stored.save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".png", {}),
        (".tif", {}),
        (".tif", {"compression": "tiff_lzw"}),
        (".webp", {"lossless": True}),
    ],
)
def test_a_turned_picture_is_read_upright(tmp_path, orientation, suffix, options):
    pixels = photograph(24, 40, 1)
    path = turned(tmp_path / f"a{suffix}", pixels, orientation, **options)
    np.testing.assert_array_equal(user_files.read(path), pixels)
    with PIL.Image.open(path) as file:
        theirs = PIL.ImageOps.exif_transpose(file)
        np.testing.assert_array_equal(user_files.read(path), np.asarray(theirs.convert("RGB")))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_tables_are_turned_with_the_pixels(tmp_path, orientation):
    pixels = photograph(32, 48, 1)
    path = turned(tmp_path / "a.jpg", pixels, orientation, quality=40)
    expected = jpeg.tables_of_quality(40)  # as stored; the luma table is not symmetric
    if orientation >= 5:
        expected = expected.transpose(0, 2, 1)
    np.testing.assert_array_equal(user_files.tables(path), expected)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_score_sees_a_turned_picture_as_one_whose_pixels_were_turned(tmp_path, orientation):
    normal = photograph(48, 64, 1)
    dark = (normal // 6).astype(np.uint8)
    for folder in ("upright", "dark", "normal"):
        (tmp_path / folder).mkdir()
    images.write(tmp_path / "upright/1.png", dark)
    turned(tmp_path / "dark/1.png", dark, orientation)
    turned(tmp_path / "normal/1.PNG", normal, 4)
    printed = {}
    for folder in ("upright", "dark"):
        done = call(
            *("score", "--chain", "identity", "--dark", tmp_path / folder),
            *("--normal", tmp_path / "normal", "-o", tmp_path / f"{folder}.csv", "--jobs", 1),
        )
        assert done.returncode == 0, done.stderr
        lines = (tmp_path / f"{folder}.csv").read_text().splitlines()
        printed[folder] = {tuple(line.split(",")[6:8]): line.split(",")[8] for line in lines}
    assert printed["dark"] == printed["upright"]
    expected = metrics.METRICS["sound", "psnr"](dark, normal)
    assert float(printed["dark"]["psnr", "sound"]) == pytest.approx(expected, abs=1e-9)


def test_the_jpeg_that_score_makes_of_a_turned_picture_is_upright(tmp_path):
    pixels = photograph(48, 64, 1)
    for folder in ("dark", "normal"):
        (tmp_path / folder).mkdir()
        turned(tmp_path / folder / "1.png", pixels, 6)
    [pair] = folders.paired(tmp_path / "dark", tmp_path / "normal")
    [case] = folders.cases(pair, [90], "dark", tmp_path / "jpeg")
    assert case.input.read_bytes() == jpeg.encode(pixels, 90)


@pytest.mark.parametrize("suffix", [".PNG", ".Jpg", ".JPEG", ".jfif", ".JFIF", ".TIF", ".WebP"])
def test_a_suffix_counts_in_any_case_for_every_command(tmp_path, suffix):
    for folder in ("dark", "normal"):
        (tmp_path / folder).mkdir()
        PIL.Image.fromarray(photograph(24, 40, 1)).save(tmp_path / folder / f"1{suffix}")
    assert folders.listed(tmp_path / "dark") == {"1": tmp_path / f"dark/1{suffix}"}
    done = call("enhance", tmp_path / "dark", "-o", tmp_path / "out", "--chain", "gamma")
    assert done.stdout.splitlines() == [str(tmp_path / "out/1.png")], done.stderr


def test_hidden_files_and_folders_are_passed_over_by_every_command(tmp_path):
    night = tmp_path / "night"
    for name in ("a.png", ".thumbnails/a.png", "deep/b.png"):
        images.write(night / name, photograph(24, 40, 1))
    for name in ("._a.png", ".DS_Store", "deep/._b.png", "notes.txt"):
        (night / name).write_bytes(b"no picture")
    assert user_files.inside(night) == [night / "a.png"]
    assert user_files.inside(night, deep=True) == [night / "a.png", night / "deep/b.png"]
    assert folders.listed(night) == {"a": night / "a.png"}
    done = call("enhance", night, night / "**/*.png", "-o", tmp_path / "out", "--chain", "gamma")
    expected = [str(tmp_path / "out" / name) for name in ("a.png", "deep/b.png")]
    assert done.stdout.splitlines() == expected, done.stderr


def test_a_folder_whose_own_name_is_hidden_is_read(tmp_path):
    images.write(tmp_path / ".night/a.png", photograph(24, 40, 1))
    assert user_files.inside(tmp_path / ".night") == [tmp_path / ".night/a.png"]


def test_a_file_of_several_pages_is_refused_where_one_picture_is_expected(tmp_path):
    page = PIL.Image.new("RGB", (6, 4))
    page.save(tmp_path / "a.tif", save_all=True, append_images=[page])
    with pytest.raises(InputError, match=r"a\.tif holds 2 pages or frames"):
        user_files.read(tmp_path / "a.tif")


def test_image_files_are_opened_in_one_place():
    opening = re.compile(r"Image\.open\((?!io\.BytesIO|content)")  # bytes in memory are no files
    suite = (ROOT / "benchmark").rglob("*.py")
    found = [path.name for path in suite if opening.search(path.read_text(encoding="utf-8"))]
    assert found == ["images.py"]
