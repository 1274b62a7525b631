"""The ablation ladder of MLSM's training: what each choice is worth on validation scenes.

    python -m studies.ladder [--params profiles/lol/params.yaml] [--only NAME ...]

Each row of `studies/ladder.yaml` is trained once with the profile's seed, about as long as the
others, and compared with another row image by image, on whole validation images. What a row
reached is kept beside the page and found again by its settings, seed and images, so that the ladder
can be climbed over several days; the digest of the code that trained it stands beside it. Test
images are never read.
"""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from benchmark import methods
from benchmark.core import jsonfile, statistics
from benchmark.core import params as profiles
from benchmark.core.console import say
from benchmark.core.hashing import digest_values
from benchmark.core.images import read_uint8, to_float, to_uint8
from benchmark.core.params import Params, Training
from benchmark.data import lists, manifest
from benchmark.scoring import metrics, perceptual
from benchmark.training import plan
from studies import material, page

ROWS = Path(__file__).with_suffix(".yaml")
QFS = (90, 60)
KEPT = "ladder.json"
"""Name of the file in the profile's results that keeps what rows reached."""


class Rung(NamedTuple):
    """What a row reached on the validation images.

    Attributes:
        psnr: (qf, image) in dB.
        matched: The same after matching the mean (`benchmark.scoring.perceptual.psnr_gtmean`).
        means: (3, image): mean levels of output, reference and input at the first quality factor.
        minutes: Of the last part, in wall time.
        code: Digest of the code that trained it.
    """

    psnr: NDArray[np.float64]
    matched: NDArray[np.float64]
    means: NDArray[np.float64]
    minutes: float
    code: str

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, rounded to what the page shows and two digits more."""
        arrays = {name: getattr(self, name).round(4).tolist() for name in self._fields[:3]}
        return arrays | {"minutes": self.minutes, "code": self.code}

    @classmethod
    def from_plain(cls, content: dict[str, Any]) -> "Rung":
        """Return what `to_plain` wrote down."""
        psnr, matched, means = (np.array(content[name]) for name in cls._fields[:3])
        return cls(psnr, matched, means, content["minutes"], content["code"])


def settings(params: Params, row: dict[str, Any], vaes: dict[str, Any], ema: float) -> Training:
    """Return the training settings of a row."""
    usual = params.training[row["of"]]
    keys = ("steps", "batch", "crop", "precision")
    own = {key: row[key] for key in keys if key in row}
    own |= {"schedule": "linear", "ema": ema, "settings": usual.settings | row.get("settings", {})}
    parts = {name: Training(**vaes) for name in methods.find(row["of"]).parts[:-1]}
    return usual.model_copy(update={**own, "parts": parts})


def climb(
    params: Params, data: plan.TrainingData, row: dict[str, Any], book: dict[str, Any]
) -> Rung:
    """Train a row and measure it."""
    chosen = settings(params, row, book["vaes"], book["ema"])
    usual = settings(params, {"of": row["of"], "steps": 1}, book["vaes"], book["ema"])
    earlier = chosen if row.get("own_vaes") else usual
    before = {
        part: material.trained_as(params, data, row["of"], part, earlier)[0]
        for part in plan.parts_before(methods.find(row["of"]), "model")
    }
    checkpoint, _ = material.trained_as(params, data, row["of"], "model", chosen, before)
    method = methods.find(row["of"])(checkpoint.state, **checkpoint.settings)
    psnr, matched, means = [], [], []
    for qf in QFS:
        for item in plan.items(data, "pairs", [qf])["validation"]:
            dark, normal = read_uint8(item.inputs[qf]), read_uint8(item.target)
            output = to_uint8(method(to_float(dark)))
            psnr.append(metrics.METRICS["sound", "psnr"](output, normal))
            matched.append(perceptual.psnr_gtmean(output, normal))
            means.append((output.mean(), normal.mean(), dark.mean()))
    by_qf = np.array(psnr).reshape(len(QFS), -1), np.array(matched).reshape(len(QFS), -1)
    first = np.array(means)[: by_qf[0].shape[1]].T
    record = checkpoint.record
    return Rung(*by_qf, first, float(record["minutes"]), str(record["code"]))


def key(params: Params, data: plan.TrainingData, row: dict[str, Any], book: dict[str, Any]) -> str:
    """Return the digest by which a row is found again: settings, seed and images, without code.

    Further seeds that the profile trains the method with are nothing to the row, which has one.
    """
    chosen = settings(params, row, book["vaes"], book["ema"])
    images = [manifest.read_manifest(data.lists / f"{name}.csv") for name in lists.TRAIN_LISTS]
    digests = [listed[["split", "dark_sha256"]].to_numpy().tolist() for listed in images]
    return digest_values(
        [row["of"], chosen.model_dump(exclude={"seeds"}), params.seed, params.threads, digests]
    )


def table(rows: list[dict[str, Any]], rungs: list[Rung], params: Params) -> page.Table:
    """Return the ladder as a table; differences are from the row that each names, or the first."""
    cells, by_name = [], {row["name"]: rung for row, rung in zip(rows, rungs, strict=True)}
    for row, rung in zip(rows, rungs, strict=True):
        other = row.get("against", rows[0]["name"])
        apart = _apart(rung, by_name.get(other), params)
        follows = np.corrcoef(rung.means[0], rung.means[1])[0, 1]
        cells.append(
            [
                row["name"],
                row["what"],
                *(f"{values.mean():.2f}" for values in rung.psnr),
                f"{rung.matched[0].mean():.2f}",
                f"{apart} to {other}" if apart else "",
                f"{follows:+.2f}",
                f"{rung.minutes:.0f}",
            ]
        )
    images = rungs[0].psnr.shape[1]
    known = np.corrcoef(rungs[0].means[2], rungs[0].means[1])[0, 1]
    return page.Table(
        "Ladder: choices of training, one at a time",
        f"Mean PSNR in dB over {images} whole validation images at QF {QFS[0]} and {QFS[1]}; at "
        f"QF {QFS[0]} also after one gain an image that matches the reference's mean, which no "
        "user can do; the difference to another row, paired by image, with its 95 % bootstrap "
        "interval; and how the output's mean level follows the reference's over images "
        f"(correlation; the dark image's mean has {known:+.2f}). One seed ({params.seed}), one "
        "thread; minutes of the last part on a machine that did other work beside it.",
        ["row", "what", *(f"QF {qf}" for qf in QFS), "mean matched", "difference",
         "follows the mean", "minutes"],
        cells,
    )  # fmt: skip


def _apart(rung: Rung, other: Rung | None, params: Params) -> str:
    """Return the difference of two rows with its interval; "" of a row to itself or to nothing."""
    if other is None or other is rung:
        return ""
    apart = rung.psnr[0] - other.psnr[0]
    mean = statistics.mean_interval(apart, params.seed, params.bootstrap)
    return f"{mean.value:+.2f} ({mean.low:+.2f} to {mean.high:+.2f})"


def main() -> None:
    """Train and measure rows, and write the page of all that were measured."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--params", type=Path, default=Path("profiles/lol/params.yaml"))
    parser.add_argument("--only", nargs="*", help="names of rows to train; the others are told")
    asked = parser.parse_args()
    params = profiles.load(asked.params)
    book = yaml.safe_load(ROWS.read_text())
    rows = [row for row in book["rows"] if not asked.only or row["name"] in asked.only]
    data, path = plan.training_data(params), params.results / KEPT
    kept = jsonfile.read(path) if path.is_file() else {}
    for row in rows:
        own = key(params, data, row, book)
        if own not in kept:
            kept[own] = {"row": row["name"]} | climb(params, data, row, book).to_plain()
            jsonfile.write(path, kept)
        means = Rung.from_plain(kept[own]).psnr.mean(axis=1).round(2).tolist()
        say(f"{row['name']}: {means} dB at QF {QFS}")
    found = [(row, kept.get(key(params, data, row, book))) for row in book["rows"]]
    done = [(row, Rung.from_plain(content)) for row, content in found if content]
    if done:
        climbed, rungs = (list(column) for column in zip(*done, strict=True))
        page.write("ladder", "MLSM's ablation ladder", params, [table(climbed, rungs, params)])


if __name__ == "__main__":
    main()
