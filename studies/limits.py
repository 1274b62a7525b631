"""What keeps the retrained MLSM below the quality that the paper prints: time, data or design.

`python -m studies.limits --params profiles/lol/params.yaml` writes `limits.md` and the numbers
behind it, `limits.csv`, and the figure `limits.png` beside the profile's tables. Images are those
of the validation split: no test image is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean

import matplotlib
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy import ndimage
from torch import Tensor

from benchmark import methods, stages
from benchmark.core import numerics
from benchmark.core.errors import InputError
from benchmark.core.params import Params
from benchmark.data import manifest
from benchmark.data.lists import TRAIN_LISTS
from benchmark.figures import style
from benchmark.methods import assemble, checkpoints
from benchmark.tables import load
from benchmark.training import plan
from benchmark.training.plan import training_data
from studies import levels
from studies.material import Pictures, pictures, trained
from studies.page import Table, write

METHODS = ("mlsm", "unet")
"""The paper's method and the control."""
MINUTES = (1, 2, 5, 10, 20, 40)
SHARES = (4, 2, 1)
"""The data experiment trains on every fourth pair, every second pair and all pairs."""
STEPS: Mapping[str, int] = {"mlsm": 320, "unet": 1200}
"""Budget of each training of the data experiment: three to four minutes on an idle core."""
BLUR = 16.0
"""Standard deviation in pixels of what counts as smooth: illumination, not detail."""


