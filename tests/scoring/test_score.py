"""Compression and scoring: files written once, chains run as files on disk would."""

import numpy as np
import pandas as pd
import pytest

from benchmark.core import images, jpeg
from benchmark.core.cache import ResultCache
from benchmark.core.errors import InputError
from benchmark.data import compression, lists
from benchmark.methods import Chain
from benchmark.scoring import folders, metrics, score
from benchmark.scoring.jobs import Job, Work
from tests.helpers.pictures import photograph


def cases(pair_folders, tmp_path, qfs=(90, None)):
    return [
        case
        for pair in folders.paired(*pair_folders)
        for case in folders.cases(pair, qfs, "dark", tmp_path / "jpeg" / pair.name)
    ]


def jobs(found, chain="gamma"):
    return [Job(Chain.parse(chain), "classical", found[0].input.parent, case) for case in found]


def test_a_jpeg_is_what_the_encoder_makes_of_the_whole_image(pair_folders, tmp_path):
    case = cases(pair_folders, tmp_path)[0]
    pixels = images.read_uint8(pair_folders[0] / "1.png")
    assert case.input.read_bytes() == jpeg.encode(pixels, 90)


def test_the_uncompressed_input_is_the_file_itself(pair_folders, tmp_path):
    case = cases(pair_folders, tmp_path)[-1]
    assert (case.qf, case.input) == (None, pair_folders[0] / "2.png")


def test_a_row_is_the_metric_of_the_chains_output(pair_folders, tmp_path):
    found = cases(pair_folders, tmp_path)
    [rows] = score.rows("demo", [Work(jobs(found), ResultCache(None))])
    pixels = images.to_float(images.read_uint8(found[0].input))
    output = images.to_uint8(pixels ** np.float32(0.45))
    reference = images.read_uint8(found[0].reference)
    expected = metrics.METRICS["sound", "psnr"](output, reference)
    [row] = [r for r in rows if (r.image, r.qf, r.metric, r.protocol) == ("1", 90, "psnr", "sound")]
    assert row.value == pytest.approx(expected, abs=1e-9)


def value(rows, protocol, metric="psnr"):
    (found,) = [row.value for row in rows if (row.protocol, row.metric) == (protocol, metric)]
    return found


