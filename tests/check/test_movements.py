"""Findings of a check are told by method, trainings are compared, and other machines are named."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.check import cells, compare, movements
from benchmark.check.compare import Tolerance
from tests.check.test_compare import ALLOWED, REASON, folder
from tests.check.test_compare import cells as table_cells

TRAINING = [
    Tolerance(track="retrained", metrics=["steps", "* steps"], tolerance=0.0, reason=REASON),
    Tolerance(track="retrained", metrics=["first *"], tolerance=1e-6, relative=1e-3, reason=REASON),
    Tolerance(track="retrained", metrics=["last *"], tolerance=1e-5, relative=0.02, reason=REASON),
    *ALLOWED,
]
LOG = "step,rate,train/l1,train/kl,validation_psnr\n20,1,4.0,0.5,\n40,0.5,2.0,,\n60,0,1.0,0.25,9\n"
MACHINE = {
    "cpu": "AMD EPYC",
    "cores": 2,
    "vectors": "AVX512",
    "system": "Linux x86_64",
    "python": "3.11.7",
    "libraries": {"numpy": "2.4.6", "torch": "2.14.1"},
    "jpeg": {"library": "libjpeg-turbo 3.2.0"},
}


def trained(path: Path, log: str = LOG, name: str = "unet") -> Path:
    folder(path, table_cells())
    (path / "training").mkdir(exist_ok=True)
    (path / "training" / f"{name}.csv").write_text(log)
    return path


def compared(tmp_path: Path, log: str) -> pd.DataFrame:
    reference = trained(tmp_path / "committed")
    return compare.compare(trained(tmp_path / "ours", log), reference, TRAINING)


def wrong(found: pd.DataFrame) -> list[tuple[str, str, str]]:
    far = found[found["verdict"] != "ok"]
    return list(far[["method", "metric", "verdict"]].itertuples(index=False, name=None))


def test_a_training_is_its_steps_and_every_term_of_its_loss_at_first_and_at_last(tmp_path):
    read = cells.read(trained(tmp_path))
    own = read[read["table"] == "training"]
    assert set(own["method"]) == {"unet"}
    assert set(own["track"]) == {"retrained"}
    assert dict(zip(own["metric"], own["number"], strict=True)) == {
        "steps": 60.0,
        "first rate": 1.0,
        "last rate": 0.0,
        "first train/l1": 4.0,
        "last train/l1": 1.0,
        "first train/kl": 0.5,
        "last train/kl": 0.25,
    }


def test_each_part_of_a_training_has_terms_of_its_own(tmp_path):
    log = "part,step,rate,train/l1,fit/l2\nnoise,20,1,4,\nnoise,40,1,3,\nmodel,20,1,2,7\n"
    read = cells.read(trained(tmp_path, log))
    own = read[read["table"] == "training"]
    assert dict(zip(own["metric"], own["number"], strict=True)) == {
        "noise steps": 40.0,
        "first noise rate": 1.0,
        "last noise rate": 1.0,
        "first noise train/l1": 4.0,
        "last noise train/l1": 3.0,
        "model steps": 20.0,
        "first model rate": 1.0,
        "last model rate": 1.0,
        "first model train/l1": 2.0,
        "last model train/l1": 2.0,
        "first model fit/l2": 7.0,
        "last model fit/l2": 7.0,
    }


def test_a_dropped_term_of_a_loss_is_missing_though_no_score_moved(tmp_path):
    log = "step,rate,train/l1,validation_psnr\n20,1,4.0,\n60,0,1.0,9\n"
    assert wrong(compared(tmp_path, log)) == [
        ("unet", "first train/kl", "missing"),
        ("unet", "last train/kl", "missing"),
    ]


def test_another_budget_and_a_term_that_moved_by_a_share_are_named(tmp_path):
    log = LOG.replace("20,1,4.0", "20,1,4.005").replace("60,0,1.0", "80,0,1.01")
    assert wrong(compared(tmp_path, log)) == [
        ("unet", "first train/l1", "moved"),
        ("unet", "steps", "moved"),
    ]


def test_a_relative_tolerance_is_a_share_of_the_committed_number():
    entry = Tolerance(
        track="*", metrics=["a"], tolerance=0.01, relative=0.1, reason="made up for a test"
    )
    assert entry.limit(-2.0) == pytest.approx(0.21)
    assert entry.limit(np.inf) == 0.01


def test_findings_are_grouped_by_method_with_the_cell_that_moved_furthest(tmp_path):
    reference = folder(tmp_path / "committed", table_cells())
    moved = table_cells()
    moved.loc[0, "value"] += 0.005
    moved.loc[1, "value"] -= 0.5
    moved = pd.concat([moved.drop(index=2), moved.iloc[[0]].assign(method="Gamma")])
    found = compare.compare(folder(tmp_path / "ours", moved), reference, ALLOWED)
    grouped = movements.groups(found)
    assert [(g.verdict, g.method, g.track, g.cells, g.total) for g in grouped] == [
        ("missing", "MLSM", "retrained", 2, 2),
        ("moved", "LIME", "classical", 2, 4),
        ("new", "Gamma", "classical", 2, 2),
    ]
    assert movements.lines(grouped) == [
        "missing  MLSM (retrained): 2 cells in table_3",
        "moved    LIME (classical): 2 of 4 cells, most PSNR 17 for 17.5 (-0.5, tolerance 0.001) "
        "in table_3, enhance, LOL, sound",
        "new      Gamma (classical): 2 cells in table_3",
    ]


def test_many_methods_that_moved_are_counted_rather_than_listed(tmp_path):
    many = [table_cells().iloc[[0]].assign(method=f"M{n}") for n in range(60)]
    reference = folder(tmp_path / "committed", pd.concat(many))
    far = [row.assign(value=row["value"] + 1 + n) for n, row in enumerate(many)]
    found = compare.compare(folder(tmp_path / "ours", pd.concat(far)), reference, ALLOWED)
    told = movements.lines(movements.groups(found))
    assert len(told) == movements.MOST_LINES + 1
    assert told[0].startswith("moved    M59 (classical): 1 of 2 cells, most PSNR 77.38 for 17.38")
    assert told[-1] == "moved    35 more methods: 35 cells"


def test_another_processor_and_other_libraries_are_named_with_what_moved(tmp_path):
    moved = table_cells()
    moved.loc[0, "value"] += 0.45
    reference = folder(tmp_path / "committed", table_cells())
    ours = folder(tmp_path / "ours", moved)
    found = compare.compare(ours, reference, ALLOWED)
    assert movements.machines(ours, reference, found) == ""
    intel = MACHINE | {"cpu": "Intel Xeon", "cores": 64, "libraries": {"torch": "2.13.0"}}
    (reference / "provenance.json").write_text(json.dumps(MACHINE))
    (ours / "provenance.json").write_text(json.dumps(intel))
    assert movements.machines(ours, reference, found) == (
        "Committed numbers are from AMD EPYC, numpy 2.4.6, torch 2.14.1; these are from "
        "Intel Xeon, numpy absent, torch 2.13.0: 1 of 6 cells moved further than is tolerated, "
        "PSNR by up to 0.45 dB."
    )
    (ours / "provenance.json").write_text(json.dumps(MACHINE | {"cores": 64, "commit": "x"}))
    assert movements.machines(ours, reference, found) == ""
