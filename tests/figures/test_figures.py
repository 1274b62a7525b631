from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from benchmark.faces.average_precision import Curve
from benchmark.figures import style as figures
from benchmark.tables import cells as tables
from tests.helpers import synthetic_results as synthetic

PARAMS = synthetic.profile()
RECORDS = synthetic.records(PARAMS)
STYLES = figures.styles(RECORDS)
IDENTITY = replace(
    RECORDS["gamma"],
    title="Identity",
    steps={"identity": synthetic.method("Identity", "enhancer")},
)


@pytest.fixture(scope="module")
def sound() -> pd.DataFrame:
    rows = pd.concat([synthetic.image_rows(PARAMS, chain) for chain in PARAMS.chains])
    resampling = tables.BootstrapSettings(seed=1, draws=20)
    cells = tables.quality(rows, RECORDS, ["LOL", "SICE"], resampling, compare=False)
    return cells[(cells["protocol"] == "sound") & cells["track"].isin(["classical", "retrained"])]


def luminance(colour: str) -> float:
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in levels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_a_method_has_one_colour_whatever_its_chain_and_order():
    chains = ["zero_dce", "edsr+zero_dce", "zero_dce+edsr"]
    assert {STYLES[chain].colour for chain in chains} == {figures.COLOURS["zero_dce"]}
    assert len({STYLES[chain].line for chain in chains}) == 3


def test_methods_of_a_profile_have_different_colours():
    single = [style.colour for chain, style in STYLES.items() if "+" not in chain]
    assert len(set(single)) == len(single)


def test_many_methods_are_told_apart_by_colour_and_marker():
    many = {
        f"m{i}": replace(
            RECORDS["gamma"], title=f"M{i}", steps={f"m{i}": synthetic.method(f"M{i}", "enhancer")}
        )
        for i in range(len(figures.SPARE) * len(figures.SPARE_MARKERS))
    }
    drawn = figures.styles(RECORDS | many)
    looks = [(s.colour, s.marker) for s in drawn.values() if s.title.startswith("M")]
    assert len(set(looks)) >= len(many) - 2  # the profile's own spare methods took two


def test_panels_are_the_papers_groups_with_the_input_and_mlsm_in_each():
    level = replace(RECORDS["mlsm"], title="MLSM, one level")
    drawn = figures.styles({"identity": IDENTITY, **RECORDS, "mlsm_level1": level})
    always = ["identity", "mlsm"]
    assert figures.families(drawn) == {
        "enhancers": ["lime", "zero_dce", *always],
        "deblocked, then enhanced": ["edsr+zero_dce", *always],
        "enhanced, then deblocked": ["zero_dce+edsr", *always],
        "controls and methods beyond the paper": ["gamma", "edsr", *always],
        "variants of MLSM": ["mlsm_level1", *always],
    }


def test_a_figure_of_the_dark_input_alone_has_one_panel():
    drawn = figures.styles({"identity": IDENTITY})
    assert figures.families(drawn) == {"enhancers": ["identity"]}


def test_a_methods_colour_does_not_depend_on_the_chains_before_it_in_the_papers_list():
    few = figures.styles({"mlsm": RECORDS["mlsm"], "zero_dce": RECORDS["zero_dce"]})
    for chain, style in few.items():
        assert STYLES[chain] == style


def test_the_deblocker_is_the_markers_shape():
    first = RECORDS["edsr+zero_dce"]
    qgcn = {"qgcn": synthetic.method("QGCN", "deblocker"), "zero_dce": first.steps["zero_dce"]}
    other = replace(first, title="QGCN+Zero-DCE", steps=qgcn)
    drawn = figures.styles(RECORDS | {"qgcn+zero_dce": other})
    first, second = (drawn[f"{name}+zero_dce"] for name in ("edsr", "qgcn"))
    assert (first.colour, first.line) == (second.colour, second.line)
    assert first.marker != second.marker


@pytest.mark.parametrize("colour", [*figures.COLOURS.values(), *figures.SPARE])
def test_every_colour_is_dark_enough_to_be_seen_on_white(colour):
    contrast = 1.05 / (luminance(colour) + 0.05)
    assert contrast > 1.5


def test_learning_curves_have_a_panel_a_part_with_losses_and_validation_psnr():
    logs = {"zero_dce": synthetic.log(0), "edsr": synthetic.log(1), "mlsm": synthetic.log(2)}
    figure = figures.learning(logs)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == list(logs)
    for axes, log in zip(panels, logs.values(), strict=True):
        shown = {line.get_label(): line for line in axes.get_lines()}
        assert set(shown) == {"reconstruction", "divergence"}
        drawn = np.asarray(shown["reconstruction"].get_ydata())
        assert drawn == pytest.approx(log["model/reconstruction"].to_numpy())
        assert (axes.get_xlabel(), axes.get_yscale()) == ("step", "log")
    psnr = [axes for axes in figure.axes if axes.get_ylabel() == "validation PSNR (dB)"]
    assert [len(axes.get_lines()[0].get_xdata()) for axes in psnr] == [4, 4, 4]


