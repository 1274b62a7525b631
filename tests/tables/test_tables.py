import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmark.core import params as profiles
from benchmark.core.errors import InputError
from benchmark.faces.average_precision import evaluate
from benchmark.methods.records import absences
from benchmark.stages.tables import write_tables
from benchmark.tables import cells as tables
from benchmark.tables import grid as grids
from benchmark.tables import load, render
from benchmark.tables.grid import Grid, Scope
from tests.helpers import synthetic_results as synthetic

PARAMS = synthetic.profile()
RECORDS = synthetic.records(PARAMS)
ROWS = pd.concat([synthetic.image_rows(PARAMS, chain) for chain in PARAMS.chains])
RESAMPLING = tables.BootstrapSettings(seed=1, draws=100)
SCOPE = Scope(RECORDS, ["LOL", "SICE"])


def quality(rows: pd.DataFrame = ROWS, compare: bool = False) -> pd.DataFrame:
    return tables.quality(rows, RECORDS, ["LOL", "SICE"], RESAMPLING, compare)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return quality()


@pytest.fixture(scope="module")
def table_3(cells: pd.DataFrame) -> pd.DataFrame:
    return tables.split(cells)["table_3"]


@pytest.fixture(scope="module")
def made(table_3: pd.DataFrame) -> list[Grid]:
    return grids.build("table_3", table_3, SCOPE)


def pick(cells: pd.DataFrame, **keys: Any) -> pd.DataFrame:
    for key, value in keys.items():
        cells = cells[cells[key] == value]
    return cells


def test_tables_have_exactly_the_columns_of_the_long_form(cells):
    keys = ["method", "order", "dataset", "qf", "metric", "protocol", "track"]
    numbers = ["n", "value", "ci_low", "ci_high", "reported", "difference"]
    assert keys + numbers == tables.COLUMNS
    assert list(cells.columns) == ["chain", *tables.COLUMNS]
    assert not cells.duplicated(tables.KEYS).any()


def test_a_cell_is_the_mean_over_images_with_its_interval_and_their_number(cells):
    keys = {"method": "LIME", "dataset": "LOL", "qf": 90, "metric": "PSNR", "protocol": "sound"}
    cell = pick(cells, **keys).iloc[0]
    expected = np.mean([synthetic.value("psnr", 1, i, 90, "LOL") for i in range(synthetic.IMAGES)])
    assert cell["value"] == pytest.approx(expected)
    assert cell["ci_low"] < cell["value"] < cell["ci_high"]
    assert (cell["n"], cell["track"]) == (synthetic.IMAGES, "classical")


def test_reported_numbers_stand_beside_protocol_paper_alone(cells):
    keys = {"method": "EDSR+Zero-DCE", "dataset": "LOL", "qf": 90, "metric": "PSNR"}
    chosen = pick(cells, **keys)
    assert set(chosen[chosen["protocol"] == "paper"]["reported"]) == {12.61}
    assert chosen[chosen["protocol"] == "sound"]["reported"].isna().all()


def test_a_row_that_the_paper_lacks_has_no_reported_number(cells):
    assert pick(cells, method="Gamma")["reported"].isna().all()
    assert cells[cells["qf"].isna()]["reported"].isna().all()


def test_the_difference_is_given_for_real_data_alone(cells):
    assert cells["difference"].isna().all()
    real = quality(compare=True)
    beside = real.dropna(subset=["reported"])
    assert len(beside)
    assert beside["difference"].to_numpy() == pytest.approx(
        (beside["value"] - beside["reported"]).to_numpy(), abs=1e-6
    )


def test_images_of_infinite_psnr_are_left_out_and_not_counted_in_n():
    at = {"chain": "gamma", "metric": "psnr", "image": "0"}
    rows = ROWS.copy()
    rows.loc[(rows[list(at)] == pd.Series(at)).all(axis=1), "value"] = np.inf
    cell = pick(quality(rows), method="Gamma", metric="PSNR").iloc[0]
    assert np.isfinite(cell["value"])
    assert cell["n"] == synthetic.IMAGES - 1


def test_tables_3_and_4_hold_the_papers_quality_factors(cells):
    split = tables.split(cells)
    assert set(split) == {"table_3", "table_4", "table_uncompressed"}
    assert set(split["table_3"]["qf"]) == {90}
    assert set(split["table_4"]["qf"]) == {70}
    assert split["table_uncompressed"]["qf"].isna().all()
    assert sum(map(len, split.values())) == len(cells)


def test_a_quality_factor_that_the_paper_lacks_is_kept_in_a_table_of_its_own(cells):
    other = cells.assign(qf=cells["qf"].replace(70, 40))
    assert set(tables.split(other)["table_other_qf"]["qf"]) == {40}


