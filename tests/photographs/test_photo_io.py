"""What is kept of a photograph's file."""

import struct

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageCms
import PIL.PngImagePlugin
import PIL.TiffImagePlugin
import pytest

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.photographs import photo_io
from tests.helpers.pictures import photograph

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


@pytest.mark.parametrize("form", photo_io.SUFFIX)
def test_exif_and_profile_survive_in_every_format(tmp_path, form):
    source = camera_file(tmp_path / "in.jpg", photograph(24, 40, 1), icc_profile=SRGB)
    target = tmp_path / f"out{photo_io.SUFFIX[form]}"
    photo_io.write(target, photo_io.read(source), form)
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
    found = photo_io.read(source)
    assert (found.pixels == np.rot90(pixels, turns)).all()
    photo_io.write(tmp_path / "out.png", found, "png")
    again = photo_io.read(tmp_path / "out.png")
    assert (again.pixels == found.pixels).all()
    with PIL.Image.open(tmp_path / "out.png") as file:
        exif = file.getexif()
    assert BASE.Orientation not in exif
    details = exif.get_ifd(IFD.Exif)
    assert (details[BASE.ExifImageHeight], details[BASE.ExifImageWidth]) == found.pixels.shape[:2]


def test_a_tiff_keeps_its_words_and_not_its_layout(tmp_path):
    source = camera_file(tmp_path / "in.tif", photograph(24, 40, 1))
    photo_io.write(tmp_path / "out.png", photo_io.read(source), "png")
    with PIL.Image.open(tmp_path / "out.png") as file:
        exif = file.getexif()
    assert exif[BASE.Model] == "Night camera"
    assert not {BASE.StripOffsets, BASE.BitsPerSample} & set(exif)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA"])
def test_grey_palette_and_opaque_files_become_rgb(tmp_path, mode):
    PIL.Image.fromarray(photograph(9, 12, 1)).convert(mode).save(tmp_path / "in.png")
    assert photo_io.read(tmp_path / "in.png").pixels.shape == (9, 12, 3)


def test_a_grey_profile_is_not_put_on_rgb_pixels(tmp_path):
    PIL.Image.new("L", (9, 12), 60).save(tmp_path / "in.png", icc_profile=b"a grey profile")
    assert photo_io.read(tmp_path / "in.png").profile == b""


SECRET = b"a name that nobody should read"
PRIVATE = {
    "XMP": 700,
    "IPTC": 33723,
    "Photoshop": 34377,
    "layers": 37724,
    "Windows comment": 0x9C9C,
    "a block of tomorrow": 51999,
}


@pytest.mark.parametrize("form", photo_io.SUFFIX)
@pytest.mark.parametrize("block", PRIVATE)
def test_private_blocks_of_a_tiff_file_do_not_reach_the_result(tmp_path, form, block):
    tags = PIL.TiffImagePlugin.ImageFileDirectory_v2()
    tags[BASE.Model] = "Night camera"
    tags.tagtype[PRIVATE[block]] = PIL.TiffTags.UNDEFINED
    tags[PRIVATE[block]] = SECRET
    source, target = tmp_path / "in.tif", tmp_path / "out"
    PIL.Image.fromarray(photograph(24, 40, 1)).save(source, tiffinfo=tags)
    assert SECRET in source.read_bytes()
    assert photo_io.write(target, photo_io.read(source), form) == ()
    assert SECRET not in target.read_bytes()
    with PIL.Image.open(target) as file:
        assert file.getexif()[BASE.Model] == "Night camera"
        assert PRIVATE[block] not in file.getexif()


def test_private_blocks_of_other_files_do_not_reach_the_result(tmp_path):
    picture = PIL.Image.fromarray(photograph(24, 40, 1))
    text = PIL.PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    picture.save(tmp_path / "in.png", pnginfo=text)
    picture.save(tmp_path / "in.jpg", xmp=SECRET, comment=SECRET)
    picture.save(tmp_path / "in.webp", xmp=SECRET)
    for suffix in ("png", "jpg", "webp"):
        source = tmp_path / f"in.{suffix}"
        assert SECRET in source.read_bytes()
        for form in photo_io.SUFFIX:
            photo_io.write(tmp_path / "out", photo_io.read(source), form)
            assert SECRET not in (tmp_path / "out").read_bytes()


@pytest.mark.parametrize("form", photo_io.SUFFIX)
def test_exif_data_that_cannot_be_written_back_are_left_out_with_a_note(tmp_path, form):
    entry = struct.pack("<HHHII", 1, BASE.XResolution, 10, 1, 26)  # a signed rational ...
    block = b"II*\0\x08\0\0\0" + entry + struct.pack("<Iii", 0, -72, 1)  # ... where none may be
    source, target = tmp_path / "in.jpg", tmp_path / "out"
    pixels = photograph(24, 40, 1)
    PIL.Image.fromarray(pixels).save(source, exif=b"Exif\0\0" + block, quality=95)
    found = photo_io.read(source)
    [note] = found.notes + photo_io.write(target, found, form)
    assert note.startswith("holds EXIF data that cannot be kept")
    with PIL.Image.open(target) as file:
        assert not {BASE.XResolution, IFD.Exif} & set(file.getexif())
        assert file.size == (40, 24)


def test_exif_data_too_long_for_jpeg_are_left_out_with_a_note(tmp_path):
    exif = PIL.Image.Exif()
    exif[BASE.ImageDescription] = "long" * 20_000
    PIL.Image.fromarray(photograph(24, 40, 1)).save(tmp_path / "in.png", exif=exif)
    found = photo_io.read(tmp_path / "in.png")
    [note] = photo_io.write(tmp_path / "out", found, "jpeg")
    assert "too long" in note
    assert images.read_uint8(tmp_path / "out").shape == (24, 40, 3)
    assert photo_io.write(tmp_path / "out", found, "png") == ()


def test_exif_data_that_cannot_be_read_are_left_out_with_a_note(tmp_path):
    source = tmp_path / "in.jpg"
    PIL.Image.fromarray(photograph(24, 40, 1)).save(source, exif=b"Exif\0\0nonsense")
    found = photo_io.read(source)
    assert found.exif == b""
    assert "EXIF data that cannot be kept" in found.notes[0]


def test_the_first_picture_of_several_is_read_with_a_note(tmp_path):
    first, second = (PIL.Image.fromarray(photograph(24, 40, seed)) for seed in (1, 2))
    first.save(tmp_path / "in.jpg", format="MPO", save_all=True, append_images=[second])
    found = photo_io.read(tmp_path / "in.jpg")
    assert found.notes == ("holds 2 pictures, of which the first was enhanced",)
    apart = np.abs(found.pixels.astype(int) - photograph(24, 40, 1)).mean()
    assert apart < np.abs(found.pixels.astype(int) - photograph(24, 40, 2)).mean()


def test_an_animation_is_refused(tmp_path):
    frames = [PIL.Image.fromarray(photograph(24, 40, seed)) for seed in (1, 2)]
    for suffix in ("webp", "png"):
        path = tmp_path / f"in.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        with pytest.raises(InputError, match=f"in.{suffix} holds 2 pages or frames, expected one"):
            photo_io.read(path)


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        photo_io.write(tmp_path / "out", photo_io.Photograph(photograph(9, 9, 1)), "png")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_before_and_after_stand_beside_each_other():
    before, after = photograph(9, 12, 1), photograph(9, 12, 2)
    both = photo_io.side_by_side(before, after)
    assert (both[:, :12] == before).all()
    assert (both[:, 16:] == after).all()
