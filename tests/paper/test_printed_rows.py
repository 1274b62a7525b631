"""Which candidates give the paper's printed rows: counting, verdicts, and one real run in small."""

import numpy as np
import pandas as pd
import pytest

from benchmark.core import images
from benchmark.core.errors import InputError
from benchmark.paper import audit, printed_rows
from benchmark.paper.printed_rows import Candidate


def means(method: str, off: float = 0.0, tried: str = "lol", writes: str = "truncate"):
    """Return what `measure` averages, `off` from the paper's row at every quality factor."""
    rows = []
    for qf in printed_rows.QFS:
        theirs = printed_rows.printed(method, qf)
        values = {metric: float(theirs[metric]) + off for metric in printed_rows.METRICS}
        rows.append({"method": method, "tried": tried, "writes": writes, "qf": qf} | values)
    return pd.DataFrame(rows)


def test_the_printed_row_is_that_of_the_paper():
    assert printed_rows.printed("ruas", 90) == {
        "PSNR": "16.47",
        "SSIM": "0.7271",
        "PSNR-B": "16.41",
    }


def test_numbers_count_as_equal_when_they_print_alike():
    found = printed_rows._beside(means("ruas"))
    assert found["equal"].tolist() == [3, 3, 3, 3]
    near = means("ruas").assign(PSNR=means("ruas")["PSNR"] + 0.004)  # prints the same
    assert printed_rows._beside(near)["equal"].tolist() == [3, 3, 3, 3]
    assert printed_rows._beside(means("ruas", off=0.01))["equal"].tolist() == [0, 0, 0, 0]


def test_a_row_that_is_reproduced_names_what_reproduces_it():
    both = pd.concat([means("ruas", 0.2, writes="round"), means("ruas")])
    (verdict,) = printed_rows.verdicts(printed_rows._beside(both))
    assert verdict == (
        "RUAS: lol, output stored as `truncate`, gives 12 of 12 printed numbers to the last digit."
    )


def test_a_quality_factor_of_another_run_is_told():
    rows = means("zero_dce", writes="jpeg75")
    rows.loc[rows["qf"] == 90, ["PSNR", "SSIM", "PSNR-B"]] += 0.5
    (verdict,) = printed_rows.verdicts(printed_rows._beside(rows))
    assert verdict.endswith(
        "9 of 12 printed numbers to the last digit; the row at QF 90 is another run."
    )


def test_a_row_that_nothing_reproduces_is_said_to_be_so():
    both = pd.concat([means("lime", 0.2, "a", "round"), means("lime", 0.1, "b", "jpeg75")])
    (verdict,) = printed_rows.verdicts(printed_rows._beside(both))
    assert verdict == (
        "LIME: none of 2 candidates gives a printed row; the closest is b, stored as `jpeg75`, at "
        "most 0.10 dB away."
    )


def test_every_candidate_names_a_method_and_weights_that_exist(monkeypatch, tmp_path):
    monkeypatch.setenv("MLSM_BENCH_DATA", str(tmp_path))
    for candidate in printed_rows.CANDIDATES:
        assert printed_rows.printed(candidate.method, 90)
        if candidate.release:
            printed_rows._release(candidate)
    with pytest.raises(InputError, match="no released weights 'none'"):
        printed_rows._release(Candidate("ruas", ("round",), "none"))


def test_candidates_run_on_the_test_images_and_stand_beside_the_paper(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for side, peak in (("low", 40), ("high", 255)):
        for name in ("1", "2"):
            pixels = random.integers(0, peak, (24, 32, 3), np.uint8)
            images.write(tmp_path / "LOL" / "eval15" / side / f"{name}.png", pixels)
    tried = (
        Candidate("lime", ("round", "truncate")),
        Candidate("lime", ("round",), "", {"gamma": 0.7}),
    )
    monkeypatch.setattr(printed_rows, "CANDIDATES", tried)
    found = printed_rows.measure([tmp_path])
    assert len(found) == 3 * len(printed_rows.QFS)
    assert set(found["tried"]) == {"published settings", "gamma 0.7"}
    assert found["equal"].max() == 0  # noise is not LOL
    page = audit.rows_page(found)
    assert "| printed by the paper |  | 90 | 17.38 | 0.6353 | 17.16 |  |" in page