def test_rows_stand_in_the_order_of_the_profile_and_not_of_the_files():
    shuffled = ROWS.sample(frac=1.0, random_state=0)
    pd.testing.assert_frame_equal(quality(shuffled), quality())
    titles = [record.title for record in RECORDS.values()]
    assert list(dict.fromkeys(quality()["method"])) == titles


def test_counts_stand_beside_the_papers_with_sums():
    listed = [("vae_dark", "LOL", 485), ("vae_dark", "LabelMe", 5), ("mapping_pairs", "LOL", 1)]
    merged = pd.DataFrame(listed, columns=["list", "dataset", "images"])
    table = tables.counts(merged, "vae_dark", compare=True).set_index("dataset")
    assert list(table.index) == ["LOL", "LSRW", "SICE", "RELLISUR", "A7m3", "LabelMe", "sum"]
    assert table.loc["LOL"].tolist() == [485, 485, 0]
    assert table.loc["LSRW", "paper"] == 5600
    assert pd.isna(table.loc["LSRW", "images"])
    assert pd.isna(table.loc["LabelMe", "paper"])
    assert table.loc["sum", ["images", "paper"]].tolist() == [490, 10831]


def test_the_other_split_of_sice_stands_beside_the_papers_sice():
    merged = pd.DataFrame({"list": ["vae_dark"], "dataset": ["SICE58"], "images": [531]})
    table = tables.counts(merged, "vae_dark", compare=True).set_index("dataset")
    assert table.loc["SICE58"].tolist() == [531, 531, 0]
    assert "SICE" not in table.index


def test_counts_of_miniatures_give_no_difference():
    merged = pd.DataFrame({"list": ["vae_dark"], "dataset": ["LOL"], "images": [12]})
    assert tables.counts(merged, "vae_dark", compare=False)["difference"].isna().all()


def test_a_grid_holds_one_protocol_one_quality_factor_and_one_kind_of_weights(made):
    assert [(grid.qf, grid.protocol, grid.track) for grid in made] == [
        (90, "paper", "retrained"),
        (90, "paper", "released"),
        (90, "sound", "retrained"),
        (90, "sound", "released"),
    ]
    for grid in made:
        assert {line.track for line in grid.lines} == {"classical", grid.track}


def test_the_best_and_the_second_of_each_column_are_told(made):
    sound = made[2]
    psnr, *_, bef = range(5)
    ranks = [(line.cells[psnr].rank, line.cells[bef].rank) for line in sound.lines]
    assert [rank for rank, _ in ranks] == [0, 0, 0, 0, 0, 2, 1]
    assert [rank for _, rank in ranks] == [1, 2, 0, 0, 0, 0, 0]  # less BEF is better


def test_numbers_that_print_alike_share_a_rank():
    column = grids.Column("LOL", "PSNR")
    cells = [grids.Cell(f"{v:.2f}", v, "", "", "", 0, "") for v in (10.001, 10.0019, 9.0, 8.0)]
    ranks = [cell.rank for cell in grids._ranked(cells, column, [False] * 4)]
    assert ranks == [1, 1, 2, 0]


def test_a_control_that_is_told_the_answer_has_no_rank():
    column = grids.Column("LOL", "PSNR")
    cells = [grids.Cell(f"{v:.2f}", v, "", "", "", 0, "") for v in (20.0, 10.0, 9.0)]
    ranked = grids._ranked(cells, column, [True, False, False])
    assert [cell.rank for cell in ranked] == [0, 1, 2]


def test_a_method_without_weights_is_a_row_of_dashes_with_the_reason(made):
    line = made[1].lines[-1]
    assert line.method == "MLSM"
    assert {cell.text for cell in line.cells} == {grids.DASH}
    assert line.cells[0].reported == "19.16"
    assert made[1].notes == (grids.Note(line.mark, synthetic.NO_RELEASE),)


def test_a_row_states_what_sets_its_methods_apart_from_their_published_forms(made):
    by_method = {line.method: line.mark for line in made[0].lines}
    texts = {note.mark: note.text for note in made[0].notes}
    note = "Zero-DCE: trained for 40 of 400 published steps"
    assert texts[by_method["Zero-DCE"]] == note
    assert texts[by_method["EDSR+Zero-DCE"]] == note
    assert by_method["EDSR"] == ""


@pytest.mark.parametrize(
    ("difference", "told"), [(0.0999, ""), (-0.69, "−0.69"), (0.11, "+0.11"), (np.nan, "")]
)
def test_a_number_over_a_tenth_of_a_decibel_from_the_papers_says_so(difference, told):
    row = {"value": 15.0, "ci_low": 14.0, "ci_high": 16.0, "difference": difference}
    cell = grids._cell(row, grids.Column("LOL", "PSNR"), 15.67, "")
    assert cell.difference == told
    assert (render._markdown_cell(cell) == "15.00 (15.67)") is not bool(told)