def test_protocol_sound_compares_with_the_registered_image_where_it_begins(pair_folders, tmp_path):
    case = cases(pair_folders, tmp_path)[0]
    registered = tmp_path / "registered.png"
    images.write(registered, images.read_uint8(case.reference)[5:45, 2:60] // 2)
    moved = case._replace(registered=registered, left=2, top=5)
    [rows] = score.rows("demo", [Work(jobs([moved]), ResultCache(None))])
    output = images.to_uint8(images.to_float(images.read_uint8(case.input)) ** np.float32(0.45))
    seen = output[8:45, 8:60], images.read_uint8(registered)[3:, 6:]  # from a whole block on
    for metric in ("psnr", "psnr_b"):
        expected = metrics.METRICS["sound", metric](*seen)
        assert value(rows, "sound", metric) == pytest.approx(expected, abs=1e-9)
    [plain] = score.rows("demo", [Work(jobs([case]), ResultCache(None))])
    assert value(rows, "paper") == value(plain, "paper")
    assert moved.key() != case.key()


def test_a_pair_that_registration_refused_has_no_row_of_protocol_sound(pair_folders, tmp_path):
    case = cases(pair_folders, tmp_path)[0]._replace(refused=True)
    [rows] = score.rows("demo", [Work(jobs([case]), ResultCache(None))])
    assert {row.protocol for row in rows} == {"paper"}


def test_rows_do_not_depend_on_the_number_of_processes(pair_folders, tmp_path):
    found = jobs(cases(pair_folders, tmp_path))
    one, two = (score.rows("demo", [Work(found, ResultCache(None))], count) for count in (1, 2))
    assert one == two


def test_a_pair_of_different_sizes_is_refused_with_both_sizes(pair_folders, tmp_path):
    images.write(pair_folders[1] / "1.png", photograph(40, 64, 1))
    with pytest.raises(InputError, match=r"64x48 and 64x40 pixels"):
        score.rows("demo", [Work(jobs(cases(pair_folders, tmp_path)), ResultCache(None))])


def test_a_changed_input_is_not_taken_from_the_journal(pair_folders, tmp_path):
    journal = ResultCache(tmp_path / "journal.jsonl")
    [before] = score.rows("demo", [Work(jobs(cases(pair_folders, tmp_path)), journal)])
    images.write(pair_folders[0] / "1.png", np.zeros((48, 64, 3), np.uint8))
    [after] = score.rows("demo", [Work(jobs(cases(pair_folders, tmp_path)), journal)])
    changed = {r.image for r, s in zip(before, after, strict=True) if r != s}
    assert changed == {"1"}


def test_images_without_a_partner_are_named(pair_folders, tmp_path):
    (pair_folders[1] / "2.png").unlink()
    with pytest.raises(InputError, match="differ in 1 image names, first '2'"):
        cases(pair_folders, tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no images"):
        folders.listed(tmp_path)


def test_a_list_of_cases_survives_the_disk(pair_folders, tmp_path):
    listed = pd.DataFrame(
        {"name": ["1"], "dark": ["work/dark/1.png"], "normal": ["work/normal/1.png"], "labels": ""}
    )
    places = lists.PathResolver((), tmp_path)
    path = tmp_path / "scores.csv"
    compression.cases({"LOL": listed}, [None, 80]).to_csv(path, index=False)
    read = compression.read_cases(path, tmp_path / "jpeg", places)
    assert [(case.qf, case.input.name) for case in read] == [
        (None, "1.png"),
        (80, "1.png.qf80.jpg"),
    ]
    assert {case.reference for case in read} == {tmp_path / "normal" / "1.png"}
    assert all(case.labels is None for case in read)


def test_a_list_of_cases_says_what_registration_made_of_each_pair(tmp_path):
    names = ["moved", "still", "refused"]
    listed = pd.DataFrame(
        {
            "name": names,
            "dark": [f"work/dark/{name}.png" for name in names],
            "normal": [f"work/normal/{name}.png" for name in names],
            "labels": "",
        }
    )
    (tmp_path / "prepared/LSRW").mkdir(parents=True)
    pd.DataFrame(
        {
            "name": names,
            "registered": ["work/prepared/LSRW/normal/moved.png", "", ""],
            "left": [3, 0, 0],
            "top": [4, 0, 0],
            "accepted": [True, True, False],
        }
    ).to_csv(tmp_path / "prepared/LSRW/registration.csv", index=False)
    known = compression.read_registrations(tmp_path / "prepared", ["LOL", "LSRW"])
    path = tmp_path / "scores.csv"
    compression.cases({"LSRW": listed, "LOL": listed}, [80], known).to_csv(path, index=False)
    read = compression.read_cases(path, tmp_path, lists.PathResolver((), tmp_path))
    moved, still, refused = read[:3]
    assert (moved.left, moved.top, moved.refused) == (3, 4, False)
    assert moved.registered == tmp_path / "prepared/LSRW/normal/moved.png"
    assert (still.registered, still.refused) == (None, False)
    assert (refused.registered, refused.refused) == (None, True)
    assert all(case.registered is None and not case.refused for case in read[3:])


def test_compression_keeps_files_that_are_there(pair_folders, tmp_path):
    places = lists.PathResolver((), tmp_path)
    to = tmp_path / "files"
    compression.compress(["work/dark/1.png"], [90, 60], places, to, 1)
    first = to / "work/dark/1.png.qf90.jpg"
    first.write_bytes(b"kept")
    compression.compress(["work/dark/1.png", "work/dark/2.png"], [90, 60], places, to, 1)
    assert first.read_bytes() == b"kept"
    assert len(list(to.rglob("*.jpg"))) == 4
