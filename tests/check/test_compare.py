import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.check import compare
from benchmark.check.compare import Tolerance
from benchmark.core.errors import InputError

KEYS = ["method", "order", "dataset", "qf", "metric", "protocol", "track"]
REASON = "made up for a test"
ALLOWED = [
    Tolerance(track="*", metrics=["images"], tolerance=0.0, reason=REASON),
    Tolerance(track="classical", metrics=["PSNR"], tolerance=0.001, reason=REASON),
    Tolerance(track="retrained", metrics=["PSNR", "mAP@*"], tolerance=0.5, reason=REASON),
]


def cells() -> pd.DataFrame:
    made = [
        ("LIME", "enhance", "LOL", 90, "PSNR", "sound", "classical", 15, 17.38),
        ("LIME", "enhance", "LOL", None, "PSNR", "sound", "classical", 15, 17.5),
        ("MLSM", "joint", "LOL", 90, "PSNR", "sound", "retrained", 15, 19.16),
    ]
    frame = pd.DataFrame(made, columns=[*KEYS, "n", "value"]).astype({"qf": "Int64"})
    empty = dict.fromkeys(["ci_low", "ci_high", "reported", "difference"], np.nan)
    return frame.assign(**empty)


def folder(path: Path, table: pd.DataFrame, name: str = "table_3") -> Path:
    (path / "tables").mkdir(parents=True, exist_ok=True)
    table.to_csv(path / "tables" / f"{name}.csv", index=False)
    return path


def compared(tmp_path: Path, ours: pd.DataFrame) -> pd.DataFrame:
    reference = folder(tmp_path / "committed", cells())
    found = compare.compare(folder(tmp_path / "ours", ours), reference, ALLOWED)
    assert list(found.columns) == compare.COLUMNS
    return found


def wrong(found: pd.DataFrame) -> list[tuple[str, str, str]]:
    moved = found[found["verdict"] != "ok"]
    return list(moved[["method", "metric", "verdict"]].itertuples(index=False, name=None))


def test_equal_tables_agree_in_every_value_and_every_number_of_images(tmp_path):
    found = compared(tmp_path, cells())
    assert len(found) == 2 * len(cells())
    assert set(found["verdict"]) == {"ok"}
    assert set(found["difference"]) == {0.0}


def test_a_value_that_moved_further_than_tolerated_is_told_with_its_difference(tmp_path):
    ours = cells()
    ours.loc[0, "value"] += 0.01
    found = compared(tmp_path, ours)
    assert wrong(found) == [("LIME", "PSNR", "moved")]
    cell = found[found["verdict"] == "moved"].iloc[0]
    assert (cell["table"], cell["qf"], cell["tolerance"]) == ("table_3", "90", 0.001)
    assert (cell["ours"], cell["committed"]) == (17.39, 17.38)
    assert cell["difference"] == pytest.approx(0.01)


def test_tolerance_depends_on_the_track(tmp_path):
    ours = cells()
    ours.loc[[0, 2], "value"] += 0.3
    assert wrong(compared(tmp_path, ours)) == [("LIME", "PSNR", "moved")]


def test_a_tolerance_may_be_one_of_some_methods_and_the_first_that_fits_counts():
    wide = Tolerance(track="*", metrics=["PSNR"], methods=["*GAN*"], tolerance=2.0, reason=REASON)
    listed = [wide, *ALLOWED]
    assert compare.tolerance_of("retrained", "PSNR", "EDSR+EnlightenGAN", listed).tolerance == 2.0
    assert compare.tolerance_of("retrained", "PSNR", "EDSR", listed).tolerance == 0.5


def test_a_row_that_is_gone_is_missing(tmp_path):
    found = compared(tmp_path, cells().drop(index=2))
    assert wrong(found) == [("MLSM", "PSNR", "missing"), ("MLSM", "images of PSNR", "missing")]
    assert found[found["verdict"] == "missing"]["ours"].isna().all()


def test_a_table_that_is_gone_is_missing(tmp_path):
    reference = folder(folder(tmp_path / "committed", cells()), cells(), "table_4")
    found = compare.compare(folder(tmp_path / "ours", cells()), reference, ALLOWED)
    assert set(found[found["table"] == "table_4"]["verdict"]) == {"missing"}


def test_a_row_that_is_not_committed_is_new(tmp_path):
    ours = pd.concat([cells(), cells().iloc[[0]].assign(method="Gamma")])
    assert wrong(compared(tmp_path, ours)) == [
        ("Gamma", "PSNR", "new"),
        ("Gamma", "images of PSNR", "new"),
    ]


def test_another_number_of_images_is_a_regression_however_near_the_mean(tmp_path):
    ours = cells()
    ours.loc[0, "n"] = 14
    assert wrong(compared(tmp_path, ours)) == [("LIME", "images of PSNR", "moved")]