def test_a_track_that_no_method_has_makes_no_grid_but_is_listed_as_absent(table_3):
    records = {
        chain: replace(
            record,
            tracks={t: hashes for t, hashes in record.tracks.items() if t != "released"},
            absent={} if "classical" in record.tracks else {"released": "no file"},
        )
        for chain, record in RECORDS.items()
    }
    retrained = table_3[table_3["track"] != "released"]
    made = grids.build("table_3", retrained, Scope(records, ["LOL", "SICE"]))
    assert {grid.track for grid in made} == {"retrained"}
    assert set(absences(records)["released"].values()) == {"no file"}


def test_a_data_set_that_is_not_on_disk_is_a_column_of_dashes_with_the_reason(table_3):
    missing = {"SICE": "SICE is in none of the raw data folders"}
    lol = table_3[table_3["dataset"] == "LOL"]
    grid = grids.build("table_3", lol, Scope(RECORDS, ["LOL", "SICE"], missing))[0]
    cells = [line.cells[3] for line in grid.lines]
    assert {cell.text for cell in cells} == {grids.DASH}
    assert grids.Note(cells[0].mark, missing["SICE"]) in grid.notes


def test_a_note_says_how_many_infinite_values_are_not_in_a_mean(table_3):
    table = table_3.copy()
    at = (table["method"] == "Gamma") & (table["metric"] == "PSNR")
    table.loc[at, "n"] = synthetic.IMAGES - 2
    grid = grids.build("table_3", table, SCOPE)[0]
    texts = {note.mark: note.text for note in grid.notes}
    assert texts[grid.lines[0].cells[0].mark].startswith("2 of 6 images equal their reference")


def test_an_infinite_mean_is_printed_and_is_the_best(table_3):
    table = table_3.copy()
    at = (table["method"] == "Gamma") & (table["metric"] == "PSNR")
    table.loc[at, ["value", "ci_low", "ci_high", "n"]] = [np.inf, np.inf, np.inf, 0]
    cell = grids.build("table_3", table, SCOPE)[0].lines[0].cells[0]
    assert (cell.text, cell.rank, cell.interval) == (grids.INFINITE, 1, "")


def test_the_caption_tells_protocol_weights_images_and_intervals(made):
    caption = made[0].caption
    for said in ("QF 90", "protocol paper", "trained by this pipeline", "LOL 6, SICE 6", "95 %"):
        assert said in caption


def test_markdown_prints_decimals_arrows_ranks_and_the_papers_numbers(made):
    text = render.markdown("Table III", made, ["A note on the data."])
    assert "A note on the data." in text
    assert "| LOL PSNR ↑ | LOL SSIM ↑ |" in text
    assert "LOL BEF ↓" in text
    assert re.search(r"\| LIME \| enhance \| classical \| 15\.40 \(17\.38\) \| 0\.1540 ", text)
    assert re.search(r"\| MLSM \| joint \| retrained \| \*\*25\.40\*\* \(19\.16\)", text)
    second = r"Zero-DCE\+EDSR<sup>a</sup> \| enhance\+deblock \| retrained \| <u>23\.40</u>"
    assert re.search(second, text)
    assert f"<sup>a</sup> {synthetic.NO_RELEASE}." in text


def test_markdown_rows_have_as_many_cells_as_their_head(made):
    blocks = re.findall(r"(?:^\|.*\|\n)+", render.markdown("Table III", made, []), re.MULTILINE)
    assert len(blocks) == len(made)
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1


def test_latex_rows_have_as_many_cells_as_their_columns(made):
    text = render.latex(made)
    for grid, body in zip(made, text.split(r"\begin{tabular}")[1:], strict=True):
        spec = body[1 : body.index("}")]
        assert spec == "lll" + "r" * len(grid.columns)
        lines = [line for line in body.splitlines() if line.endswith(r"\\")]
        for line in lines[1:]:
            assert line.count(" & ") == len(spec) - 1
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == len(made)
    assert text.count("{") == text.count("}")


def test_latex_escapes_what_it_would_read_as_commands():
    assert render.escape("50 % of a_b & {c}") == r"50 \% of a\_b \& \{c\}"


def test_average_precision_is_pooled_and_stands_under_protocol_sound(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, PARAMS)
    truth, found = load.truth(params), load.found(params)
    cells = tables.faces(truth, found, RECORDS, [0.5], RESAMPLING)
    labels = truth["DARKFACE"]
    assert set(cells["metric"]) == {"mAP@0.5"}
    assert set(cells["protocol"]) == {"sound"}
    assert set(cells["n"]) == {12}
    compressed = [one for one in found if one.qf == 90]
    assert [one.chain for one in found if one.qf is None] == ["gamma"]
    assert cells[cells["qf"] == 90]["value"].tolist() == pytest.approx(
        [evaluate(labels, one.detections, 0.5).ap for one in compressed], abs=1e-6
    )
    assert cells["qf"].isna().sum() == len(found) - len(compressed)
    assert (cells["ci_low"] <= cells["value"]).all()


