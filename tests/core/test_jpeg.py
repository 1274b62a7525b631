import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from benchmark.core import jpeg
from benchmark.core.errors import InputError
from benchmark.core.images import read_uint8
from tests.helpers.pictures import flat, photograph, renumbered

# Table K.1 of ITU-T T.81, the luminance quantisation that IJG scales by quality; first row.
LUMINANCE = np.array([16, 11, 10, 16, 24, 40, 51, 61])


def segments(data: bytes) -> dict[int, bytes]:
    """Return marker -> payload of the segments before the scan."""
    found, position = {}, 2
    while data[position + 1] != 0xDA:
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        found[data[position + 1]] = data[position + 4 : position + 2 + size]
        position += 2 + size
    return found


@pytest.mark.parametrize("qf", [0, -1, 101, True, False, 90.0, "90", None])
def test_anything_but_an_integer_from_1_to_100_is_refused(qf: object) -> None:
    with pytest.raises(InputError, match=r"integer from 1 to 100, but got"):
        jpeg.check_quality(qf)
    with pytest.raises(InputError, match="Quality factor"):
        jpeg.encode(flat(1), qf)


@pytest.mark.parametrize("qf", [1, 60, 90, 100])
def test_an_integer_from_1_to_100_is_returned(qf: int) -> None:
    assert jpeg.check_quality(qf) == qf


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (1, 1), (7, 13)])
def test_decode_returns_what_pillow_reads_from_disk(tmp_path: Path, size: tuple[int, int]) -> None:
    pixels = photograph(*size, seed=1)
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg.encode(pixels, 70))
    with PIL.Image.open(path) as file:
        expected = np.asarray(file.convert("RGB"))
    assert expected.shape == pixels.shape
    np.testing.assert_array_equal(jpeg.decode(path.read_bytes()), expected)
    np.testing.assert_array_equal(jpeg.compress(pixels, 70), expected)
    np.testing.assert_array_equal(read_uint8(path), expected)


def test_the_bytes_are_those_of_pillows_own_default_at_that_quality() -> None:
    pixels = photograph(40, 50, seed=2)
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "JPEG")  # what a method's own script calls
    assert jpeg.encode(pixels, 75) == buffer.getvalue()


def test_the_stream_says_that_chroma_is_halved_both_ways() -> None:
    frame = segments(jpeg.encode(photograph(40, 50, seed=3), 100))[0xC0]
    assert frame[5] == 3  # components
    assert [frame[7 + 3 * component] for component in range(3)] == [0x22, 0x11, 0x11]


def test_the_stream_is_baseline_and_8_bit() -> None:
    found = segments(jpeg.encode(photograph(40, 50, seed=4), 5))
    assert 0xC2 not in found  # progressive
    assert found[0xC0][0] == 8


@pytest.mark.parametrize(("qf", "scale"), [(90, 20), (80, 40), (60, 80), (50, 100), (25, 200)])
def test_the_tables_are_ijgs_scaling_of_the_standard_ones(qf: int, scale: int) -> None:
    with PIL.Image.open(io.BytesIO(jpeg.encode(flat(9), qf))) as file:
        first_row = file.quantization[0][:8]
    assert list(first_row) == ((LUMINANCE * scale + 50) // 100).tolist()


def test_a_lower_quality_factor_makes_a_smaller_and_worse_file() -> None:
    pixels = photograph(120, 160, seed=5)
    sizes, errors = [], []
    for qf in (90, 60, 30):
        sizes.append(len(jpeg.encode(pixels, qf)))
        errors.append(np.abs(jpeg.compress(pixels, qf).astype(float) - pixels).mean())
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)


def test_fine_colour_detail_is_lost_even_at_quality_100() -> None:
    pixels = flat(0)
    pixels[:, ::2, 0] = 200
    pixels[:, 1::2, 2] = 200
    error = np.abs(jpeg.compress(pixels, 100).astype(float) - pixels).max()
    assert error > 50


