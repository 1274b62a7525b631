"""The figure of quality against the quality factor of the input, from 10 to 100."""

import pandas as pd
from matplotlib.figure import Figure

from benchmark.core.params import Params
from benchmark.figures import style


def draw(cells: pd.DataFrame, params: Params, drawn: style.Styles) -> Figure:
    """Draw PSNR and SSIM against the quality factor; a band marks those of the training."""
    shown = ("psnr", "ssim")
    sets = list(cells["dataset"].unique())
    figure = Figure(figsize=(3.6 * len(sets), 2.6 * len(shown)), layout="constrained")
    axes = figure.subplots(len(shown), len(sets), squeeze=False, sharex=True)
    for row, metric in enumerate(shown):
        for column, dataset in enumerate(sets):
            panel = axes[row][column]
            panel.axvspan(min(params.train_qfs), max(params.train_qfs), color="0.93", zorder=0)
            here = cells[(cells["dataset"] == dataset) & (cells["metric"] == metric)]
            for chain in params.curve.chains:
                line = here[here["chain"] == chain].sort_values("qf")
                own = drawn[chain]
                panel.plot(
                    line["qf"],
                    line["value"],
                    label=own.title,
                    color=own.colour,
                    linestyle=own.line,
                    marker=own.marker,
                    linewidth=own.width,
                )
                outside = line[~line["qf"].isin(params.train_qfs)]
                panel.plot(
                    outside["qf"],
                    outside["value"],
                    linestyle="",
                    marker=own.marker,
                    markerfacecolor="white",
                    color=own.colour,
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
    """Return the alternative text and the caption of the figure."""
    chosen = cells[cells["metric"] == "psnr"]
    curves = []
    for (dataset, chain), group in chosen.groupby(["dataset", "chain"], sort=False):
        points = group.sort_values("qf")[["value", "qf"]].itertuples(index=False, name=None)
        values = ", ".join(f"{value:.2f} dB at QF {qf}" for value, qf in points)
        curves.append(f"{dataset}, {chain}: {values}")
    return {
        "alt": "PSNR and SSIM against the quality factor of the input. " + "; ".join(curves) + ".",
        "caption": "Quality against the quality factor of the input; grey: the range of the "
        "training, hollow: never trained on.",
    }
