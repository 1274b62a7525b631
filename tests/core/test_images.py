import struct
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.core.images import SUFFIXES, read, read_uint8, to_float, to_uint8, write
from tests.helpers.pictures import EXAMPLES, photograph


def store_png(path: Path, depth: int, colour: int, rows: bytes, size: tuple[int, int]) -> Path:
    """Write a PNG by hand: Pillow does not write 16 bits a channel in colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", size[1], size[0], depth, colour, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def store(path: Path, picture: PIL.Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def test_to_uint8_returns_every_level_that_to_float_was_given() -> None:
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(to_uint8(to_float(levels)), levels)


def test_to_uint8_rounds_to_the_nearest_level() -> None:
    image = np.array([99.4, 99.6, 0.4, 254.6], np.float32) / 255
    assert to_uint8(image).tolist() == [99, 100, 0, 255]


def test_to_uint8_rounds_a_half_to_the_even_level() -> None:
    assert to_uint8(np.array([0.5], np.float32)).tolist() == [128]  # 127.5 exactly


def test_to_uint8_clips_what_lies_outside_zero_to_one() -> None:
    assert to_uint8(np.array([-3.0, -0.01, 1.01, 9.0], np.float32)).tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_to_uint8_refuses_nan_and_infinity(value: float) -> None:
    image = np.zeros((2, 2, 3), np.float32)
    image[1, 0, 2] = value
    with pytest.raises(ValueError, match="Argument `image` must be finite"):
        to_uint8(image)


def test_to_uint8_leaves_its_input_alone() -> None:
    image = np.array([-1.0, 0.5, 2.0], np.float32)
    to_uint8(image)
    assert image.tolist() == [-1.0, 0.5, 2.0]


def test_to_float_spans_zero_to_one_in_float32() -> None:
    image = to_float(np.array([0, 51, 255], np.uint8))
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, [0, 0.2, 1], rtol=1e-7)


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.bmp", "a.tif", "a.tiff"])
def test_what_is_written_is_what_is_read(tmp_path: Path, name: str) -> None:
    pixels = photograph(9, 14, seed=1)
    write(tmp_path / name, pixels)
    np.testing.assert_array_equal(read_uint8(tmp_path / name), pixels)


def test_floats_are_written_rounded_and_read_as_float32(tmp_path: Path) -> None:
    image = np.random.default_rng(2).random((5, 8, 3), dtype=np.float32)
    write(tmp_path / "a.png", image)
    stored = read(tmp_path / "a.png")
    assert stored.dtype == np.float32
    np.testing.assert_array_equal(stored, to_float(to_uint8(image)))


def test_write_makes_the_folders_it_needs(tmp_path: Path) -> None:
    write(tmp_path / "one" / "two" / "a.png", photograph(3, 4, seed=3))
    assert [path.name for path in (tmp_path / "one" / "two").iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.xyz", "a"])
def test_write_refuses_names_that_do_not_promise_every_pixel(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"expected one of \.png, \.bmp, \.tif, \.tiff"):
        write(tmp_path / name, photograph(3, 4, seed=4))
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    write(path, photograph(6, 6, seed=5))
    before = path.read_bytes()

    def fill_disk(self: PIL.Image.Image, target: Path, **options: object) -> None:
        Path(target).write_bytes(before[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PIL.Image.Image, "save", fill_disk)
    with pytest.raises(InputError, match=r"a\.png cannot be written \(No space left on device\)"):
        write(path, photograph(6, 6, seed=6))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", ["L", "1"])
def test_grey_and_bilevel_images_get_three_equal_channels(tmp_path: Path, mode: str) -> None:
    picture = PIL.Image.fromarray(photograph(7, 5, seed=7)).convert(mode)
    pixels = read_uint8(store(tmp_path / "a.png", picture))
    expected = np.asarray(picture.convert("L"))
    np.testing.assert_array_equal(pixels, np.stack([expected] * 3, axis=-1))


def test_palette_images_are_looked_up(tmp_path: Path) -> None:
    picture = PIL.Image.new("P", (3, 2))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.putpixel((2, 1), 1)
    pixels = read_uint8(store(tmp_path / "a.png", picture))
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[1, 2].tolist() == [200, 100, 50]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_alpha_channel_is_dropped(tmp_path: Path, mode: str) -> None:
    picture = PIL.Image.fromarray(photograph(7, 5, seed=8)).convert(mode)
    pixels = read_uint8(store(tmp_path / "a.png", picture))
    np.testing.assert_array_equal(pixels, np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("alpha", [0, 254])
def test_a_transparent_pixel_is_refused(tmp_path: Path, alpha: int) -> None:
    picture = PIL.Image.fromarray(photograph(7, 5, seed=9)).convert("RGBA")
    picture.putpixel((4, 6), (1, 2, 3, alpha))
    with pytest.raises(InputError, match=r"a\.png has transparent pixels"):
        read_uint8(store(tmp_path / "a.png", picture))


def test_a_transparent_palette_entry_is_refused_where_it_is_used(tmp_path: Path) -> None:
    picture = PIL.Image.new("P", (3, 2))
    picture.putpalette([10, 20, 30, 200, 100, 50])
    assert read_uint8(store(tmp_path / "unused.png", picture, transparency=1)).shape == (2, 3, 3)
    with pytest.raises(InputError, match="transparent pixels"):
        read_uint8(store(tmp_path / "used.png", picture, transparency=0))


def test_a_16_bit_grey_png_is_refused(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(np.full((4, 5), 40000, np.uint16))
    with pytest.raises(InputError, match=r"a\.png has 16 bits a channel, expected 8"):
        read_uint8(store(tmp_path / "a.png", picture))


def test_a_16_bit_rgb_png_is_refused_though_pillow_would_cut_it_to_8(tmp_path: Path) -> None:
    path = store_png(tmp_path / "a.png", 16, 2, bytes(2 * (1 + 3 * 6)), (2, 3))
    with PIL.Image.open(path) as file:
        assert file.mode == "RGB"
    with pytest.raises(InputError, match="16 bits a channel"):
        read_uint8(path)


def test_a_4_bit_grey_png_is_scaled_to_the_full_range(tmp_path: Path) -> None:
    path = store_png(tmp_path / "a.png", 4, 0, bytes([0, 0x0F]), (1, 2))
    assert read_uint8(path)[0].tolist() == [[0, 0, 0], [255, 255, 255]]


def test_a_floating_point_tiff_is_refused(tmp_path: Path) -> None:
    picture = PIL.Image.fromarray(np.ones((4, 5), np.float32))
    with pytest.raises(InputError, match="32 bits a channel"):
        read_uint8(store(tmp_path / "a.tif", picture))


def test_a_cmyk_jpeg_is_refused(tmp_path: Path) -> None:
    picture = PIL.Image.new("CMYK", (8, 8), (1, 2, 3, 4))
    with pytest.raises(InputError, match="colour mode CMYK, expected RGB or grey"):
        read_uint8(store(tmp_path / "a.jpg", picture))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_a_truncated_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    PIL.Image.fromarray(photograph(40, 40, seed=10)).save(path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) * 3 // 4):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=rf"a\{suffix} cannot be read as an image"):
            read_uint8(path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@EXAMPLES
@given(suffix=st.sampled_from(SUFFIXES), seed=st.integers(0, 2**32 - 1))
def test_a_damaged_file_is_read_or_refused_but_never_fails_otherwise(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    path = tmp_path_factory.mktemp("damaged") / f"a{suffix}"
    PIL.Image.fromarray(photograph(12, 12, seed=11)).save(path)
    data = bytearray(path.read_bytes())
    for position in random.integers(0, min(len(data), 100), 3):
        data[position] = random.integers(0, 256)
    path.write_bytes(data)
    try:
        pixels = read_uint8(path)
    except InputError:
        return
    assert pixels.dtype == np.uint8


def test_a_png_header_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    path = store_png(tmp_path / "a.png", 8, 2, bytes(1 + 3), (1, 1))
    data = bytearray(path.read_bytes())
    data[11] = 2  # the IHDR chunk says 2 bytes instead of 13
    path.write_bytes(data)
    with pytest.raises(InputError, match="cannot be read as an image"):
        read_uint8(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(InputError, match="is not a file: check the path"):
            read_uint8(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_a_data_set_file_that_its_exif_data_turn_is_refused(tmp_path: Path, suffix: str) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise puts it upright
    path = store(tmp_path / f"a{suffix}", PIL.Image.new("RGB", (6, 4)), exif=exif)
    with pytest.raises(InputError, match=r"turned by its EXIF orientation \(6\), expected pixels"):
        read_uint8(path)


def test_a_file_of_several_pages_is_refused(tmp_path: Path) -> None:
    page = PIL.Image.new("RGB", (6, 4))
    path = store(tmp_path / "a.tif", page, save_all=True, append_images=[page, page])
    with pytest.raises(InputError, match=r"a\.tif holds 3 pages or frames, expected one image"):
        read_uint8(path)


def test_the_first_picture_of_a_jpeg_file_that_holds_more_is_read(tmp_path: Path) -> None:
    first, second = (PIL.Image.new("RGB", (8, 8), (level,) * 3) for level in (50, 200))
    path = store(tmp_path / "a.jpg", first, format="MPO", save_all=True, append_images=[second])
    assert read_uint8(path).max() < 60


def test_exif_data_that_cannot_be_read_turn_nothing(tmp_path: Path) -> None:
    path = store(tmp_path / "a.jpg", PIL.Image.new("RGB", (6, 4)), exif=b"Exif\0\0nonsense")
    assert read_uint8(path).shape == (4, 6, 3)


def test_a_size_above_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = store(tmp_path / "a.png", PIL.Image.new("L", (300, 200)))
    told = r"has 300x200 pixels, expected 0\.05 megapixels at most"
    with pytest.raises(InputError, match=told), images.opened(path, megapixels=0.05):
        pass


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")
def test_pillows_own_limit_of_size_is_lifted_while_a_file_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = store(tmp_path / "a.png", PIL.Image.new("L", (300, 200)))
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 100)
    assert read_uint8(path).shape == (200, 300, 3)
    assert PIL.Image.MAX_IMAGE_PIXELS == 100


def test_the_pixels_read_may_be_written_to(tmp_path: Path) -> None:
    write(tmp_path / "a.png", photograph(3, 4, seed=12))
    pixels = read_uint8(tmp_path / "a.png")
    pixels[0, 0] = 7
    assert pixels[0, 0].tolist() == [7, 7, 7]


def test_every_listed_suffix_is_one_that_pillow_reads() -> None:
    assert set(images.SUFFIXES) <= set(PIL.Image.registered_extensions())