def test_table_7_has_the_papers_number_beside_ours_on_dark_face_but_no_difference(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, PARAMS)
    found = load.truth(params), load.found(params)
    cells = tables.faces(*found, RECORDS, [0.5], RESAMPLING)
    at_90 = cells[(cells["method"] == "Zero-DCE") & (cells["qf"] == 90)]
    assert at_90["reported"].tolist() == [0.156849] * 2
    assert cells["difference"].isna().all()
    grid = grids.build("table_7", cells, load.face_scope(params))[0]
    line = next(line for line in grid.lines if line.method == "Zero-DCE")
    assert line.cells[0].reported == "0.1568"
    assert "A detector (weights dddddddddddd)" in grid.caption
    assert "PyramidBox" in grid.caption


def test_uncompressed_dark_images_are_a_line_beside_the_compressed_ones(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, PARAMS)
    found = load.truth(params), load.found(params)
    cells = tables.faces(*found, RECORDS, [0.5], RESAMPLING)
    made = grids.build("table_7", cells, load.face_scope(params))
    assert {grid.qf for grid in made} == {90}
    names = [line.method for line in made[0].lines]
    assert names[0] == "Gamma, uncompressed"
    assert names.count("Gamma") == 1
    raw = cells[(cells["method"] == "Gamma") & cells["qf"].isna()]["value"].item()
    assert made[0].lines[0].cells[0].value == pytest.approx(raw)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("benchmark.core.params.ROOT", root)
        params = synthetic.write(root, PARAMS)
        write_tables(params)
        return params.results


def test_the_stage_writes_every_table_in_three_forms_with_rows_and_provenance(written):
    names = ["table_1", "table_2", "table_3", "table_4", "table_5", "table_6", "table_7"]
    names += ["table_uncompressed", "table_perception", "bits_per_pixel"]
    names += ["statistics_mlsm", "statistics_ranks"]
    expected = {f"{name}.{ending}" for name in names for ending in ("csv", "md", "tex")}
    assert {path.name for path in (written / "tables").iterdir()} == expected
    assert len(pd.read_parquet(written / "rows.parquet")) == len(ROWS)
    assert {"commit", "cpu", "jpeg", "libraries", "params", "chains"} <= set(
        load.jsonfile.read(written / "provenance.json")
    )


def test_what_the_csv_file_holds_is_read_back_as_it_was(written, cells, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", written.parents[1])
    assert list(load.table(PARAMS, "table_3").columns) == tables.COLUMNS
    read = load.chain_cells(PARAMS, "table_3")
    assert read["qf"].dtype == "Int64"
    assert list(dict.fromkeys(read["chain"])) == PARAMS.chains
    keys = ["chain", *tables.KEYS]
    pd.testing.assert_frame_equal(read[keys], tables.split(cells)["table_3"][keys])


def test_a_profile_without_detection_has_no_table_7(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    detection = {"chains": [], "sets": [], "detector": "mtcnn", "qfs": [90], "iou": [0.5]}
    params = synthetic.write(tmp_path, synthetic.profile(detection=detection))
    write_tables(params)
    assert not list((params.results / "tables").glob("table_7*"))


def test_dark_faces_that_are_not_on_disk_leave_table_7_out_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, PARAMS)
    missing = {"DARKFACE": "DARKFACE is in none of the raw data folders"}
    synthetic.write_json(params.work / "inventory" / "absent.json", missing)
    synthetic.write_json(params.work / "jpeg" / "test" / "faces.json", {})
    write_tables(params)
    assert not list((params.results / "tables").glob("table_7*"))
    assert missing["DARKFACE"] in load.no_faces(params)
    assert load.absences(params)["Data sets"] == missing


def test_rows_of_chains_that_the_profile_dropped_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    synthetic.write(tmp_path, PARAMS)
    detection = PARAMS.detection.model_dump() | {"chains": []}
    smaller = synthetic.profile(chains=["gamma", "lime"], detection=detection)
    assert set(load.image_rows(smaller)["chain"]) == {"gamma", "lime"}


def test_a_stage_that_has_not_run_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    with pytest.raises(InputError, match=r"chains\.json: run `dvc repro`"):
        load.records(PARAMS)


def test_a_profile_of_faces_alone_says_so_instead_of_listing_what_it_lacks():
    faces = profiles.load(profiles.profile_path("faces"))
    assert load.notes(faces) == [
        "This profile measures no image quality, only a detector on outputs."
    ]
    facts = load.facts(faces)
    assert facts["JPEG quality factors"] == "90"
    assert "not measured" in facts["Tested on"]
