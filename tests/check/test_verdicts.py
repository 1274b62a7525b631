"""`mlsm-bench check`: planted regressions are found and named, new numbers accepted with care."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from benchmark.check import compare, verdicts
from benchmark.check.compare import Tolerance
from benchmark.cli import main
from benchmark.core.errors import InputError
from tests.check.test_compare import cells, folder
from tests.helpers import synthetic_results as synthetic

RUNNER = CliRunner()
AP = {"metric": "mAP@0.5", "dataset": "DARK FACE", "value": 0.5}


def git(root: Path, *arguments: str) -> str:
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    done = subprocess.run(
        ["git", *who, *arguments], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A repository with the committed results of a profile `demo`, tables and detection."""
    content = yaml.safe_load(synthetic.PROFILE) | {"profile": "demo"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "code.py").write_text("x = 1\n")
    folder(tmp_path / "results" / "demo", cells())
    folder(tmp_path / "results" / "demo", cells().iloc[[0]].assign(**AP), "table_7")
    (tmp_path / "results" / "demo" / "costs.csv").write_text("method,seconds\nLIME,1.0\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "x")
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    return tmp_path


def run(*options: str):
    return RUNNER.invoke(main.app, ["check", "--profile", "demo", *options])


def rewrite(root: Path, table: pd.DataFrame, name: str = "table_3") -> None:
    folder(root / "results" / "demo", table, name)


def test_a_clean_tree_passes(root):
    result = run()
    assert result.exit_code == 0
    assert "8 of 8 cells agree with HEAD" in result.stdout


@pytest.mark.parametrize(("place", "track"), [(0, "classical"), (2, "retrained")])
def test_a_value_moved_by_twice_its_tolerance_fails_and_is_named(root, place, track):
    moved = cells()
    method = moved.loc[place, "method"]
    limit = compare.tolerance_of(track, "PSNR", method, compare.tolerances()).tolerance
    moved.loc[place, "value"] += 2 * limit
    rewrite(root, moved)
    result = run()
    assert result.exit_code == 1
    assert method in result.stdout
    assert "moved" in result.stdout
    assert "7 of 8 cells agree" in result.stdout


def test_a_value_moved_by_half_its_tolerance_passes(root):
    moved = cells()
    entry = compare.tolerance_of("retrained", "PSNR", moved.loc[2, "method"], compare.tolerances())
    moved.loc[2, "value"] += 0.5 * entry.tolerance
    rewrite(root, moved)
    assert run().exit_code == 0


def test_a_row_that_was_removed_fails_and_is_named(root):
    rewrite(root, cells().drop(index=2))
    result = run()
    assert result.exit_code == 1
    assert "MLSM" in result.stdout
    assert "missing" in result.stdout


def test_a_row_that_was_added_fails_and_is_named(root):
    rewrite(root, pd.concat([cells(), cells().iloc[[0]].assign(method="Gamma")]))
    result = run()
    assert result.exit_code == 1
    assert "Gamma" in result.stdout
    assert "new" in result.stdout


def test_a_row_of_the_detection_table_is_compared_too(root):
    rewrite(root, cells().iloc[[0]].assign(**AP | {"value": 0.6}), "table_7")
    result = run()
    assert result.exit_code == 1
    assert "table_7" in result.stdout
    assert "mAP@0.5" in result.stdout


def test_costs_and_statistics_are_not_compared(root):
    results = root / "results" / "demo"
    (results / "costs.csv").write_text("method,seconds\nLIME,9.0\n")
    (results / "tables" / "statistics.csv").write_text("method,p\nLIME,0.5\n")
    assert run().exit_code == 0


def test_the_summary_names_findings_and_how_far_the_rest_moved(root):
    moved = cells()
    moved.loc[0, "value"] += 0.01
    moved.loc[2, "value"] += 0.008
    rewrite(root, moved)
    page = root / "out" / "summary.md"
    assert run("--markdown", str(page)).exit_code == 1
    text = page.read_text()
    assert "## Check of profile demo: failed" in text
    move = "PSNR 17.39 for 17.38 (+0.01, tolerance 0.002) in table_3, enhance, LOL, QF 90, sound"
    assert f"| moved | LIME | classical | 1 of 6 | table_3 | {move} |" in text
    of_limit = re.search(r"\| retrained \| PSNR \| 1 \| 1 \| (\d+)% \|", text)
    assert of_limit is not None
    assert 0 < int(of_limit[1]) < 100  # the tolerance is measured anew now and then


def test_the_summary_of_many_findings_stays_readable():
    many = pd.concat([cells().iloc[[0]].assign(method=f"M{i}") for i in range(80)])
    found = many.astype({"qf": str}).assign(
        table="table_3", ours=many["value"], committed=np.nan, difference=np.nan, tolerance=0.1,
        verdict="new",
    )  # fmt: skip
    text = verdicts.markdown(found[compare.COLUMNS], "demo", "HEAD")
    assert text.count("| new | M") == verdicts.MOST_LINES
    assert "And 30 more." in text


def test_three_new_methods_print_a_line_each_and_their_cells_go_to_a_file_alone(root):
    one = pd.concat([cells()] * 40, ignore_index=True)
    one["qf"] = pd.Series(range(len(one)), dtype="Int64")
    mine = [one.assign(method=f"Own {n}", track="retrained", order="joint") for n in range(3)]
    rewrite(root, pd.concat([cells(), *mine]))
    result = run("--cells", str(root / "out" / "cells.csv"))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        *(f"new      Own {n} (retrained): 240 cells in table_3" for n in range(3)),
        "8 of 728 cells agree with HEAD",
    ]
    written = pd.read_csv(root / "out" / "cells.csv")
    assert (written["verdict"] == "new").sum() == 720


