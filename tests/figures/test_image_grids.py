"""Picture grids: which methods stand in which, and what is printed under them."""

from dataclasses import replace

import numpy as np
import pytest

from benchmark import ROOT, methods
from benchmark.core import params
from benchmark.core.images import write
from benchmark.data.evaluation import EvaluationInput
from benchmark.figures import image_grids, selection
from benchmark.figures.selection import Box, Shown
from benchmark.methods import assemble
from benchmark.scoring import results
from benchmark.scoring.jobs import Job
from benchmark.stages import pictures as stage
from tests.helpers.pictures import flat, photograph
from tests.helpers.synthetic_results import record

CHAINS = ["gamma", "lime", "zero_dce", "edsr", "edsr+zero_dce", "zero_dce+edsr", "mlsm"]


def test_figures_split_chains_by_their_order_and_end_with_mlsm():
    grids = image_grids.grids({chain: record(chain) for chain in CHAINS})
    assert grids == {
        "fig_1": ["zero_dce", "mlsm"],
        "fig_7": ["lime", "zero_dce", "mlsm"],
        "fig_8": ["zero_dce+edsr", "mlsm"],
        "fig_9": ["edsr+zero_dce", "mlsm"],
    }


def test_levels_have_a_figure_where_the_profile_has_them():
    records = {chain: record("mlsm") for chain in ("mlsm", "mlsm_level1", "mlsm_level2")}
    assert image_grids.grids(records)["fig_10"] == ["mlsm_level1", "mlsm_level2", "mlsm"]


def test_a_chain_without_weights_is_not_shown():
    without = replace(record("zero_dce+edsr"), tracks={})
    grids = image_grids.grids({"zero_dce+edsr": without, "mlsm": record("mlsm")})
    assert "fig_8" not in grids


def test_every_panel_shows_its_numbers_and_its_window():
    dark, normal = photograph(32, 48, 1) // 6, photograph(32, 48, 1)
    box = Box(8, 0, 16, 16)
    first, last = image_grids.ends(dark, normal, box)
    between = image_grids.panel("Mine", Shown(normal, 21.348, 0.71239), box)
    figure = image_grids.draw("Enhancers", [first, between, last], box, "why this image")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["Dark input (window brightened)", "Mine", "Reference"]
    assert figure.axes[1].get_xlabel() == "21.35 dB / 0.7124"
    (inset,) = figure.axes[1].child_axes
    assert (inset.images[0].get_array() == normal[8:24, :16]).all()
    assert [text.get_text() for text in figure.texts if text.get_text() == "why this image"]


def test_the_window_stands_away_from_what_it_shows():
    pixels = flat(90, 32, 48)
    for column, left in ((0, False), (32, True)):
        box = Box(0, column, 16, 16)
        shown = image_grids.panel("Mine", Shown(pixels, 1.0, 1.0), box)
        figure = image_grids.draw("t", [shown], box, "c")
        (inset,) = figure.axes[0].child_axes
        x0 = inset.get_axes_locator()(inset, None).x0
        assert (x0 < figure.axes[0].get_position().x0 + 0.01) == left


@pytest.mark.parametrize("allowed", [True, False])
def test_photographs_are_drawn_only_where_the_profile_allows_it(tmp_path, monkeypatch, allowed):
    demo = params.load(params.profile_path("demo")).model_copy(update={"pictures": allowed})
    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    normal = photograph(48, 64, 2)
    write(tmp_path / "normal.png", normal)
    write(tmp_path / "dark.png", (normal // 6).astype(np.uint8))
    case = EvaluationInput("LOL", "7", 90, tmp_path / "dark.png", tmp_path / "normal.png", None)
    made = results.frame(
        [results.Row("demo", "LOL", "7", 90, "mlsm", "retrained", "psnr", "sound", 9.0)]
    )
    results.write(demo.work / "measured" / "rows" / "mlsm.parquet", made)

    def planned(params, chain):
        return {("LOL", "7"): Job(methods.Chain.parse("gamma"), "classical", tmp_path, case)}

    monkeypatch.setattr(selection, "planned", planned)
    monkeypatch.setattr(stage.kept_outputs, "folder", lambda *_: tmp_path / "kept")
    records = {chain: record(chain) for chain in ("lime", "mlsm")}
    monkeypatch.setattr(stage.load, "records", lambda params: records)
    shipped = assemble.assemble(methods.Chain.parse("mlsm"), "retrained", ROOT / "weights/lol")
    monkeypatch.setattr(stage.assemble, "assemble", lambda *arguments: shipped)
    stage.draw(demo)
    found = {path.name for path in (demo.results / "pictures").iterdir()}
    drawn = {"architecture.pdf", "architecture.png"}
    assert found == (drawn | {"fig_7.pdf", "fig_7.png"} if allowed else drawn)
