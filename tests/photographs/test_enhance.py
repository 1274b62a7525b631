"""`mlsm-bench enhance` as its users type it: what is written where, and what is refused."""

import inspect
import subprocess
import sys

import numpy as np
import PIL.Image
import pytest

from benchmark import ROOT, methods
from benchmark.cli import enhance as cli_enhance
from benchmark.core import images, jpeg
from benchmark.methods import assemble
from benchmark.photographs import enhance
from benchmark.photographs.streaming import schedule
from tests.helpers.commands import call, fails
from tests.helpers.pictures import photograph, renumbered

ALL_ONES = np.ones((2, 8, 8), np.uint16)


@pytest.fixture
def night(tmp_path):
    """Return a folder of two dark photographs, one of them in a folder within."""
    folder = tmp_path / "night"
    for name, seed in (("a", 1), ("deep/b", 2)):
        images.write(folder / f"{name}.png", (photograph(48, 64, seed) // 6).astype(np.uint8))
    return folder


def enhance_with_gamma(*arguments):
    return call("enhance", *arguments, "--chain", "gamma")


def test_a_folder_keeps_its_structure(night, tmp_path):
    done = enhance_with_gamma(night, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    expected = [tmp_path / "out/a.png", tmp_path / "out/deep/b.png"]
    assert done.stdout.splitlines() == list(map(str, expected))
    assert images.read(expected[0]).mean() > 2 * images.read(night / "a.png").mean()
    assert "wrote 2 images" in done.stderr


def test_a_pattern_finds_files_in_folders_within(night, tmp_path):
    done = enhance_with_gamma(night / "**/b.*", "-o", tmp_path / "out")
    assert done.stdout.splitlines() == [str(tmp_path / "out/deep/b.png")]
    fails(enhance_with_gamma(night / "*.webp", "-o", tmp_path / "out"), "No image matches")


def test_results_inside_the_folder_of_inputs_are_not_inputs(night):
    for _ in range(2):
        done = enhance_with_gamma(night, "-o", night / "out", "--overwrite")
        assert len(done.stdout.splitlines()) == 2, done.stderr


def test_nothing_is_written_over_without_leave(night, tmp_path):
    assert enhance_with_gamma(night / "a.png", "-o", tmp_path / "out").returncode == 0
    fails(enhance_with_gamma(night, "-o", tmp_path / "out"), "a.png exists", "--overwrite")
    assert not (tmp_path / "out/deep").exists()
    assert enhance_with_gamma(night, "-o", tmp_path / "out", "--overwrite").returncode == 0


def test_an_input_is_never_written_over(night):
    fails(enhance_with_gamma(night / "a.png", "-o", night, "--overwrite"), "would overwrite itself")


def test_two_inputs_never_become_one_file(night, tmp_path):
    images.write(night / "a.bmp", photograph(9, 9, 3))
    fails(enhance_with_gamma(night, "-o", tmp_path / "out"), "would both become", "rename one")
    assert not (tmp_path / "out").exists()


def test_a_broken_file_is_reported_and_the_others_go_on(night, tmp_path):
    (night / "a.png").write_bytes((night / "a.png").read_bytes()[:200])
    done = enhance_with_gamma(night, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert f"error: {night / 'a.png'} cannot be read as an image" in done.stderr
    assert "1 of 2 images could not be enhanced" in done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "out/deep/b.png")]
    assert not (tmp_path / "out/a.png").exists()


def test_a_16_bit_file_is_refused_in_a_sentence(tmp_path):
    PIL.Image.fromarray(np.full((9, 9), 40000, np.uint16)).save(tmp_path / "deep.png")
    done = enhance_with_gamma(tmp_path / "deep.png", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "has 16 bits a channel, expected 8: convert it first" in done.stderr


def test_transparent_pixels_are_refused_in_a_sentence(tmp_path):
    PIL.Image.new("RGBA", (9, 9), (9, 9, 9, 100)).save(tmp_path / "glass.png")
    done = enhance_with_gamma(tmp_path / "glass.png", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "transparent" in done.stderr


def test_jpeg_has_the_quality_that_was_asked_for(night, tmp_path):
    done = enhance_with_gamma(
        night / "a.png", "-o", tmp_path / "out", "--format", "jpeg", "--quality", 80
    )
    assert done.stdout.splitlines() == [str(tmp_path / "out/a.jpg")]
    assert (jpeg.tables(tmp_path / "out/a.jpg") == jpeg.tables_of_quality(80)).all()


def test_compare_shows_before_and_after(night, tmp_path):
    assert enhance_with_gamma(night / "a.png", "-o", tmp_path / "out", "--compare").returncode == 0
    both = images.read_uint8(tmp_path / "out/a_compare.png")
    assert (both[:, :64] == images.read_uint8(night / "a.png")).all()
    assert (both[:, -64:] == images.read_uint8(tmp_path / "out/a.png")).all()


def test_a_comparison_never_takes_the_place_of_a_result(night, tmp_path):
    images.write(night / "a_compare.png", photograph(9, 9, 3))
    fails(enhance_with_gamma(night, "-o", tmp_path / "out", "--compare"), "would both become")


def test_the_weights_that_ship_brighten_a_photograph_by_default(night, tmp_path):
    done = call("enhance", night / "a.png", "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    after = images.read(tmp_path / "out/a.png")
    assert after.shape == (48, 64, 3)
    assert after.mean() > 2 * images.read(night / "a.png").mean()


def test_a_large_photograph_is_what_it_would_be_at_once():
    steps = assemble.assemble(methods.Chain.parse("mlsm"), "retrained", ROOT / "weights" / "lol")
    dark = (photograph(120, 150, 4) // 5).astype(np.uint8)
    once = enhance.enhance_image(steps, dark, ALL_ONES)
    strips = enhance.enhance_image(steps, dark, ALL_ONES, whole=0)
    apart = np.abs(strips.astype(int) - once)
    assert apart.max() <= 1  # levels of 255: rounding of equal numbers
    assert (apart > 0).mean() < 1e-3


def test_every_method_takes_any_size():
    """Networks run in strips where they can, and whole where they cannot, as do other methods."""
    dark = (photograph(40, 56, 5) // 5).astype(np.uint8)
    for chain in ("zero_dce+edsr", "unet", "gamma", "qcn"):
        parsed = methods.Chain.parse(chain)
        track = "retrained" if parsed.learned else "classical"
        steps = assemble.assemble(parsed, track, ROOT / "weights" / "lol")
        once = methods.run(steps, dark)
        strips = enhance.enhance_image(steps, dark, ALL_ONES, whole=0)
        assert np.abs(strips.astype(int) - once).max() <= 1


def test_a_chain_that_does_not_fit_the_memory_says_so(night, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(enhance, "enhance_image", full)
    done = enhance_with_gamma(night / "a.png", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "too large for this chain" in done.stderr


@pytest.mark.parametrize("unused", [False, True], ids=["chroma first", "unused table first"])
def test_where_quantisation_tables_stand_in_the_file_changes_no_result(tmp_path, unused):
    data = jpeg.encode((photograph(48, 64, 6) // 3).astype(np.uint8), 30)
    for name, content in (("a", data), ("b", renumbered(data, (1, 0), unused))):
        (tmp_path / f"{name}.jpg").write_bytes(content)
    for chain in ("qgcn", "qcn"):
        out = tmp_path / chain
        done = call("enhance", tmp_path / "a.jpg", tmp_path / "b.jpg", "-o", out, "--chain", chain)
        assert done.returncode == 0, done.stderr
        assert (out / "a.png").read_bytes() == (out / "b.png").read_bytes()
        assert (images.read_uint8(out / "a.png") != images.read_uint8(tmp_path / "a.jpg")).any()


def scan(path, levels, **options):
    """Write a TIFF file with a flat page of each level."""
    pages = [PIL.Image.new("RGB", (32 + number, 24), (v,) * 3) for number, v in enumerate(levels)]
    pages[0].save(path, save_all=True, append_images=pages[1:], **options)
    return path


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_every_page_of_a_tiff_file_becomes_a_file(tmp_path, compression):
    source = scan(tmp_path / "scan.tif", (20, 60, 120), compression=compression)
    done = enhance_with_gamma(source, "-o", tmp_path / "out", "--compare")
    assert done.returncode == 0, done.stderr
    expected = [tmp_path / f"out/scan_page{number}.png" for number in (1, 2, 3)]
    assert done.stdout.splitlines() == list(map(str, expected))
    for number, (path, level) in enumerate(zip(expected, (20, 60, 120), strict=True)):
        pixels = images.read_uint8(path)
        assert pixels.shape == (24, 32 + number, 3)
        assert (pixels == round(255 * (level / 255) ** 0.45)).all()
        assert (tmp_path / f"out/scan_page{number + 1}_compare.png").is_file()


def test_a_page_that_is_a_smaller_copy_is_left_out_with_a_warning(tmp_path):
    page, copy = PIL.Image.new("RGB", (32, 24)), PIL.Image.new("RGB", (8, 6))
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(tmp_path / "scan.tif", save_all=True, append_images=[copy])
    done = enhance_with_gamma(tmp_path / "scan.tif", "-o", tmp_path / "out")
    assert done.stdout.splitlines() == [str(tmp_path / "out/scan.png")]
    assert f"warning: {tmp_path / 'scan.tif'} holds 2 pages" in done.stderr


def test_a_page_that_cannot_be_enhanced_is_named_and_the_others_go_on(tmp_path):
    first, second = PIL.Image.new("RGB", (32, 24)), PIL.Image.new("CMYK", (32, 24))
    first.save(tmp_path / "scan.tif", save_all=True, append_images=[second, first])
    done = enhance_with_gamma(tmp_path / "scan.tif", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert f"error: Page 2 of {tmp_path / 'scan.tif'} has colour mode CMYK" in done.stderr
    expected = [str(tmp_path / f"out/scan_page{number}.png") for number in (1, 3)]
    assert done.stdout.splitlines() == expected


def test_exif_data_that_cannot_be_kept_end_no_batch(night, tmp_path):
    PIL.Image.new("RGB", (32, 24)).save(night / "b.jpg", exif=b"Exif\0\0nonsense")
    done = enhance_with_gamma(night, "-o", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert f"warning: {night / 'b.jpg'} holds EXIF data that cannot be kept" in done.stderr


def test_a_method_that_fails_on_one_photograph_ends_no_batch(night, tmp_path, monkeypatch):
    whole = enhance.enhance_image

    def failing(steps, pixels, *arguments, **options):
        if pixels.shape[0] == 9:
            raise RuntimeError("kernel size is greater than input size")
        return whole(steps, pixels, *arguments, **options)

    images.write(night / "b.png", photograph(9, 9, 3))
    monkeypatch.setattr(enhance, "enhance_image", failing)
    done = enhance_with_gamma(night, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert f"error: {night / 'b.png'} could not be enhanced (RuntimeError: kernel" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_a_result_that_could_not_be_stored_is_found_before_the_work(night, tmp_path):
    (tmp_path / "out").write_text("a file")
    fails(enhance_with_gamma(night, "-o", tmp_path / "out"), "is a file, expected a folder")


def test_a_photograph_above_the_limit_is_refused_and_the_limit_can_be_raised(night, tmp_path):
    refused = enhance_with_gamma(night / "a.png", "-o", tmp_path / "out", "--max-megapixels", 0.003)
    assert refused.returncode == 1
    assert "64x48 pixels, expected 0.003 megapixels at most" in refused.stderr
    done = enhance_with_gamma(night / "a.png", "-o", tmp_path / "out", "--max-megapixels", 0.004)
    assert done.returncode == 0, done.stderr


def test_the_limits_that_enhance_states_are_those_of_the_suite():
    given = inspect.signature(cli_enhance.enhance).parameters
    assert given["megapixels"].default == images.MEGAPIXELS == enhance.OutputOptions().megapixels
    assert given["memory"].default == enhance.OutputOptions().memory == schedule.MEMORY / 1e9


def test_the_memory_that_is_given_reaches_the_network(tmp_path, monkeypatch):
    told = []
    images.write(tmp_path / "a.png", np.zeros((1100, 1400, 3), np.uint8))
    monkeypatch.setattr(
        schedule, "enhance", lambda network, pixels, memory, progress: told.append(memory) or pixels
    )
    task = enhance.EnhanceTask(tmp_path / "a.png", tmp_path / "out/a.png", None)
    steps = assemble.assemble(methods.Chain.parse("mlsm"), "retrained", ROOT / "weights" / "lol")
    enhance.run(task, steps, enhance.OutputOptions(memory=0.5))
    assert told == [500_000_000]


HUGE = """
import resource, sys
from pathlib import Path

import torch

from benchmark.photographs import enhance, photo_io
from benchmark.core import images
from benchmark import methods

class Brighter(torch.nn.Module):
    def forward(self, x):
        return (x * 1.5).clamp(0.0, 1.0)

source, target = map(Path, sys.argv[1:])
steps = [methods.Step(methods.find("identity"), methods.from_network(Brighter()))]
enhance.run(enhance.EnhanceTask(source, target, None), steps, enhance.OutputOptions())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.slow
def test_200_megapixels_are_enhanced_in_a_few_gigabytes(tmp_path):
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    picture = PIL.Image.new("L", (16320, 12240), 100)
    picture.paste(20, (9000, 7000, 16320, 12240))
    picture.save(source, compress_level=1)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HUGE, source, target],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert float(done.stdout) < 3.0  # GiB; pixels before and after, and Pillow's, are 2.0
    pixels = images.read_uint8(target)
    assert pixels.shape == (12240, 16320, 3)
    assert (pixels[:7000] == 150).all()
    assert (pixels[7000:, 9000:] == 30).all()
