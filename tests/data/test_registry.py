"""The registry of raw sets: finding, reading, status."""

import os
import re
from pathlib import Path

import pytest

from benchmark.core import locations
from benchmark.core.errors import InputError
from benchmark.data import registry


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


EVERY_SET = (
    *("LOL/our485/low/2.png", "LOL/our485/high/2.png"),
    *("LOL/eval15/low/1.png", "LOL/eval15/high/1.png"),
    *("LSRW/Training data/Nikon/low/1.jpg", "LSRW/Training data/Nikon/high/1.jpg"),
    *(f"SICE/Dataset_Part1/4/{n}.JPG" for n in range(1, 8)),
    *("SICE/Dataset_Part1/Label/4.JPG", "SICE/Dataset_Part2/Label/1.JPG"),
    *(f"SICE/Dataset_Part2/1/{n}.JPG" for n in range(1, 10)),
    *("RELLISUR/Test/LLLR/00002-3.0.png", "RELLISUR/Test/NLHR/X1/00002.png"),
    *("LabelMe/Images/a/1.jpg", "A7m3/low/1.png", "A7m3/normal/1.png"),
    *("DARK FACE/image/1.png", "DARK FACE/label/1.txt"),
    "WIDER FACE/WIDER_val/images/0--Parade/1.jpg",
    "WIDER FACE/wider_face_split/wider_face_val_bbx_gt.txt",
    *("wider416/images/1.jpg", "wider416/label/1.txt"),
)


def test_every_set_is_registered_under_its_own_name():
    assert {name: raw.name for name, raw in registry.SETS.items()} == {
        name: name
        for name in (
            *("LOL", "LSRW", "SICE", "SICE58", "RELLISUR", "LabelMe", "A7m3", "DARKFACE"),
            *("WIDER", "WIDER416"),
        )
    }


def test_the_two_splits_of_sice_go_by_the_names_of_their_protocols():
    assert registry.SETS["SICE"].protocol == "zero_dce_part2"
    assert registry.SETS["SICE58"].protocol == "sice58"


def test_published_counts_add_up_to_tables_one_and_two_of_the_paper():
    """Table I: 485 + 5600 + 531 + 3605 + 610; RELLISUR publishes 5 more than the paper used."""
    trained = ("LOL", "LSRW", "SICE58", "RELLISUR", "A7m3")
    assert sum(registry.SETS[name].expected["train"] for name in trained) == 10831 + 5


def test_every_reader_yields_pairs_of_its_own_set_in_published_splits(tmp_path):
    put(tmp_path, *EVERY_SET)
    for name, raw in registry.SETS.items():
        pairs = registry.read(name, [tmp_path])
        assert pairs
        assert {pair.dataset for pair in pairs} == {name}
        assert {pair.split for pair in pairs} <= set(raw.expected)


def test_find_takes_the_first_root_that_holds_the_set(tmp_path):
    put(tmp_path / "second", "LOL/our485/low/1.png")
    put(tmp_path / "third", "LOL/our485/low/1.png")
    roots = [tmp_path / name for name in ("absent", "second", "third")]
    assert registry.find("LOL", roots) == tmp_path / "second" / "LOL"


@pytest.mark.parametrize("folder", ["A7m3", "own_camera", "Own_Camera", "own camera"])
def test_pairs_of_ones_own_camera_lie_under_either_name(tmp_path, folder):
    put(tmp_path, f"{folder}/low/1.JPG", f"{folder}/normal/1.png")
    assert len(registry.read("A7m3", [tmp_path])) == 1


@pytest.mark.parametrize("folder", ["DARK FACE", "DARKFACE", "DarkFace", "DARK_FACE"])
def test_find_knows_the_spellings_of_dark_face(tmp_path, folder):
    put(tmp_path, f"{folder}/image/1.png")
    assert registry.find("DARKFACE", [tmp_path]) == tmp_path / folder


def test_find_returns_none_for_an_absent_set(tmp_path):
    assert registry.find("LOL", [tmp_path]) is None


def test_an_unknown_set_is_refused_with_the_known_names(tmp_path):
    with pytest.raises(InputError, match=r"one of LOL, LSRW, .* but got 'lol2'"):
        registry.find("lol2", [tmp_path])


def test_reading_an_absent_set_tells_where_it_was_sought_and_where_to_get_it(tmp_path):
    with pytest.raises(InputError, match=rf"'RELLISUR' in {tmp_path}.*zenodo"):
        registry.read("RELLISUR", [tmp_path])