def test_every_cell_can_be_had_as_a_file(root):
    assert run("--cells", str(root / "out" / "cells.csv")).exit_code == 0
    written = pd.read_csv(root / "out" / "cells.csv")
    assert list(written.columns) == compare.COLUMNS
    assert len(written) == 8


def test_new_numbers_are_staged_and_the_next_check_against_the_index_s_commit_passes(root):
    moved = cells()
    moved.loc[0, "value"] += 1.0
    rewrite(root, moved)
    (root / "dvc.lock").write_text("schema: '2.0'\n")
    result = run("--update")
    assert result.exit_code == 0
    assert "staged 2 files" in result.stdout
    staged = git(root, "diff", "--cached", "--name-only").split()
    assert staged == ["dvc.lock", "results/demo/tables/table_3.csv"]
    git(root, "commit", "--quiet", "-m", "y")
    assert run().exit_code == 0


@pytest.mark.parametrize("path", ["code.py", "notes.txt", "results/lol/x.csv"])
def test_new_numbers_are_refused_where_the_tree_is_dirty_elsewhere(root, path):
    rewrite(root, cells().drop(index=2))
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("x = 2\n")
    result = run("--update")
    assert isinstance(result.exception, InputError)
    assert path in str(result.exception)
    assert git(root, "diff", "--cached", "--name-only") == ""


def test_a_count_has_no_tolerance_and_so_moves_in_full(tmp_path):
    allowed = [Tolerance(track="*", metrics=["images"], tolerance=0.0, reason="counts of images")]
    table = pd.DataFrame({"dataset": ["LOL"], "images": [485], "paper": [485]})
    reference = folder(tmp_path / "committed", table, "table_1")
    ours = folder(tmp_path / "ours", table.assign(images=486), "table_1")
    found = compare.compare(ours, reference, allowed)
    text = verdicts.markdown(found, "demo", "HEAD")
    move = "images 486 for 485 (+1, tolerance 0) in table_1, LOL"
    assert f"| moved | table_1 | — | 1 of 1 | table_1 | {move} |" in text
    assert "| — | images | 1 | 1 | 100% |" in text
