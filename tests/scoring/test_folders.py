"""Folders of the user's own pairs: what belongs together, and scores that nothing stops."""

import os

import numpy as np
import pandas as pd
import pytest

from benchmark.core import files, images
from benchmark.core.errors import InputError
from benchmark.scoring import folders
from tests.helpers.commands import call, fails
from tests.helpers.pictures import photograph, write_pairs


def score(folder, *more):
    return call(
        *("score", "--chain", "gamma", "--dark", folder / "dark", "--normal", folder / "normal"),
        *("-o", folder / "scores.csv", "--jobs", 1, *more),
    )


def scored(folder):
    return set(pd.read_csv(folder / "scores.csv", dtype={"image": str})["image"])


def test_pairs_of_lol_v2_are_found_by_what_follows_low_and_normal(tmp_path):
    dark, normal = ("low00690", "low00691"), ("normal00690", "normal00691")
    write_pairs(tmp_path, dark, normal)
    assert [(pair.name, pair.normal.name) for pair in folders.paired(*folders_of(tmp_path))] == [
        ("low00690", "normal00690.png"),
        ("low00691", "normal00691.png"),
    ]
    done = score(tmp_path)
    assert done.returncode == 0, done.stderr
    assert scored(tmp_path) == {"low00690", "low00691"}


def folders_of(folder):
    return folder / "dark", folder / "normal"


@pytest.mark.parametrize(
    ("dark", "normal"),
    [
        (("low1", "dim2"), ("normal1", "normal2")),
        (("low1", "low2"), ("normal1", "normal3")),
        (("low1", "low"), ("normal1", "normal")),
    ],
)
def test_names_that_follow_no_rule_are_refused_before_the_work(tmp_path, dark, normal):
    write_pairs(tmp_path, dark, normal)
    fails(score(tmp_path), "image names, first", "give every dark image the reference of its name")


def test_one_bad_image_is_named_and_counted_and_the_others_are_scored(tmp_path):
    dark, normal = write_pairs(tmp_path, [str(number) for number in range(6)])
    (dark / "1.png").write_bytes((dark / "1.png").read_bytes()[:200])
    (normal / "2.png").write_bytes(b"<html>")
    images.write(normal / "3.png", photograph(40, 64, 1))
    done = score(tmp_path, "--qf", 80, "--qf", 90)
    assert done.returncode == 1
    assert scored(tmp_path) == {"0", "4", "5"}
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [line.split()[1] for line in errors] == [
        str(path) for path in (dark / "1.png", normal / "2.png", dark / "3.png")
    ]
    assert "64x48 and 64x40 pixels, expected one size" in errors[2]
    assert done.stderr.splitlines()[-1] == "3 of 6 images could not be scored"
    assert "(3 images, " in done.stderr


def test_a_method_that_fails_on_one_image_ends_no_other(tmp_path, monkeypatch):
    write_pairs(tmp_path)
    original = folders.score.score

    def failing(job):
        if job.case.image == "2":
            raise MemoryError("no room")
        return original(job)

    monkeypatch.setattr(folders.score, "score", failing)
    done = score(tmp_path)
    assert done.returncode == 1
    assert scored(tmp_path) == {"1", "3"}
    assert "2.png cannot be scored with gamma (MemoryError: no room)" in done.stderr


def test_what_was_scored_before_a_process_died_is_written(tmp_path, monkeypatch):
    write_pairs(tmp_path)

    def ending(work, items, *_):
        yield work(items[0])
        raise InputError("One of 2 processes was ended by the system: work with fewer processes.")

    monkeypatch.setattr(folders.parallel, "map_parallel", ending)
    done = score(tmp_path)
    assert done.returncode == 1
    assert scored(tmp_path) == {"1"}
    assert "2.png was not scored: One of 2 processes was ended by the system" in done.stderr
    assert done.stderr.splitlines()[-1] == "2 of 3 images could not be scored"


def test_where_no_image_can_be_scored_no_file_is_written(tmp_path):
    dark, _ = write_pairs(tmp_path, ["1"])
    (dark / "1.png").write_bytes(b"")
    done = score(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert not (tmp_path / "scores.csv").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--qf", 80, "--qf", 80), "--qf names 80 more than once"),
        (("-o", "{}"), "is a folder, expected the name of a file"),
        (("-o", "{}/dark/1.png/scores.csv"), "which is a file, not a folder"),
    ],
)
def test_wrong_options_are_refused_before_the_work(tmp_path, monkeypatch, options, words):
    write_pairs(tmp_path)
    monkeypatch.setattr(folders, "score_pairs", None)  # nobody comes as far
    fails(score(tmp_path, *(str(word).format(tmp_path) for word in options)), words)


def test_a_full_disk_is_told_before_the_work(tmp_path, monkeypatch):
    write_pairs(tmp_path)
    monkeypatch.setattr(folders, "score_pairs", None)
    monkeypatch.setattr(files, "_probe", full_disk)
    fails(score(tmp_path), "scores.csv cannot be written (No space left on device)")


def full_disk(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_file_name_that_is_no_utf8_is_scored_and_written(tmp_path):
    write_pairs(tmp_path, ["1", "2"])
    for side in ("dark", "normal"):
        path = tmp_path / side / "1.png"
        path.rename(path.with_name(os.fsdecode(b"caf\xe9\n.png")))
    done = score(tmp_path, "--qf", 80)
    assert done.returncode == 0, done.stderr
    assert scored(tmp_path) == {r"caf\xe9\n", "2"}


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_folder_whose_name_is_no_utf8_is_scored_and_written(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    write_pairs(folder, ["1"])
    folder.joinpath("dark").rename(folder / os.fsdecode(b"d\xe9"))
    done = call(
        *("score", "--chain", "gamma", "--dark", folder / os.fsdecode(b"d\xe9")),
        *("--normal", folder / "normal", "-o", folder / "scores.csv", "--jobs", 1),
    )
    assert done.returncode == 0, done.stderr
    assert set(pd.read_csv(folder / "scores.csv")["dataset"]) == {r"d\xe9"}
    assert r"caf\xe9/scores.csv (1 images" in done.stderr


def test_a_mean_without_infinite_values_prints_how_many_are_behind_it(tmp_path):
    dark, normal = write_pairs(tmp_path)
    for side in (dark, normal):
        images.write(side / "2.png", np.zeros((48, 64, 3), np.uint8))
    done = score(tmp_path)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["qf", "track", "protocol", "metric", "n", "infinite", "value"]
    [psnr] = [line for line in lines if line[2:4] == ["sound", "psnr"]]
    assert psnr[4:6] == ["2", "1"]
    written = pd.read_csv(tmp_path / "scores.csv")
    values = written.query("protocol == 'sound' and metric == 'psnr'")["value"]
    assert float(psnr[6]) == pytest.approx(values[np.isfinite(values)].mean(), abs=1e-4)
    [ssim] = [line for line in lines if line[2:4] == ["sound", "ssim"]]
    assert ssim[4:6] == ["3", "0"]


def test_images_of_one_name_are_refused(tmp_path):
    write_pairs(tmp_path)
    images.write(tmp_path / "dark" / "1.bmp", photograph(48, 64, 1))
    with pytest.raises(InputError, match=r"holds both 1\.bmp and 1\.png"):
        folders.paired(*folders_of(tmp_path))
