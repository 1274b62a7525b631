"""Outputs of every chain on a few test images, small enough to stand inside the report."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import PIL.Image

from benchmark import methods
from benchmark.core import files, jsonfile, parallel
from benchmark.core.errors import InputError
from benchmark.core.images import Bytes, read_uint8
from benchmark.core.params import Params
from benchmark.scoring import kept_outputs, plan
from benchmark.scoring.jobs import Job

LARGEST_PX = 480
"""Longest side: larger images are cut to their centre, because scaling would hide the blocks."""
QUALITIES = (90, 80, 70, 60, 50)
"""Qualities of the WebP files; the first that keeps to `MOST_BYTES` is used."""
MOST_BYTES = 5_000_000
"""Largest size of all pictures together; base64 adds a third."""
INDEX = "index.json"
DARK, REFERENCE = "dark", "reference"


class Chosen(NamedTuple):
    """A test image that the report shows.

    Attributes:
        dataset: Its raw set.
        image: Its name there.
        quantile: Quantile of PSNR that it was chosen for.
        psnr: PSNR of the chain that the choice is based on, in dB.
    """

    dataset: str
    image: str
    quantile: float
    psnr: float


def choose(rows: pd.DataFrame, quantiles: Sequence[float]) -> list[Chosen]:
    """Return the images at quantiles of PSNR: the nearest rank, so that each is an image.

    Args:
        rows: Rows of one chain, track and quality factor under protocol `sound`; see
            `benchmark.scoring.results`.
        quantiles: In [0, 1]; two of them that meet in one image choose it once.
    """
    psnr = rows[rows["metric"] == "psnr"]
    ordered = psnr.sort_values(["value", "dataset", "image"], kind="stable", ignore_index=True)
    by_place: dict[int, Chosen] = {}
    for quantile in quantiles if len(ordered) else ():
        place = round(quantile * (len(ordered) - 1))
        dataset, image, value = ordered[["dataset", "image", "value"]].to_numpy()[place]
        chosen = Chosen(str(dataset), str(image), quantile, float(value))
        by_place.setdefault(place, chosen)
    return list(by_place.values())


def rule(params: Params) -> str:
    """Return in words which images are shown."""
    if not params.chains:
        return NO_CHAIN
    if not params.previews:
        return (
            "This profile shows no pictures: their licence is the data set's own. Name quantiles "
            "under previews in its params.yaml to see them on this machine."
        )
    percents = ", ".join(f"{quantile * 100:g}" for quantile in params.previews)
    return (
        f"Every chain on the images at the {percents} % quantiles of the PSNR of "
        f"{methods.Chain.parse(guide(params)).title} over all test images at QF "
        f"{min(params.qfs)}, the lowest; chosen by this rule alone."
    )


def guide(params: Params) -> str:
    """Return the chain whose PSNR decides on the images: the paper's method if there is one."""
    return "mlsm" if "mlsm" in params.chains else params.chains[0]


NO_CHAIN = "No image is shown: the profile measures no image quality."


@dataclass(frozen=True)
class _Work:
    """One picture: a chain's output, kept in a folder, or one side of the pair without a chain."""

    job: Job
    kind: str
    kept: Path | None = None


def make(params: Params, rows: pd.DataFrame, folder: Path) -> None:
    """Write the pictures of a profile and their index.

    Args:
        params: The profile.
        rows: Rows of `guide`, every track and quality factor.
        folder: Folder of `index.json` and one WebP file for each picture.
    """
    folder.mkdir(parents=True, exist_ok=True)
    qf = min(params.qfs, default=0)
    index: dict[str, Any] = {"rule": rule(params), "qf": qf, "quality": 0, "images": []}
    if params.chains and params.previews:
        first = rows[(rows["protocol"] == "sound") & (rows["qf"] == qf)]
        chosen = choose(first[first["track"] == first["track"].iloc[0]], params.previews)
        work = _planned(params, chosen)
        pixels = list(parallel.map_parallel(_pixels, work, params.jobs, "pictures"))
        index["quality"], contents = _encoded(pixels)
        index["images"] = _written(chosen, work, pixels, contents, folder)
    jsonfile.write(folder / INDEX, index)


def _planned(params: Params, chosen: Sequence[Chosen]) -> list[_Work]:
    planned: list[_Work] = []
    for chain in params.chains:
        for track, of_track in plan.planned(params, chain, "scores").items():
            kept = kept_outputs.folder(params, chain, track)
            by_case = {(job.case.dataset, job.case.image, job.case.qf): job for job in of_track}
            for choice in chosen:
                job = by_case[choice.dataset, choice.image, min(params.qfs)]
                if chain == params.chains[0]:
                    planned += [_Work(job, DARK), _Work(job, REFERENCE)]
                planned.append(_Work(job, f"{chain} {track}", kept))
    return list({(_where(work), work.kind): work for work in planned}.values())


def _where(work: _Work) -> tuple[str, str]:
    return work.job.case.dataset, work.job.case.image


def _pixels(work: _Work) -> Bytes:
    job = work.job
    if job.case.reference is None:
        raise InputError(f"{job.case.input} has no reference: pictures need pairs.")
    if work.kind == REFERENCE:
        return _centre(read_uint8(job.case.reference))
    pixels = read_uint8(job.case.input)
    if work.kind == DARK:
        return _centre(pixels)
    assert work.kept is not None  # every other kind is an output
    return _centre(kept_outputs.output(job, work.kept))


def _centre(pixels: Bytes) -> Bytes:
    """Cut the centre on multiples of 8, so that the blocks stay where they were."""
    cuts = []
    for side in pixels.shape[:2]:
        start = max(0, side - LARGEST_PX) // 2 // 8 * 8
        cuts.append(slice(start, start + min(side, LARGEST_PX)))
    return pixels[cuts[0], cuts[1]]


def _encoded(pictures: Sequence[Bytes]) -> tuple[int, list[bytes]]:
    """Return the quality and the files, the best that keep to the budget.

    Raises:
        InputError: No quality keeps to the budget.
    """
    for quality in QUALITIES:
        contents = [_webp(pixels, quality) for pixels in pictures]
        if sum(map(len, contents)) <= MOST_BYTES:
            return quality, contents
    raise InputError(
        f"{len(pictures)} pictures do not fit into {MOST_BYTES:,} bytes: name fewer quantiles "
        "under previews in params.yaml."
    )


def _webp(pixels: Bytes, quality: int) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, "webp", quality=quality, method=6)
    return stream.getvalue()


def _written(
    chosen: Sequence[Chosen],
    work: Sequence[_Work],
    pixels: Sequence[Bytes],
    contents: Sequence[bytes],
    folder: Path,
) -> list[dict[str, Any]]:
    images = []
    for number, choice in enumerate(chosen):
        names: list[list[str]] = []  # JSON files sort keys, and this order counts
        size = (0, 0)
        for picture, of_picture, content in zip(work, pixels, contents, strict=True):
            if _where(picture) == (choice.dataset, choice.image):
                name = f"{number}_{picture.kind.replace(' ', '_')}.webp"
                files.write_bytes(folder / name, content)
                names.append([picture.kind, name])
                size = of_picture.shape[1], of_picture.shape[0]
        images.append(choice._asdict() | {"width": size[0], "height": size[1], "files": names})
    return images