def curves(logs: Mapping[str, pd.DataFrame], seconds: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return method -> validation PSNR against minutes of training on an idle core.

    Args:
        logs: Trained part -> training log, from `load.logs`.
        seconds: Columns method, part and seconds (per step), as `perf/step_seconds.py` writes them.

    Returns:
        Frames with columns minutes and psnr; the parts that a method's last one is built on have
        been trained before its first minute counts. A method that has no log is left out.
    """
    by_method = {}
    for method, timed in seconds.groupby("method", sort=False):
        pace = dict(zip(timed["part"], timed["seconds"], strict=True))
        keys = {part: checkpoints.trained_path(Path(), str(method), part).stem for part in pace}
        if not set(keys.values()) <= set(logs):
            continue
        spent = [pace[part] * logs[keys[part]]["step"].max() for part in pace if part != "model"]
        last = logs[keys["model"]].dropna(subset=["validation_psnr"])
        minutes = (sum(spent) + pace["model"] * last["step"]) / 60
        by_method[str(method)] = pd.DataFrame({"minutes": minutes, "psnr": last["validation_psnr"]})
    return by_method


def reached(curve: pd.DataFrame, minutes: float) -> float | None:
    """Return the PSNR of the last validation up to a time; None before the first, after the last.

    Half a minute after the last validation counts as its time.
    """
    until = curve[curve["minutes"] <= minutes]
    if until.empty or minutes > curve["minutes"].max() + 0.5:
        return None
    return float(until["psnr"].iloc[-1])


def time(by_method: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> Table:
    """Would longer training help?"""
    rows = []
    for name, curve in by_method.items():
        values = [reached(curve, minutes) for minutes in MINUTES]
        cells = ["" if value is None else f"{value:.2f}" for value in values]
        last = curve.iloc[-1]
        rows.append([titles[name], *cells, f"{last['psnr']:.2f}", f"{last['minutes']:.0f}"])
    rows.sort(key=lambda row: -float(row[-2]))
    return Table(
        "Time: validation PSNR against training time",
        "Of all methods that learn to brighten, on 16 crops of the scenes held out. Minutes of an "
        "idle core, from the step times that perf/step_seconds.py measured; MLSM's include both "
        "VAEs. The learning rate falls to 0 at the end of each budget, so a value in the middle is "
        "below what a training of that length would give. The curves: limits.png.",
        ["method", *(f"{minutes} min" for minutes in MINUTES), "at the end", "end, min"],
        rows,
    )


def draw(by_method: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> Figure:
    """Draw validation PSNR against training time, both of `METHODS` strong, the others faint."""
    with matplotlib.rc_context(style.SETTINGS):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        strong = {"mlsm": style.COLOURS["mlsm"], "unet": style.SPARE[2]}
        for name, curve in by_method.items():
            axes.plot(
                curve["minutes"],
                curve["psnr"],
                color=strong.get(name, style.SPARE[0]),
                alpha=1.0 if name in strong else 0.35,
                linewidth=2.0 if name in strong else 0.8,
                zorder=3 if name in strong else 2,
                label=titles[name] if name in strong else None,
            )
        axes.plot([], [], color=style.SPARE[0], alpha=0.35, label="all others")
        axes.set(
            xscale="log",
            xlabel="minutes of training on an idle core",
            ylabel="validation PSNR (dB)",
        )
        axes.set_xticks(MINUTES, [str(minutes) for minutes in MINUTES])
        axes.minorticks_off()
        axes.legend(loc="lower right")
    return figure


def reduced(data: plan.TrainingData, every: int, folder: Path) -> plan.TrainingData:
    """Return the data with only every n-th training pair and the same validation pairs.

    Args:
        data: All training data.
        every: The number n.
        folder: Folder for the lists.
    """
    for name in TRAIN_LISTS:
        listed = manifest.read_manifest(data.lists / f"{name}.csv")
        train = listed["split"] == "train"
        if name == "mapping_pairs":
            kept = ~train | (train.cumsum() % every == 0)
            listed = listed[kept]
        manifest.write_manifest(listed, folder / f"{name}.csv")
    return data._replace(lists=folder)


def amount(params: Params, data: plan.TrainingData) -> Table:
    """Would more pairs help?"""
    rows = []
    for every in SHARES:
        part = reduced(data, every, params.work / "limits" / str(every))
        count = len(plan.items(part, "pairs", params.train_qfs)["train"])
        cells = [str(count)]
        for name in METHODS:
            before = {
                earlier: checkpoints.load(
                    checkpoints.trained_path(params.weights, name, earlier), name, earlier
                )
                for earlier in plan.parts_before(methods.find(name), "model")
            }
            _, log = trained(params, part, name, "model", STEPS[name], before=before)
            cells.append(f"{log[-1]['validation_psnr']:.2f}")
        rows.append(cells)
    return Table(
        "Data: validation PSNR against the number of training pairs",
        f"Equal budgets in a column ({STEPS['mlsm']} steps of MLSM's second stage on VAEs that saw "
        f"all images, {STEPS['unet']} of the UNet), one seed, PSNR in dB after the last step. LOL "
        "has 485 training pairs, the paper's merged set 2,129.",
        ["training pairs", "MLSM, second stage", "UNet"],
        rows,
    )


def corrected(output: Tensor, reference: Tensor) -> list[float]:
    """Return the PSNR in dB of (1, 3, H, W) as it is and with part of its error forgiven.

    Returns:
        PSNR as it is; with the gain that gives it the reference's mean; with the best gain and
        offset of each channel; without the smooth part of the error (blurred with `BLUR`).
    """
    output = output.clamp(0, 1)
    gain = reference.mean() / output.mean().clamp(min=1e-6)
    x, y = output.flatten(2), reference.flatten(2)
    x_mean, y_mean = x.mean(2, keepdim=True), y.mean(2, keepdim=True)
    variance = (x - x_mean).square().mean(2, keepdim=True).clamp(min=1e-9)
    slope = ((x - x_mean) * (y - y_mean)).mean(2, keepdim=True) / variance
    fitted = (slope * (x - x_mean) + y_mean).reshape(output.shape)
    error = (reference - output).numpy()
    smooth = ndimage.gaussian_filter(error, (0, 0, BLUR, BLUR), mode="mirror", truncate=3.0)
    return [
        levels.psnr(candidate, reference)
        for candidate in (output, output * gain, fitted, output + torch.from_numpy(smooth))
    ]


def kinds(params: Params, validation: Pictures) -> Table:
    """Is it brightness, colour, illumination or detail that is wrong?"""
    rows = []
    for name in METHODS:
        (step,) = assemble.assemble(methods.Chain.parse(name), "retrained", params.weights)
        values = []
        for dark, normal in zip(validation.compressed, validation.normal, strict=True):
            output = step.method(np.ascontiguousarray(dark[0].permute(1, 2, 0).numpy()))
            image = torch.from_numpy(output.copy()).permute(2, 0, 1)[None]
            values.append(corrected(image, normal))
        means = [mean(column) for column in zip(*values, strict=True)]
        rows.append([methods.find(name).title, *(f"{value:.2f}" for value in means)])
    return Table(
        "Errors: what part of the error is what",
        f"PSNR in dB on whole validation images at QF {validation.qf}, as enhanced, and if part of "
        "the error were forgiven: one gain an image, the best gain and offset of each channel, and "
        f"all that is smooth (a Gaussian of {BLUR:.0f} pixels). What is left in the last column is "
        "detail, noise and blocks.",
        ["method", "as it is", "mean brightness", "gain and offset, by channel", "smooth error"],
        rows,
    )


def tables(params: Params) -> Iterator[Table]:
    """Yield one table for each question, and draw the first one's curves."""
    numerics.use_threads(params.threads)
    data = training_data(params)
    path = params.results / "step_seconds.csv"
    if not path.is_file():
        raise InputError(f"{path} is missing: run `python perf/step_seconds.py` for this profile.")
    seconds = pd.read_csv(path)
    brighten = [methods.find(name).role != "deblocker" for name in seconds["method"]]
    by_method = curves(load.logs(params), seconds[brighten])
    titles = {name: methods.find(name).title for name in by_method}
    style.save(draw(by_method, titles), params.results, "limits")
    yield time(by_method, titles)
    yield amount(params, data)
    with torch.no_grad():
        yield kinds(params, pictures(params, data, max(params.train_qfs)))


def study(params: Params) -> None:
    """Write the study of a profile."""
    content: Sequence[Table] = list(tables(params))
    write("limits", "What limits the retrained MLSM", params, content)


if __name__ == "__main__":
    stages.run(study)