def test_a_set_is_read_through_a_link_to_its_folder(tmp_path):
    put(tmp_path / "disk", "LOL/our485/low/1.png", "LOL/our485/high/1.png")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "LOL").symlink_to(tmp_path / "disk" / "LOL")
    assert len(registry.read("LOL", [tmp_path / "raw"])) == 1


def test_a_profile_that_names_its_raw_folder_searches_no_other(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    assert registry.raw_roots(tmp_path / "mine") == [tmp_path / "mine"]


def test_the_environment_is_searched_before_the_repository(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path))
    first, second = registry.raw_roots(None)
    assert first == tmp_path
    assert second.parts[-2:] == ("data", "raw")


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_only_the_repository_is_searched(monkeypatch, value):
    monkeypatch.delenv(locations.VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(locations.VARIABLE, value)
    assert len(registry.raw_roots(None)) == 1


def test_a_variable_that_names_no_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"MLSM_BENCH_DATA is .*gone"):
        registry.raw_roots(None)


def test_the_real_lol_test_set_has_its_15_pairs():
    if not os.environ.get(locations.VARIABLE):
        pytest.skip(f"{locations.VARIABLE} is not set")
    if registry.find("LOL", registry.raw_roots(None)) is None:
        pytest.skip(f"{locations.VARIABLE} holds no LOL")
    pairs = registry.read("LOL", registry.raw_roots(None))
    numbers = [int(pair.name) for pair in pairs if pair.split == "test"]
    assert numbers == [1, 22, 23, 55, 79, 111, 146, 179, 493, 547, 665, 669, 748, 778, 780]


def put_folders(root: Path, layout: tuple[str, ...]) -> None:
    put(root, *(f"{folder}/1.png" for folder in layout))


PUBLISHED = ("our485/low", "our485/high", "eval15/low", "eval15/high")
RETINEXFORMER = ("Train/input", "Train/target", "Test/input", "Test/target")


@pytest.mark.parametrize("layout", [PUBLISHED, RETINEXFORMER])
@pytest.mark.parametrize(
    "folder", ["LOL", "LOLdataset", "lol_dataset", "LOL-dataset", "LOLv1", "LOL_v1", "lol"]
)
def test_lol_is_read_under_the_names_and_layouts_that_people_have(tmp_path, folder, layout):
    put_folders(tmp_path / folder, layout)
    found = [(p.split, p.name, p.dark.parent.name) for p in registry.read("LOL", [tmp_path])]
    side = layout[0].rpartition("/")[2]
    assert found == [("train", "1", side), ("test", "1", side)]


@pytest.mark.parametrize("layout", [PUBLISHED, RETINEXFORMER])
@pytest.mark.parametrize("folder", ["LOL", "LOLdataset", "LOLv1"])
def test_the_variable_may_name_the_set_itself(tmp_path, monkeypatch, folder, layout):
    put_folders(tmp_path / folder, layout)
    monkeypatch.setenv(locations.VARIABLE, str(tmp_path / folder))
    roots = registry.raw_roots(None)
    assert registry.find("LOL", roots) == tmp_path / folder
    assert len(registry.read("LOL", roots)) == 2
    assert registry.find("LSRW", roots[:1]) is None


@pytest.mark.parametrize(
    ("path", "layout", "name", "mark"),
    [
        ("night", PUBLISHED, "LOL", "our485/low"),
        ("night/pairs", RETINEXFORMER, "LOL", "Train/input"),
        (".", PUBLISHED, "LOL", "our485/low"),
        ("sice_all", ("Dataset_Part1/Label", "Dataset_Part1/1"), "SICE", "Dataset_Part1/Label"),
        ("r", ("Train/LLLR", "Train/NLHR/X1"), "RELLISUR", "Train/LLLR"),
        ("w", ("WIDER_val/images/0--Parade",), "WIDER", "WIDER_val/images"),
    ],
)
def test_a_folder_under_another_name_is_told_with_what_to_rename(
    tmp_path, path, layout, name, mark
):
    put_folders(tmp_path / path, layout)
    assert registry.find(name, [tmp_path]) is None
    wanted = registry.SETS[name].folder
    told = (
        f"{tmp_path / path} holds {mark} as {name} does: rename that folder to {wanted!r}, and "
        "have MLSM_BENCH_DATA name the folder above it"
    )
    assert registry.hint(name, [tmp_path]) == told
    with pytest.raises(InputError, match=re.escape(told)):
        registry.located(name, [tmp_path])


def test_without_a_trace_there_is_no_hint(tmp_path):
    put_folders(tmp_path / "LOL-v2", ("Real_captured/Train/Low", "Real_captured/Train/Normal"))
    assert all(registry.hint(name, [tmp_path, tmp_path / "no"]) == "" for name in registry.SETS)
