"""Quality against the quality factor of the input, from 10 to 100, trained for or not.

The tables hold the four quality factors of the paper. A model meets others in the wild; this shows
what it does there. The same test images, metrics and code as the tables', protocol `sound`.
"""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from benchmark import (
    compression,
    datasets,
    figures,
    jobs,
    merge,
    methods,
    outputs,
    pairs,
    plan,
    rows,
    scoring,
)
from benchmark.inputs import TestInput
from benchmark.params import Params
from benchmark.terms import Track

COLUMNS = ["dataset", "chain", "track", "qf", "metric", "n", "value"]
METRICS = ("psnr", "ssim", "bef")


def cases(params: Params, folder: Path) -> list[TestInput]:
    """Compress every test image at every quality factor of the curve.

    Args:
        params: The profile.
        folder: For the JPEG files; those that exist are kept.
    """
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    tests = params.work / "merge" / "test"
    lists: dict[str, pd.DataFrame] = {
        name: pairs.read_manifest(tests / f"{name}.csv") for name in params.merge.test
    }
    cells = [cell for listed in lists.values() for cell in listed["dark"]]
    compression.compress(cells, params.curve.qfs, places, folder, params.jobs)
    listed = compression.cases(lists, params.curve.qfs)
    outputs.write_text(folder / "curve.csv", listed.to_csv(index=False, lineterminator="\n"))
    return compression.read_cases(folder / "curve.csv", folder, places)


def measure(params: Params, folder: Path) -> pd.DataFrame:
    """Return the means over images, `COLUMNS`, of every chain of the curve.

    A chain is measured with retrained weights, or classical; an interrupted run goes on.
    """
    inputs = cases(params, folder)
    found = []
    for text in params.curve.chains:
        chain = methods.Chain.parse(text, params.methods)
        track: Track = "retrained" if chain.learned else "classical"
        work = [jobs.Job(chain, track, params.weights, case) for case in inputs]
        journal = plan.journal(params, text, track, "scores", scoring.__name__)
        found += scoring.rows(params.profile, work, journal, params.jobs)
    means = rows.means(rows.frame(found))
    kept = means[(means["protocol"] == "sound") & means["metric"].isin(METRICS)]
    return kept[COLUMNS].reset_index(drop=True)


def draw(cells: pd.DataFrame, params: Params, drawn: figures.Styles) -> Figure:
    """Draw PSNR and SSIM against the quality factor; a band marks those of the training."""
    names = {text: methods.Chain.parse(text) for text in params.curve.chains}
    shown = ("psnr", "ssim")
    sets = list(cells["dataset"].unique())
    figure = Figure(figsize=(3.6 * len(sets), 2.6 * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), len(sets), squeeze=False, sharex=True)
    for row, metric in enumerate(shown):
        for column, dataset in enumerate(sets):
            panel = axes[row][column]
            panel.axvspan(min(params.train_qfs), max(params.train_qfs), color="0.93", zorder=0)
            here = cells[(cells["dataset"] == dataset) & (cells["metric"] == metric)]
            for text, chain in names.items():
                line = here[here["chain"] == text].sort_values("qf")
                style = drawn[chain.title, chain.order]
                panel.plot(
                    line["qf"],
                    line["value"],
                    label=chain.title,
                    color=style.colour,
                    linestyle=style.line,
                    marker=style.marker,
                    linewidth=style.width,
                )
                outside = line[~line["qf"].isin(params.train_qfs)]
                panel.plot(
                    outside["qf"],
                    outside["value"],
                    linestyle="",
                    marker=style.marker,
                    markerfacecolor="white",
                    color=style.colour,
                )
            panel.set_ylabel({"psnr": "PSNR (dB)", "ssim": "SSIM"}[metric])
            panel.grid(alpha=0.25)
            if row == 0:
                panel.set_title(dataset)
            if row == len(shown) - 1:
                panel.set_xlabel("QF (hollow: never trained on)")
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def words(cells: pd.DataFrame) -> dict[str, str]:
    """Return what the figure says, for readers who cannot see it, and its caption."""
    chosen = cells[cells["metric"] == "psnr"]
    told = []
    for (dataset, chain), group in chosen.groupby(["dataset", "chain"], sort=False):
        points = group.sort_values("qf")[["value", "qf"]].itertuples(index=False, name=None)
        values = ", ".join(f"{value:.2f} dB at QF {qf}" for value, qf in points)
        told.append(f"{dataset}, {chain}: {values}")
    return {
        "alt": "PSNR and SSIM against the quality factor of the input. " + "; ".join(told) + ".",
        "caption": "Quality against the quality factor of the input; grey: the range of the "
        "training, hollow: never trained on.",
    }