def test_losses_that_fall_below_zero_are_drawn_on_a_linear_axis():
    log = synthetic.log(0)
    log["model/divergence"] -= 1.0
    axes = figures.learning({"mlsm": log}).axes[0]
    assert axes.get_yscale() == "linear"


def test_the_phases_of_a_part_are_told_apart():
    log = synthetic.log(0).rename(columns={"model/divergence": "critic/divergence"})
    labels = [line.get_label() for line in figures.learning({"mlsm": log}).axes[0].get_lines()]
    assert labels == ["model/reconstruction", "critic/divergence"]


def test_quality_curves_show_every_method_at_every_quality_factor(sound):
    figure = figures.quality(sound, STYLES)
    grid = np.array(figure.axes).reshape(4, 4)  # sets and metrics down, families across
    assert [axes.get_ylabel().split("\n") for axes in grid[:, 0]] == [
        ["LOL (n = 6)", "PSNR (dB)"],
        ["LOL (n = 6)", "SSIM"],
        ["SICE (n = 6)", "PSNR (dB)"],
        ["SICE (n = 6)", "SSIM"],
    ]
    assert [label.get_text() for label in grid[-1, 0].get_xticklabels()] == ["70", "90", "none"]
    for row in grid:
        shown = {line.get_label() for axes in row for line in axes.get_lines()}
        assert shown == {record.title for record in RECORDS.values()}
    (lime,) = [line for line in grid[0, 0].get_lines() if line.get_label() == "LIME"]
    keys = (sound["method"] == "LIME") & (sound["dataset"] == "LOL") & (sound["metric"] == "PSNR")
    at = sound[keys].set_index(sound[keys]["qf"].fillna(100))["value"]
    assert list(lime.get_xdata()) == [0.0, 1.0, 2.0]
    assert list(lime.get_ydata()) == [at[70], at[90], at[100]]


def test_legends_under_the_panels_name_what_the_panels_show_and_fit(sound):
    figure = figures.quality(sound[sound["dataset"] == "LOL"], STYLES)
    figure.draw_without_rendering()
    for name, axes in zip(figures.families(STYLES), figure.axes[4:], strict=True):
        legend = axes.get_legend()
        titles = [STYLES[chain].title for chain in figures.families(STYLES)[name]]
        assert [text.get_text() for text in legend.get_texts()] == titles
        box = legend.get_window_extent().transformed(figure.transFigure.inverted())
        assert 0.0 <= box.x0 <= box.x1 <= 1.0
        assert 0.0 <= box.y0 <= box.y1 <= 1.0


def curve(ap: float) -> Curve:
    recall, precision = np.linspace(0.1, 0.6, 30), np.linspace(1.0, 0.5, 30)
    return Curve(recall, precision, 1 - recall, ap, 20, 10)


def test_precision_recall_curves_are_raw_points_with_the_ap_best_first():
    shown = {"lime": curve(0.4), "mlsm": curve(0.5)}
    figure = figures.precision_recall(shown, 0.5, STYLES)
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.get_lines()] == ["MLSM: AP 0.5000", "LIME: AP 0.4000"]
    assert np.array_equal(axes.get_lines()[0].get_xdata(), shown["mlsm"].recall)
    assert np.array_equal(axes.get_lines()[0].get_ydata(), shown["mlsm"].precision)
    assert axes.get_lines()[0].get_color() == figures.COLOURS["mlsm"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("recall at IoU 0.5", "precision")


def small() -> Figure:
    return figures.precision_recall({"lime": curve(0.4)}, 0.5, STYLES)


def test_one_figure_saved_twice_gives_the_same_bytes(tmp_path: Path):
    for name in ("first", "second"):
        figures.save(small(), tmp_path, name)
    for ending in ("pdf", "png"):
        first, second = (tmp_path / f"{name}.{ending}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
    assert b"CreationDate" not in (tmp_path / "first.pdf").read_bytes()


@pytest.mark.slow
def test_the_stage_draws_every_figure_of_the_profile_in_both_formats(tmp_path, monkeypatch):
    from benchmark.stages import figures as stage
    from benchmark.stages.tables import write_tables

    monkeypatch.setattr("benchmark.core.params.ROOT", tmp_path)
    params = synthetic.write(tmp_path, PARAMS.model_copy(update={"jobs": 1}))
    write_tables(params)
    stage.draw(params)
    names = ["learning"]
    kinds = ["quality", "fig_11_qf90", "quality_cost"]
    kinds += [f"critical_difference_{metric}" for metric in ("psnr", "ssim")]
    names += [f"{kind}_{track}" for kind in kinds for track in ("retrained", "released")]
    expected = {f"{name}.{ending}" for name in names for ending in ("pdf", "png")}
    assert {path.name for path in (params.results / "figures").iterdir()} == expected
