"""Which raw sets are here: a line a set."""

from pathlib import Path

from benchmark.data import availability, registry


def put(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


def whole_lol(root: Path) -> Path:
    for kind in ("low", "high"):
        put(root, *(f"LOL/our485/{kind}/{n}.png" for n in range(485)))
        put(root, *(f"LOL/eval15/{kind}/{n}.png" for n in range(15)))
    return root


def test_status_counts_pairs_and_images_against_what_is_published(tmp_path):
    put(tmp_path, "LOL/our485/low/1.png", "LOL/our485/high/1.png")
    (record,) = availability.status([tmp_path], ["LOL"])
    assert record["found"] == str(tmp_path / "LOL")
    assert record["state"] == "in part"
    assert record["pairs"] == {
        "train": {"found": 1, "published": 485},
        "test": {"found": 0, "published": 15},
    }
    assert record["images"] == {"found": 2, "published": 1000}


def test_status_of_a_complete_set_says_so(tmp_path):
    (record,) = availability.status([whole_lol(tmp_path)], ["LOL"])
    assert record["state"] == "complete"


def test_status_lists_absent_sets_with_the_way_to_get_them(tmp_path):
    records = {record["set"]: record for record in availability.status([tmp_path])}
    assert list(records) == list(registry.SETS)
    sice = records["SICE"]
    assert (sice["found"], sice["state"], sice["problems"]) == ("", "absent", [])
    assert sice["needed_for"] == ["I", "III", "IV", "V", "VI"]
    assert "csjcai/SICE" in sice["how_to_get"]


def test_status_tells_what_is_wrong_with_a_set_and_counts_the_rest(tmp_path):
    put(tmp_path, *(f"LOL/our485/low/{n}.png" for n in (1, 2, 3)), "LOL/our485/high/1.png")
    put(tmp_path, "LSRW/readme.txt", "LabelMe/1.jpg")
    lol, lsrw, labelme = availability.status([tmp_path], ["LOL", "LSRW", "LabelMe"])
    assert lol["state"] == lsrw["state"] == "problems"
    assert lol["pairs"]["train"]["found"] == 1
    assert len(lol["problems"]) == 2
    assert "holds none of LSRW" in lsrw["problems"][0]
    assert lsrw["problems"][0].endswith("Eval/Nikon/low, but has readme.txt")
    assert labelme["state"] == "in part"


def test_a_table_has_one_line_a_set_and_problems_below(tmp_path):
    put(whole_lol(tmp_path), "A7m3/low/1.png")
    lines = availability.lines(availability.status([tmp_path]))
    assert len(lines) == 1 + len(registry.SETS) + 1
    (lol,) = (line for line in lines if line.startswith("LOL "))
    for cell in ("complete", "train 485/485, test 15/15", "1000/1000", "none stated"):
        assert cell in lol
    assert lol.endswith(str(tmp_path / "LOL"))
    (lsrw,) = (line for line in lines if line.startswith("LSRW "))
    assert lsrw.endswith("from https://github.com/JianghaiSCU/R2RNet")
    assert lines[-1].startswith("A7m3: ")


def test_columns_stand_one_below_the_other(tmp_path):
    lines = availability.lines(availability.status([tmp_path]))
    column = lines[0].index("licence")
    assert all(line[column - 2 : column] == "  " for line in lines)


def test_status_says_what_it_saw_under_another_name_and_what_to_rename(tmp_path):
    put(tmp_path, "night/our485/low/1.png", "night/our485/high/1.png")
    (record,) = availability.status([tmp_path], ["LOL"])
    assert (record["state"], record["problems"]) == ("absent", [])
    assert record["hint"].startswith(f"{tmp_path / 'night'} holds our485/low as LOL does: rename")
    assert availability.lines([record])[-1] == f"LOL: {record['hint']}"