def test_encoding_is_deterministic_and_leaves_its_input_alone() -> None:
    pixels = photograph(20, 20, seed=6)
    pixels.flags.writeable = False
    assert jpeg.encode(pixels, 80) == jpeg.encode(pixels, 80)


def test_the_encoder_record_names_library_version_and_subsampling() -> None:
    record = jpeg.encoder().describe()
    assert record["pillow"] == PIL.__version__
    assert record["subsampling"] == "4:2:0"
    name, version = record["library"].split()
    assert name in ("libjpeg", "libjpeg-turbo")
    assert version[0].isdigit()


def test_tables_are_those_of_annex_k_scaled_as_libjpeg_does():
    luma, chroma = jpeg.tables_of_quality(50)
    assert luma[0, :4].tolist() == [16, 11, 10, 16]  # ITU-T T.81, Table K.1, at quality 50
    assert luma[:4, 0].tolist() == [16, 12, 14, 14]
    assert chroma[0, :4].tolist() == [17, 18, 24, 47]  # Table K.2
    assert jpeg.tables_of_quality(90)[0, 0, 0] == 3  # (16 * 20 + 50) // 100
    assert (jpeg.tables_of_quality(100) == 1).all()


def test_tables_are_read_from_the_file(tmp_path):
    pixels = np.zeros((16, 16, 3), np.uint8)
    (tmp_path / "a.jpg").write_bytes(jpeg.encode(pixels, 70))
    assert (jpeg.tables(tmp_path / "a.jpg") == jpeg.tables_of_quality(70)).all()


def test_a_file_that_is_not_jpeg_has_tables_of_ones(tmp_path):
    PIL.Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert (jpeg.tables(tmp_path / "a.png") == 1).all()


def test_a_grey_jpeg_has_its_table_twice(tmp_path):
    PIL.Image.new("L", (8, 8)).save(tmp_path / "a.jpg", quality=60)
    luma, chroma = jpeg.tables(tmp_path / "a.jpg")
    assert (luma == chroma).all()
    assert luma.max() > 1


def test_tables_of_a_broken_file_name_it(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"a\.jpg cannot be read as an image"):
        jpeg.tables(tmp_path / "a.jpg")


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}], ids=str)
@pytest.mark.parametrize("numbers", [(1, 0), (3, 2), (0, 1)], ids=str)
@pytest.mark.parametrize("unused", [False, True], ids=["", "unused table first"])
@pytest.mark.parametrize("wide", [False, True], ids=["8 bits", "16 bits"])
def test_tables_are_those_of_their_components_wherever_they_stand(
    tmp_path, options, numbers, unused, wide
):
    buffer = io.BytesIO()
    PIL.Image.fromarray(photograph(40, 56, 1)).save(buffer, "JPEG", quality=40, **options)
    other = renumbered(buffer.getvalue(), numbers, unused, wide)
    np.testing.assert_array_equal(jpeg.decode(other), jpeg.decode(buffer.getvalue()))
    (tmp_path / "a.jpg").write_bytes(other)
    np.testing.assert_array_equal(jpeg.tables(tmp_path / "a.jpg"), jpeg.tables_of_quality(40))


def test_a_grey_jpeg_behind_an_unused_table_has_the_table_of_its_component(tmp_path):
    buffer = io.BytesIO()
    PIL.Image.fromarray(photograph(40, 56, 1)).convert("L").save(buffer, "JPEG", quality=40)
    (tmp_path / "a.jpg").write_bytes(renumbered(buffer.getvalue(), (2,), unused=True))
    expected = jpeg.tables_of_quality(40)[0]
    for table in jpeg.tables(tmp_path / "a.jpg"):
        np.testing.assert_array_equal(table, expected)


def test_a_component_whose_table_is_missing_is_named(tmp_path):
    data = bytearray(jpeg.encode(flat(9), 80))
    data[data.index(b"\xff\xc0") + 12] = 3  # the table of the first component
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.jpg cannot be read .* quantisation table 3"):
        jpeg.tables(tmp_path / "a.jpg")
