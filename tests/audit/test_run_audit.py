"""The audit, on clean miniatures and on copies with every fault planted."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import PIL.Image
import pytest

from benchmark.audit import findings, page, run
from benchmark.core import images
from benchmark.data import fingerprints, inventory, lists, split
from benchmark.demo import sets

SETS = ["LOL", "LSRW", "SICE", "RELLISUR", "A7m3"]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("raw")
    sets.write(root, seed=2403)
    return root


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def found(clean: Path, cache: Path) -> run.Audit:
    return run.audit_disk(SETS, [clean], (), cache, 1)


@pytest.fixture
def copy(clean: Path, tmp_path: Path) -> Path:
    """A copy of the miniatures to plant faults in; untouched files are remembered by content."""
    for name in SETS:
        shutil.copytree(clean / name, tmp_path / name)
    return tmp_path


def again(root: Path, cache: Path, *names: str, accepted: tuple[str, ...] = ()) -> run.Audit:
    return run.audit_disk(names, [root], accepted, cache, 1)


def of(found: run.Audit, kind: str) -> list[tuple[str, ...]]:
    rows = found.findings[found.findings["kind"] == kind]
    return [tuple(row) for row in rows[["dataset", "split", "name", "other"]].to_numpy()]


def test_clean_miniatures_have_no_faults_but_the_mispairs_and_movements_they_are_made_with(
    found, clean
):
    truth = json.loads((clean / "truth.json").read_text())["homographies"]
    assert set(found.findings["kind"]) == {"mispair", "misaligned"}
    mispaired = sum(moved == "mispaired" for moved in truth.values())
    assert mispaired == 3
    assert sorted(of(found, "mispair")) == [
        ("LSRW", "train", "Huawei/5", ""),
        ("LSRW", "train", "Nikon/5", ""),
        ("RELLISUR", "train", "00019-3.5", ""),
    ]
    assert {row[:2] for row in of(found, "misaligned")} == {
        ("LSRW", "train"),
        ("LSRW", "test"),
        ("RELLISUR", "train"),
    }


def test_every_miniature_is_counted_with_its_format(found):
    assert found.pairs.groupby("dataset")["pairs"].sum().to_dict()["LOL"] == 24
    lossy = found.formats[found.formats["format"] == "JPEG"]
    assert set(lossy["dataset"]) == {"LSRW", "SICE"}
    assert set(lossy["quality"]) == {95}


def test_planted_copies_of_test_images_are_leaks_wherever_they_lie(copy, cache):
    low, high = (copy / "LOL" / "our485" / side for side in ("low", "high"))
    test = copy / "LOL" / "eval15"
    shutil.copy(test / "high" / "22.png", high / "900.png")
    shutil.copy(test / "low" / "22.png", low / "900.png")
    brighter = images.read(test / "high" / "111.png") ** 0.7  # the view again, in another set
    images.write(copy / "A7m3" / "normal" / "X.png", brighter)
    images.write(copy / "A7m3" / "low" / "X.png", brighter / 16)
    planted = again(copy, cache, "LOL", "A7m3")
    assert of(planted, "leak") == [
        ("LOL", "train", "900", "LOL/test/22"),
        ("A7m3", "train", "X", "LOL/test/111"),
    ]
    assert len(planted.refused()) == 2
    assert len(again(copy, cache, "LOL", "A7m3", accepted=("LOL/900", "A7m3/X")).refused()) == 0


def test_planted_duplicates_are_found_within_and_across_sets(copy, cache):
    shutil.copy(copy / "LOL/our485/high/2.png", copy / "LOL/our485/high/901.png")
    dark = images.read(copy / "LOL/our485/low/2.png")
    images.write(copy / "LOL/our485/low/901.png", np.clip(dark * 1.5, 0, 1))
    shutil.copy(copy / "LOL/our485/low/6.png", copy / "A7m3/low/Y.png")
    with PIL.Image.open(copy / "LOL/our485/high/6.png") as file:
        file.save(copy / "A7m3/normal/Y.jpg", "JPEG", quality=60)
    planted = again(copy, cache, "LOL", "A7m3")
    assert of(planted, "same file") == [
        ("A7m3", "train", "Y", "LOL/train/6"),
        ("LOL", "train", "901", "LOL/train/2"),
    ]
    assert of(planted, "same view") == [("A7m3", "train", "Y", "LOL/train/6")]
    assert of(planted, "leak") == []


def test_a_reference_copied_for_every_exposure_of_a_scene_is_no_duplicate(copy, cache):
    folder = copy / "RELLISUR" / "Val"
    (folder / "NLHR-Duplicates" / "X1").mkdir(parents=True)
    for dark in (folder / "LLLR").iterdir():
        shutil.copy(folder / "NLHR/X1/00725.png", folder / "NLHR-Duplicates/X1" / dark.name)
    shutil.rmtree(folder / "NLHR")
    assert of(again(copy, cache, "RELLISUR"), "same file") == []


def test_swapped_partners_are_found_with_the_pair_each_belongs_to(copy, cache):
    high = copy / "LOL" / "our485" / "high"
    (high / "2.png").rename(high / "t.png")
    (high / "6.png").rename(high / "2.png")
    (high / "t.png").rename(high / "6.png")
    planted = again(copy, cache, "LOL")
    assert of(planted, "mispair") == [
        ("LOL", "train", "2", "LOL/train/6"),
        ("LOL", "train", "6", "LOL/train/2"),
    ]
    assert of(planted, "misaligned") == []


def test_sides_formats_sizes_and_shifts_are_told(copy, cache):
    folder = copy / "LOL" / "our485"
    (folder / "low" / "2.png").rename(copy / "t.png")
    (folder / "high" / "2.png").rename(folder / "low" / "2.png")
    (copy / "t.png").rename(folder / "high" / "2.png")
    buffer = io.BytesIO()
    with PIL.Image.open(folder / "high" / "6.png") as file:
        file.save(buffer, "JPEG", quality=80)
    (folder / "high" / "6.png").write_bytes(buffer.getvalue())
    for side in ("low", "high"):
        path = folder / side / "12.png"
        images.write(path, images.read_uint8(path)[:-4, :-4])
    path = folder / "high" / "14.png"
    images.write(path, np.roll(images.read_uint8(path), 2, axis=1))
    planted = again(copy, cache, "LOL")
    assert of(planted, "sides") == [("LOL", "train", "2", "")]
    assert of(planted, "name") == [("LOL", "train", "6", "")]
    assert set(of(planted, "size")) == {("LOL", "train", "12", "")}
    assert of(planted, "misaligned") == [("LOL", "train", "14", "")]
    assert set(planted.findings["kind"]) == {"sides", "name", "size", "misaligned"}


def test_the_page_tells_the_findings_and_no_path_of_this_machine(copy, cache):
    shutil.copy(copy / "LOL/eval15/high/22.png", copy / "LOL/our485/high/2.png")
    planted = again(copy, cache, "LOL", "LSRW")
    text = page.page("copies", planted, {}, {}, {"LOL": (3, 2)})
    assert "| LOL/22 | LOL/2 | the same file | 1.0000 |" in text
    assert "1 of these 1 leaks are not accepted" in text
    assert "| LSRW train Huawei/5 |" in text
    assert "Of the 3 images of LOL held back for validation, 2 show a view" in text
    assert "| LSRW | dark | JPEG | 95 | 4:2:0 | 16 |" in text
    assert str(copy) not in text
    accepted = again(copy, cache, "LOL", accepted=("LOL/2",))
    assert "Accepted: LOL/2 (why)" in page.page("", accepted, {"LOL/2": "why"}, {}, {})


def test_the_page_counts_what_registration_did(found):
    rows = [
        ("ok", "raw/LSRW/a.jpg", ""),
        ("ok", "work/b.png", ""),
        ("rejected", "raw/c.jpg", "x: 1"),
    ]
    listed = pd.DataFrame(rows, columns=["status", "dark", "reason"])
    assert "| LSRW | yes | 3 | 1 | 1 | 1 | x (1) |" in page.page(
        "", found, {}, {"LSRW": listed}, {}
    )


def test_records_of_an_audit_are_plain_values(found):
    records = json.loads(json.dumps(found.records()))
    assert list(records["findings"][0]) == findings.COLUMNS
    assert {"pairs", "formats", "sizes", "alignment"} <= records.keys()


def test_an_audit_of_nothing_finds_nothing(tmp_path):
    empty = run.audit({}, lists.PathResolver((), tmp_path))
    assert empty.findings.empty
    assert "None of the raw sets" in page.page("", empty, {}, {}, {})


def test_held_back_images_that_share_a_view_with_training_images_are_counted(copy, cache):
    shutil.copy(copy / "LOL/our485/high/2.png", copy / "LOL/our485/high/6.png")
    listed = inventory.take(["LOL"], [copy], cache, 1).manifests["LOL"]
    listed = listed[listed["split"] == "train"]
    known = fingerprints.of_manifest(listed, ["normal"], (copy / "LOL").joinpath, cache)
    assert split.shared_views(listed, known, {"LOL/2", "LOL/12"}) == {"LOL": (2, 1)}
    assert split.shared_views(listed, known, {"LOL/2", "LOL/6"}) == {"LOL": (2, 0)}
    for seed in range(5):
        held = split.choose_validation(listed, known, 0.2, seed, by_view=True)
        assert ("LOL/2" in held) == ("LOL/6" in held)


def test_a_bad_image_is_told_and_the_others_are_audited(copy, cache):
    low = copy / "LOL" / "our485" / "low"
    files = sorted(low.iterdir())
    files[0].write_bytes(files[0].read_bytes()[:100])
    (copy / "LOL" / "our485" / "high" / files[1].name).unlink()
    made = again(copy, cache, "LOL")
    assert [Path(problem.split()[0]).name for problem in made.problems] == [
        files[1].name,
        files[0].name,
    ]
    counts = made.pairs.set_index(["dataset", "split"])["pairs"].to_dict()
    assert counts["LOL", "train"] == len(files) - 2
    text = page.page("LOL", made, (), {}, {})
    assert "## Files that cannot be used\n\n2 problems; " in text
    assert f"- {files[0]} cannot be read as an image" in text
    assert made.records()["problems"] == list(made.problems)


def test_two_black_images_are_called_all_black(copy, cache):
    folder = copy / "LOL" / "our485"
    for side in ("low", "high"):
        pixels = images.read_uint8(folder / side / "2.png")
        images.write(folder / side / "2.png", np.zeros_like(pixels))
    made = again(copy, cache, "LOL")
    [row] = made.findings[made.findings["kind"] == "black"].to_dict("records")
    assert (row["name"], row["detail"]) == ("2", "all black")
    assert of(made, "sides") == []
