"""The audit of the paper's tables: what it finds, and that it finds nothing where nothing is."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmark import ROOT
from benchmark.cli.main import app
from benchmark.core import reported
from benchmark.paper import audit, consistency, psnr_b, rankings

NUMBERS = reported.reported()
FOUND = {finding.key: finding for finding in audit.findings(NUMBERS)}


def changed(**where: object) -> pd.DataFrame:
    """Return the numbers, and where to write into them, as a mask."""
    mask = pd.Series(True, NUMBERS.index)
    for column, value in where.items():
        mask &= NUMBERS[column] == value
    assert mask.any()
    return mask


def with_values(mask: pd.Series, value: float) -> pd.DataFrame:
    made = NUMBERS.copy()
    made.loc[mask, "value"], made.loc[mask, "printed"] = value, f"{value:.2f}"
    return made


@pytest.mark.parametrize(
    ("key", "evidence"),
    [
        ("training-count", "sum to 10831; the text 11831"),
        ("iou-threshold", "The text says 0.9, the columns are 0.3, 0.5, 0.7"),
        ("copied-row", "EDSR+LLFlow and QGCN+LLFlow agree in every cell"),
        ("psnr-b-above-psnr", "172 of 252 cells, by up to 0.80 dB"),
        ("offset-without-qf", "LSRW 0.04 dB"),
        (
            "shared-jump",
            "EnlightenGAN -0.86 dB, EnlightenGAN+EDSR -0.87 dB, EnlightenGAN+QGCN -0.82",
        ),
        ("edsr-first", "by -2.38 to -3.27 dB in all 11 rows"),
        ("not-monotone", "PSNR 15 of 63, SSIM 15 of 63, PSNR-B 12 of 63"),
        ("state-of-the-art", "16 of 720 comparisons"),
        ("state-of-the-art", "first in 28 of 36 columns"),
        ("faces", "QGCN+LLFlow leads MLSM by 0.000021"),
        ("one-run", "Table V: MLSM; Table VI: MLSM three-level"),
    ],
)
def test_the_audit_finds(key, evidence):
    assert evidence in FOUND[key].evidence


def test_qf_90_rows_that_belong_to_another_run_are_listed():
    rows = FOUND["qf-90-rows"].rows
    assert ("RUAS", "LSRW", "PSNR", 1.64) in rows[
        ["method", "dataset", "metric", "change"]
    ].itertuples(index=False, name=None)
    assert set(rows["qf"]) == {90}


def test_departures_from_a_methods_own_offset_are_named():
    rows = FOUND["offset-outliers"].rows
    assert {"KinD", "RUAS", "Zero-DCE+QGCN"} <= set(rows["method"])


def test_two_levels_below_one_are_counted():
    assert "Two levels are below one in 4 of 9 columns" in FOUND["levels"].evidence


def test_thin_leads_hold_the_smallest_of_all():
    rows = FOUND["thin-leads"].rows
    assert rows["lead"].min() == pytest.approx(2.1e-5)


def test_a_row_that_is_not_copied_is_not_reported():
    mask = changed(table="IV", qf=60, method="EDSR+LLFlow", dataset="LOL", metric="PSNR")
    assert consistency.copies(with_values(mask, 13.9)) == []


def test_a_threshold_that_the_table_has_is_not_reported():
    made = NUMBERS.assign(metric=NUMBERS["metric"].replace("mAP@0.7", "mAP@0.9"))
    assert consistency.threshold(made) == []


def test_no_jump_is_reported_where_the_base_makes_none():
    mask = changed(method="EnlightenGAN", dataset="SICE", metric="PSNR", qf=80)
    assert consistency.shared_jumps(with_values(mask, 15.3)) == []


def test_a_repetition_of_the_full_method_is_not_taken_for_one_run():
    mask = changed(table="V", method="MLSM", dataset="LOL", metric="PSNR")
    assert rankings.same_run(with_values(mask, 19.0)) == []


def test_best_and_second_are_those_of_the_numbers():
    listed = rankings.marks(NUMBERS)
    at = listed[(listed["qf"] == 90) & (listed["dataset"] == "LOL") & (listed["metric"] == "PSNR")]
    first = at[at["table"] == "III"].iloc[0]
    assert (first["best"], first["value"]) == ("MLSM", "19.16")
    assert len(listed) == NUMBERS.drop_duplicates(rankings.COLUMN).shape[0]


def test_every_finding_says_what_follows():
    for finding in FOUND.values():
        assert all([finding.title, finding.where, finding.evidence, finding.consequence])
    assert len(FOUND) == len(audit.findings(NUMBERS))  # keys are anchors


def test_the_committed_audit_is_what_the_code_finds(tmp_path):
    done = CliRunner().invoke(app, ["audit", "-o", str(tmp_path)])
    assert done.exit_code == 0
    for name in ("audit.md", "audit.json"):
        committed = (ROOT / "results" / "paper" / name).read_text(encoding="utf-8")
        assert (tmp_path / name).read_text(encoding="utf-8") == committed


def test_json_on_request():
    done = CliRunner().invoke(app, ["audit", "--json"])
    assert {finding["key"] for finding in json.loads(done.stdout)} == set(FOUND)


def test_one_finding_is_printed_by_its_key():
    done = CliRunner().invoke(app, ["audit", "--only", "copied-row"])
    assert "agree in every cell" in done.stdout
    assert "mlsm-bench audit --only copied-row" in done.stdout
    assert CliRunner().invoke(app, ["audit", "--only", "nothing"]).exit_code != 0


def test_claims_that_the_tables_contradict_are_listed():
    rows = FOUND["claims"].rows.set_index("claim")
    assert rows.loc["state-of-the-art", "against"] == 16
    assert {"enhancers", "training-images", "two-levels-better"} <= set(rows.index)


def test_the_printed_kind_of_psnr_b_prefers_blocks_in_every_picture():
    for case in psnr_b.cases():
        assert case.disagree
        assert case.scores["blocks", "sound", "bef"] > 5 * case.scores["tint", "sound", "bef"]
        psnr = [case.scores[kind, "sound", "psnr"] for kind in ("blocks", "tint")]
        assert abs(psnr[0] - psnr[1]) < 0.3


def test_the_figure_shows_blocks_and_tint_with_their_scores():
    drawn = psnr_b.figure(psnr_b.cases()[0])
    assert [axes.get_title() for axes in drawn.axes] == [
        "reference", "JPEG at QF 10: blocks", "more blue: no blocks"
    ]  # fmt: skip
    assert all("printed kind of PSNR-B" in axes.get_xlabel() for axes in drawn.axes[1:])
