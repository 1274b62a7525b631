"""The command line as its users type it: results, messages, exit status."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmark.cli import main
from benchmark.core import images, locations
from tests.helpers.commands import call, fails
from tests.helpers.pictures import photograph


def test_list_names_every_method_with_its_role():
    done = call("list", "--json")
    found = {row["name"]: row for row in json.loads(done.stdout)}
    assert {"identity", "gamma", "lime", "zero_dce", "edsr", "mlsm"} <= found.keys()
    assert found["edsr"]["role"] == "deblocker"
    assert found["lime"]["weights"] == "classical"


def test_list_names_a_broken_released_file_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    path = tmp_path / "weights" / "zero_dce" / "Epoch99.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"<html>")
    done = call("list", "--json")
    assert done.returncode == 0
    found = {row["name"]: row["weights"] for row in json.loads(done.stdout)}
    assert found["zero_dce"] == "retrained, released: broken"
    assert found["sci"] == "retrained"
    assert found["gamma"] == "classical"
    assert done.stderr.startswith(f"warning: {path} has 6 bytes and SHA-256")


def test_data_status_tells_every_set_of_a_profile():
    done = call("data", "status", "--profile", "lol", "--json")
    assert [row["set"] for row in json.loads(done.stdout)] == ["LOL", "LSRW", "SICE58"]


def test_data_status_is_readable_without_any_set(tmp_path):
    done = call("data", "status")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 10  # heads, and a line a set
    assert lines[0].split()[0] == "set"
    assert "licence" in lines[0]
    assert lines[-1].startswith("WIDER416")


def test_data_audit_of_nothing_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    monkeypatch.setattr(main, "ROOT", tmp_path)  # where the cache lies
    done = call("data", "audit", "--profile", "lol")
    assert done.returncode == 0, done.stderr
    assert "None of the raw sets is on this machine" in done.stdout


def test_data_audit_fails_where_a_training_image_is_a_test_image(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    monkeypatch.setattr(main, "ROOT", tmp_path)  # where the cache lies
    for folder, number in (("our485", 3), ("our485", 5), ("eval15", 3)):
        normal = photograph(48, 64, number)
        images.write(tmp_path / "LOL" / folder / "high" / f"{number}.png", normal)
        dark = (normal // 6).astype(np.uint8)
        images.write(tmp_path / "LOL" / folder / "low" / f"{number}.png", dark)
    output = tmp_path / "page.md"
    done = call("data", "audit", "--jobs", 1, "-o", output)
    assert done.returncode == 1
    assert "LOL/3 | LOL/3 | the same file" in output.read_text()
    done = call("data", "audit", "--jobs", 1, "--json")
    leaks = [row for row in json.loads(done.stdout)["findings"] if row["kind"] == "leak"]
    assert [(leak["name"], leak["other"]) for leak in leaks] == [("3", "LOL/test/3")]


def test_score_writes_every_number_and_says_so(pair_folders, tmp_path):
    dark, normal = pair_folders
    output = tmp_path / "numbers.csv"
    done = call(
        *("score", "--chain", "gamma", "--dark", dark, "--normal", normal),
        *("--qf", 80, "--qf", 60, "-o", output, "--jobs", 1),
    )
    assert done.returncode == 0, done.stderr
    assert f"wrote {output} (2 images" in done.stderr
    assert output.read_text().splitlines()[0].startswith("profile,dataset,image,qf,chain")
    assert "psnr" in done.stdout


def test_data_audit_names_and_counts_bad_images_and_audits_the_others(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    monkeypatch.setattr(main, "ROOT", tmp_path)  # where the cache lies
    for number in range(4):
        normal = photograph(48, 64, number)
        images.write(tmp_path / "LOL" / "our485" / "high" / f"{number}.png", normal)
        dark = (normal // 6).astype(np.uint8)
        images.write(tmp_path / "LOL" / "our485" / "low" / f"{number}.png", dark)
    broken = tmp_path / "LOL" / "our485" / "low" / "1.png"
    broken.write_bytes(b"")
    foreign = tmp_path / "LOL" / "our485" / "low" / "2.png"
    partner = tmp_path / "LOL" / "our485" / "high" / "2.png"
    for path in (foreign, partner):
        path.rename(path.with_name(os.fsdecode(b"caf\xe9.png")))
    output = tmp_path / "page.md"
    done = call("data", "audit", "--jobs", 1, "-o", output)
    assert done.returncode == 1
    told = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert told == [
        f"error: {broken} is empty (0 bytes)",
        rf"error: {tmp_path}/LOL/caf\xe9 has a name that no list can hold, rename it",
    ]
    assert "2 problems in the raw data: replace or mend these files" in done.stderr
    assert "2 of 485" in output.read_text()
    assert r"LOL/caf\xe9 has a name that no list can hold" in output.read_text()


@pytest.mark.parametrize("place", ["{}", "{}/LOL/page.md"])
def test_data_audit_checks_its_output_before_the_work(tmp_path, monkeypatch, place):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    (tmp_path / "LOL").write_bytes(b"")
    monkeypatch.setattr("benchmark.audit.run.audit_disk", None)  # nobody comes as far
    done = call("data", "audit", "-o", place.format(tmp_path))
    fails(done, "is a folder" if place == "{}" else "which is a file, not a folder")


def test_an_unknown_chain_is_refused_with_a_hint(pair_folders):
    dark, normal = pair_folders
    done = call("score", "--chain", "gama", "--dark", dark, "--normal", normal)
    fails(done, "'gama'", "did you mean 'gamma'")


def test_a_missing_folder_is_named(pair_folders, tmp_path):
    missing = tmp_path / "nowhere"
    done = call("score", "--chain", "gamma", "--dark", missing, "--normal", pair_folders[1])
    fails(done, str(missing), "is not a folder")


@pytest.mark.parametrize("option", ["--dark", "--normal", "--output", "--weights"])
def test_a_name_of_256_bytes_is_one_sentence(pair_folders, tmp_path, option):
    given = {"--dark": pair_folders[0], "--normal": pair_folders[1], "--output": tmp_path / "n.csv"}
    given[option] = "a" * 256
    words = [word for pair in given.items() for word in pair]
    fails(call("score", "--chain", "zero_dce", *words), "a" * 256, "File name too long")


@pytest.mark.parametrize("qf", [0, 101])
def test_a_quality_factor_out_of_range_is_refused(pair_folders, qf):
    dark, normal = pair_folders
    done = call("score", "--chain", "gamma", "--dark", dark, "--normal", normal, "--qf", qf)
    fails(done, "from 1 to 100", str(qf))


def test_weights_that_are_absent_say_how_to_get_them(pair_folders, tmp_path):
    done = call(
        *("enhance", pair_folders[0], "-o", tmp_path / "out"),
        *("--chain", "mlsm", "--weights", "no_such_profile"),
    )
    fails(done, "no trained weights", "dvc repro")


def test_an_unknown_profile_is_refused():
    fails(call("check", "--profile", "lowlight"), "known are demo, faces, lol, lol_disjoint, paper")


def test_wrong_usage_exits_with_2():
    assert call("enhance").returncode == 2


def test_help_needs_no_heavy_module():
    code = (
        "import sys; from benchmark.cli import main; "
        "print([m for m in ('torch', 'pandas', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (("check",), "--markdown"),
        (("check",), "--cells"),
        (("repeat",), "--cells"),
        (("export",), "-o"),
        (("audit",), "-o"),
        (("forensics",), "-o"),
        (("data", "audit"), "-o"),
        (("score", "--chain", "gamma", "--dark", "a", "--normal", "b"), "-o"),
    ],
)
def test_every_command_that_writes_checks_where_before_the_work(tmp_path, words, output):
    (tmp_path / "file").touch()
    started = time.monotonic()
    done = call(*words, output, tmp_path / "file" / "below" / "result")
    fails(done, f"lies below {tmp_path / 'file'}, which is a file, not a folder")
    assert time.monotonic() - started < 20  # seconds; libraries are loaded, nothing is computed


def test_two_results_of_one_command_need_two_names(tmp_path):
    path = tmp_path / "x"
    fails(call("check", "--markdown", path, "--cells", path), "would be written twice")


@pytest.mark.parametrize(("option", "value"), [("--iou", "0.5"), ("--protocol", "voc11")])
def test_an_option_of_detect_given_twice_is_refused(tmp_path, option, value):
    words = ("--labels", tmp_path, "--detections", tmp_path, option, value, option, value)
    fails(call("detect", "score", *words), f"Option {option} names {value} more than once")


ASCII_TERMINAL = {"PYTHONIOENCODING": "ascii"}
ASCII_SYSTEM = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


@pytest.mark.parametrize(
    ("settings", "told", "image"),
    [
        (ASCII_TERMINAL, rb"n\xe4chte/\xfc.csv (2 images", "夜"),
        (ASCII_SYSTEM, rb"n\xc3\xa4chte/\xc3\xbc.csv (2 images", r"\xe5\xa4\x9c"),
    ],
)
def test_names_that_a_terminal_or_system_cannot_encode_end_nothing(
    pair_folders, tmp_path, settings, told, image
):
    folder = tmp_path / "nächte"
    folder.mkdir()
    for path in pair_folders:
        path.rename(folder / path.name)
        (folder / path.name / "1.png").rename(folder / path.name / "夜.png")
    code = "from benchmark.cli.main import main; main()"
    words = ["score", "--chain", "gamma", "--dark", folder / "dark", "--normal", folder / "normal"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "-o", folder / "ü.csv", "--jobs", "1"],
        env=os.environ | settings,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    assert image in (folder / "ü.csv").read_text(encoding="utf-8")
