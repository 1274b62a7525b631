"""What is kept of a photograph's file."""

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageCms
import pytest
from pictures import photograph

from benchmark import photofiles
from benchmark.errors import InputError

BASE, IFD = PIL.ExifTags.Base, PIL.ExifTags.IFD
SRGB = PIL.ImageCms.ImageCmsProfile(PIL.ImageCms.createProfile("sRGB")).tobytes()


def camera_file(path, pixels, orientation=1, **options):
    exif = PIL.Image.Exif()
    exif[BASE.Model], exif[BASE.Orientation] = "Night camera", orientation
    details = exif.get_ifd(IFD.Exif)
    details[BASE.ISOSpeedRatings] = 3200
    details[BASE.ExifImageWidth], details[BASE.ExifImageHeight] = pixels.shape[1], pixels.shape[0]
    exif.get_ifd(IFD.GPSInfo)[PIL.ExifTags.GPS.GPSLatitudeRef] = "N"
    PIL.Image.fromarray(pixels).save(path, exif=exif.tobytes(), **options)
    return path


@pytest.mark.parametrize("form", photofiles.SUFFIX)
def test_exif_and_profile_survive_in_every_format(tmp_path, form):
    source = camera_file(tmp_path / "in.jpg", photograph(24, 40, 1), icc_profile=SRGB)
    target = tmp_path / f"out{photofiles.SUFFIX[form]}"
    photofiles.write(target, photofiles.read(source), form)
    with PIL.Image.open(target) as file:
        file.load()
        assert file.format == form.upper()
        assert file.info["icc_profile"] == SRGB
        exif = file.getexif()
        assert exif[BASE.Model] == "Night camera"
        assert exif.get_ifd(IFD.Exif)[BASE.ISOSpeedRatings] == 3200
        assert exif.get_ifd(IFD.GPSInfo)[PIL.ExifTags.GPS.GPSLatitudeRef] == "N"


@pytest.mark.parametrize(("orientation", "turns"), [(3, 2), (6, -1), (8, 1)])
def test_a_turned_photograph_is_upright_once(tmp_path, orientation, turns):
    pixels = photograph(24, 40, 2)
    source = camera_file(tmp_path / "in.png", pixels, orientation)
    found = photofiles.read(source)
    assert (found.pixels == np.rot90(pixels, turns)).all()
    photofiles.write(tmp_path / "out.png", found, "png")
    again = photofiles.read(tmp_path / "out.png")
    assert (again.pixels == found.pixels).all()
    with PIL.Image.open(tmp_path / "out.png") as file:
        exif = file.getexif()
    assert BASE.Orientation not in exif
    details = exif.get_ifd(IFD.Exif)
    assert (details[BASE.ExifImageHeight], details[BASE.ExifImageWidth]) == found.pixels.shape[:2]


def test_a_tiff_keeps_its_words_and_not_its_layout(tmp_path):
    source = camera_file(tmp_path / "in.tif", photograph(24, 40, 1))
    photofiles.write(tmp_path / "out.png", photofiles.read(source), "png")
    with PIL.Image.open(tmp_path / "out.png") as file:
        exif = file.getexif()
    assert exif[BASE.Model] == "Night camera"
    assert not {BASE.StripOffsets, BASE.BitsPerSample} & set(exif)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA"])
def test_grey_palette_and_opaque_files_become_rgb(tmp_path, mode):
    PIL.Image.fromarray(photograph(9, 12, 1)).convert(mode).save(tmp_path / "in.png")
    assert photofiles.read(tmp_path / "in.png").pixels.shape == (9, 12, 3)


def test_a_grey_profile_is_not_put_on_rgb_pixels(tmp_path):
    PIL.Image.new("L", (9, 12), 60).save(tmp_path / "in.png", icc_profile=b"a grey profile")
    assert photofiles.read(tmp_path / "in.png").profile == b""


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        photofiles.write(tmp_path / "out", photofiles.Photograph(photograph(9, 9, 1)), "png")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_before_and_after_stand_beside_each_other():
    before, after = photograph(9, 12, 1), photograph(9, 12, 2)
    both = photofiles.side_by_side(before, after)
    assert (both[:, :12] == before).all()
    assert (both[:, 16:] == after).all()