def test_an_infinite_value_agrees_with_itself_and_with_nothing_else(tmp_path):
    infinite = cells()
    infinite.loc[0, "value"] = np.inf
    reference = folder(tmp_path / "committed", infinite)
    same = compare.compare(folder(tmp_path / "same", infinite), reference, ALLOWED)
    assert wrong(same) == []
    finite = compare.compare(folder(tmp_path / "finite", cells()), reference, ALLOWED)
    assert wrong(finite) == [("LIME", "PSNR", "moved")]


def test_counts_of_training_images_are_compared_without_tolerance(tmp_path):
    table = pd.DataFrame({"dataset": ["LOL", "LSRW"], "images": [485, None], "paper": [485, 5600]})
    reference = folder(tmp_path / "committed", table.astype({"images": "Int64"}), "table_1")
    more = table.assign(images=[486, None]).astype({"images": "Int64"})
    found = compare.compare(folder(tmp_path / "ours", more, "table_1"), reference, ALLOWED)
    assert found[["dataset", "ours", "committed", "verdict"]].to_numpy().tolist() == [
        ["LOL", 486.0, 485.0, "moved"]
    ]


def test_what_differs_by_machine_is_not_compared(tmp_path):
    reference = folder(tmp_path / "committed", cells())
    ours = folder(tmp_path / "ours", cells().assign(ci_low=1.0))
    (ours / "provenance.json").write_text("{}")
    assert wrong(compare.compare(ours, reference, ALLOWED)) == []


def test_a_metric_without_tolerance_is_refused(tmp_path):
    with pytest.raises(InputError, match="No tolerance names metric SSIM of track classical"):
        compared(tmp_path, cells().assign(metric="SSIM"))


def test_a_folder_without_tables_is_refused(tmp_path):
    with pytest.raises(InputError, match="There are no tables in"):
        compare.compare(tmp_path, tmp_path, ALLOWED)


def test_the_projects_tolerances_cover_every_metric_of_every_track_with_a_reason():
    listed = compare.tolerances()
    for track in ("classical", "retrained", "released"):
        for metric in ("PSNR", "SSIM", "PSNR-B", "SSIM-RGB", "BEF", "mAP@0.5", "images of PSNR"):
            assert compare.tolerance_of(track, metric, "a new method", listed).tolerance >= 0.0
    promised = {"classical": 0.002, "retrained": 0.02}  # dB, measured by perf/repeatability.py
    for track, limit in promised.items():
        assert compare.tolerance_of(track, "PSNR", "a new method", listed).tolerance == limit
    wide = [entry for entry in listed if "PSNR" in entry.metrics and entry.tolerance > 0.05]
    assert all(entry.methods != ["*"] and "Moved by" in entry.reason for entry in wide)
    assert all(entry.reason for entry in listed)


@pytest.mark.parametrize("text", ["- track: classical", "a: [", "- {track: '*', metrics: [PSNR]}"])
def test_a_broken_list_of_tolerances_is_refused(tmp_path, text):
    path = tmp_path / "tolerances.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="is not a list of tolerances"):
        compare.tolerances(path)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository with committed tables; returns its results folder."""
    results = folder(tmp_path / "results" / "demo", cells())
    folder(results, cells().iloc[:1], "table_4")
    (results / "tables" / "table_3.md").write_text("for reading")
    (results / "training").mkdir()
    (results / "training" / "unet.csv").write_text("step,rate,train/l1\n20,1,4.0\n")
    (results / "provenance.json").write_text('{"cpu": "AMD EPYC"}')
    for arguments in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    return results


def test_committed_tables_are_read_from_git_and_not_from_disk(repository, tmp_path):
    moved = cells()
    moved.loc[0, "value"] += 1.0
    folder(repository, moved)
    compare.copy_committed(repository, "HEAD", tmp_path / "copy")
    names = sorted(path.name for path in (tmp_path / "copy" / "tables").iterdir())
    assert names == ["table_3.csv", "table_4.csv"]
    assert (tmp_path / "copy" / "training" / "unet.csv").read_text().endswith("20,1,4.0\n")
    assert (tmp_path / "copy" / "provenance.json").read_text() == '{"cpu": "AMD EPYC"}'
    found = compare.compare(repository, tmp_path / "copy", compare.tolerances())
    assert wrong(found) == [("LIME", "PSNR", "moved")]


def test_a_profile_is_checked_against_a_revision_or_a_folder(repository, monkeypatch):
    from tests.helpers import synthetic_results as synthetic

    monkeypatch.setattr("benchmark.core.params.ROOT", repository.parents[1])
    params = synthetic.profile(profile="demo")
    assert wrong(compare.against(params, "HEAD")) == []
    assert wrong(compare.against(params, str(repository))) == []


@pytest.mark.parametrize("revision", ["no-such-branch", "--help", ""])
def test_what_is_no_revision_is_refused(repository, tmp_path, revision):
    with pytest.raises(InputError, match="is neither a folder nor a git revision"):
        compare.copy_committed(repository, revision, tmp_path / "copy")


def test_a_revision_without_tables_of_the_profile_is_refused(repository, tmp_path):
    other = repository.parent / "lol"
    other.mkdir()
    with pytest.raises(InputError, match="has no tables of lol"):
        compare.copy_committed(other, "HEAD", tmp_path / "copy")
