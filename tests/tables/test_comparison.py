"""Paired differences, average ranks, and their figures, on rows whose truth is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmark.figures import comparison_plots, style
from benchmark.scoring import results
from benchmark.tables import cells, competitors, paired_differences, ranks
from tests.helpers import synthetic_results as synthetic

PARAMS = synthetic.profile()
RECORDS = synthetic.records(PARAMS)
ROWS = pd.concat([synthetic.image_rows(PARAMS, chain) for chain in PARAMS.chains])
RESAMPLING = cells.BootstrapSettings(seed=1, draws=100)


@pytest.fixture(scope="module")
def apart() -> pd.DataFrame:
    return paired_differences.differences(ROWS, RECORDS, RESAMPLING)


@pytest.fixture(scope="module")
def ranked() -> list[ranks.Ranking]:
    return ranks.rankings(ROWS, RECORDS)


def test_the_papers_method_stands_in_the_released_competition_with_the_weights_it_has():
    released = {field.track: field for field in competitors.fields(RECORDS)}["released"]
    assert released.tracks["mlsm"] == "retrained"
    assert released.tracks["zero_dce"] == "released"
    assert released.tracks["lime"] == "classical"


def test_a_control_that_uses_the_reference_competes_with_nobody():
    step = synthetic.method("Oracle", "enhancer", needs="reference")
    told = replace(RECORDS["gamma"], steps={"oracle": step})
    assert "oracle" not in competitors.fields(RECORDS | {"oracle": told})[0].tracks


def test_differences_are_paired_by_image_and_signed(apart):
    psnr = apart[(apart["metric"] == "PSNR difference") & (apart["track"] == "classical")]
    of_lime = psnr[(psnr["method"] == "LIME") & (psnr["qf"] == 90)]
    assert of_lime["value"].tolist() == pytest.approx([10.0, 10.0])  # five chains later, 2 dB each
    assert (of_lime["ci_high"] - of_lime["ci_low"]).max() < 1e-9  # the same for every image
    assert of_lime["ahead"].tolist() == [synthetic.IMAGES] * 2


def test_a_method_without_weights_is_tested_once(apart):
    assert not apart.duplicated(cells.KEYS).any()


def test_the_family_of_a_column_is_corrected_together(apart):
    column = apart[
        (apart["metric"] == "PSNR difference")
        & (apart["dataset"] == "LOL")
        & (apart["qf"] == 90)
        & apart["track"].isin(["classical", "retrained"])
    ]
    assert column["p"].tolist() == pytest.approx([2 / 2**6] * 6, abs=1e-6)
    assert column["p_holm"].tolist() == pytest.approx([6 * 2 / 2**6] * 6, abs=1e-5)


def test_nothing_is_starred_that_the_correction_does_not_leave_significant(apart):
    text = paired_differences.pages(apart)[0].markdown
    assert "+10.00 (+10.00 to +10.00)" in text
    assert r"\*" not in text
    assert "6 images are few" in text


def test_an_infinite_value_leaves_its_pair_out():
    made = ROWS.copy()
    where = (made["chain"] == "lime") & (made["image"] == "0") & (made["metric"] == "psnr")
    made.loc[where, "value"] = np.inf
    found = paired_differences.differences(
        results.check(made.reset_index(drop=True)), RECORDS, RESAMPLING
    )
    of_lime = found[(found["method"] == "LIME") & (found["metric"] == "PSNR difference")]
    assert set(of_lime["n"]) == {synthetic.IMAGES - 1}


def test_ranks_follow_the_means_over_sets_and_quality_factors(ranked):
    first = ranked[0]
    assert (first.metric, first.track, first.found.blocks) == ("PSNR", "retrained", 4)
    assert first.chains == tuple(reversed(PARAMS.chains))
    assert first.found.ranks.tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_the_table_of_ranks_warns_that_blocks_share_images(ranked):
    made = ranks.pages(ranked, RECORDS)[0]
    assert "not independent" in made.markdown
    assert not made.numbers.duplicated(cells.KEYS).any()
    assert made.numbers["critical_difference"].nunique() == 1


def test_no_ranking_is_made_of_one_block():
    one = ROWS[(ROWS["dataset"] == "LOL") & (ROWS["qf"] == 90).fillna(False)]
    assert ranks.rankings(one, RECORDS) == []


def test_the_diagram_shows_every_method_at_its_rank_in_its_colour(ranked):
    drawn = style.styles(RECORDS)
    (axes,) = comparison_plots.critical_difference(ranked[0], drawn).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        RECORDS[chain].title for chain in ranked[0].chains
    ]
    points = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in points] == ranked[0].found.ranks.tolist()
    assert points[0].get_color() == style.COLOURS["mlsm"]


def test_methods_without_a_network_have_no_place_on_the_axis_of_arithmetic():
    drawn = style.styles(RECORDS)
    points = [
        comparison_plots.Point("lime", 17.0, 0.0, 0.6),
        comparison_plots.Point("mlsm", 18.0, 18.0, 4.0),
        comparison_plots.Point("edsr+zero_dce", 15.0, 24.0, 5.0),
    ]
    left, right = comparison_plots.quality_against_cost(points, "LOL", drawn).axes
    assert sorted(line.get_xdata()[0] for line in left.lines) == [18.0, 24.0]
    assert sorted(line.get_xdata()[0] for line in right.lines) == [0.6, 4.0, 5.0]
    assert {text.get_text() for text in right.texts} == {"LIME", "MLSM"}
