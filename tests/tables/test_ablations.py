"""Tables V and VI, bit rates and the files of a table."""

from dataclasses import replace

import pandas as pd
import pytest

from benchmark.data import evaluation
from benchmark.scoring import results
from benchmark.tables import ablations, bitrates, output
from benchmark.tables import cells as tables
from benchmark.tables import grid as grids
from benchmark.tables.grid import Scope
from benchmark.tables.output import Sheet
from tests.helpers import synthetic_results as synthetic

PARAMS = synthetic.profile()
RECORDS = synthetic.records(PARAMS)
ROWS = pd.concat([synthetic.image_rows(PARAMS, chain) for chain in PARAMS.chains])
SCOPE = Scope(RECORDS, PARAMS.merge.test)
RESAMPLING = tables.BootstrapSettings(1, 50)


def with_levels() -> tuple[pd.DataFrame, Scope]:
    """Return rows and scope of a profile that has a chain of one level, 3 dB below the method."""
    level = ROWS[ROWS["chain"] == "mlsm"].assign(chain="mlsm_level1")
    level["value"] -= 3.0
    records = RECORDS | {"mlsm_level1": replace(RECORDS["mlsm"], title="MLSM, one level")}
    return results.check(pd.concat([ROWS, level], ignore_index=True)), Scope(
        records, ["LOL", "SICE"]
    )


def test_the_full_method_stands_beside_the_papers_number_of_its_own_table():
    cells = ablations.cells("table_6", ROWS, SCOPE, RESAMPLING, compare=True)
    own = cells[(cells["method"] == "MLSM three-level") & (cells["protocol"] == "paper")]
    psnr = own[(own["dataset"] == "LOL") & (own["metric"] == "PSNR")]
    assert psnr["reported"].tolist() == [19.16]
    assert set(cells["qf"]) == {ablations.QF}


def test_a_chain_that_the_profile_lacks_is_a_row_of_dashes_with_the_reason():
    cells = ablations.cells("table_5", ROWS, SCOPE, RESAMPLING, compare=True)
    made = grids.build("table_5", cells, ablations.scope("table_5", SCOPE))[0]
    assert [line.method for line in made.lines] == ["MLSM w/o M", "MLSM"]
    assert {cell.text for cell in made.lines[0].cells} == {grids.DASH}
    assert made.lines[0].cells[0].reported == "16.52"
    assert made.notes[0].text == "the profile has no chain mlsm_direct"


def test_a_row_appears_as_soon_as_its_chain_does():
    made, scope = with_levels()
    cells = ablations.cells("table_6", made, scope, RESAMPLING, compare=True)
    grid = grids.build("table_6", cells, ablations.scope("table_6", scope))[0]
    lines = {line.method: line.cells[0] for line in grid.lines}
    assert lines["MLSM three-level"].value - lines["MLSM single-level"].value == pytest.approx(3.0)
    assert lines["MLSM single-level"].reported == "18.65"
    assert lines["MLSM two-level"].text == grids.DASH


def test_bits_per_pixel_are_those_of_the_files(tmp_path):
    synthetic.write_jpegs(tmp_path, PARAMS)
    files = [
        evaluation.EvaluationInput("LOL", f"{i}", qf, tmp_path / f"LOL/{i}.qf{qf}.jpg", None, None)
        for i in range(synthetic.IMAGES)
        for qf in (90, 70)
    ]
    made = bitrates.measure([*files, files[0]._replace(qf=None)])
    sizes = [case.input.stat().st_size * 8 / (16 * 24) for case in files if case.qf == 90]
    at_90 = made[made["qf"] == 90].iloc[0]
    assert at_90["value"] == pytest.approx(sum(sizes) / len(sizes), abs=1e-6)
    assert (at_90["least"], at_90["n"]) == (pytest.approx(min(sizes), abs=1e-6), synthetic.IMAGES)
    assert made["value"].is_monotonic_decreasing
    assert "QF 90 | QF 70" in bitrates.pages(made, "libjpeg")[0].markdown


def test_a_profile_without_compressed_images_has_no_table_of_bits():
    assert bitrates.pages(bitrates.measure([]), "libjpeg") == []


def test_a_sheet_prints_stars_and_escapes_in_both_forms(tmp_path):
    sheet = Sheet("A caption, 5 % of it", ["Name", "Value ↑"], [["a_b", "+1.0*"]], notes=["Low."])
    made = output.page("some", "Title", pd.DataFrame({"value": [1.0]}), [sheet])
    output.write(tmp_path, made)
    assert {path.suffix for path in tmp_path.iterdir()} == {".csv", ".md", ".tex"}
    assert r"| a_b | +1.0\* |" in made.markdown
    assert r"a\_b & +1.0* \\" in made.latex
    assert r"\caption{A caption, 5 \% of it}" in made.latex
    assert r"Value $\uparrow$" in made.latex


def test_the_whole_method_stands_there_on_the_ablations_budget_where_it_is_trained():
    assert "mlsm" in ablations.chains("table_6", RECORDS)
    both = RECORDS | {"mlsm_level3": RECORDS["mlsm"]}
    assert list(ablations.chains("table_6", both)) == ["mlsm_level1", "mlsm_level2", "mlsm_level3"]
