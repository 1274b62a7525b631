"""Commands `mlsm-bench detect`: score detections of other tools."""

import json
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark.cli.options import JsonOption, distinct

app = typer.Typer(no_args_is_help=True)


@app.callback()
def describe() -> None:
    """Detections of faces in the dark."""


@app.command("score")
def score(
    labels: Annotated[
        Path,
        typer.Option(
            help="Folder of DARK FACE labels, WIDER FACE annotations, or COCO ground truth (.json)."
        ),
    ],
    detections: Annotated[
        Path,
        typer.Option(
            help="Folder with a file an image (`x0 y0 x1 y1 score` a line, as DARK FACE wants "
            "submissions, or WIDER FACE's submissions), COCO results (.json), or a table of this "
            "suite (.parquet)."
        ),
    ],
    iou: Annotated[
        list[float] | None, typer.Option(help="Least overlap of a hit, may be repeated.")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(help="all_point, df1000, coco101 or voc11; may be repeated."),
    ] = None,
    boxes: Annotated[
        str | None,
        typer.Option(
            help="xyxy or xywh; by default corners, for COCO and WIDER FACE x y width height."
        ),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(help="Id or name of the category to score, where COCO files have several."),
    ] = None,
    draws: Annotated[int, typer.Option(help="Resamples behind the interval; 0: none.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of the resamples.")] = 2403,
    as_json: JsonOption = False,
) -> None:
    """Score detections against labels: average precision, precision at recalls, interval.

    Regions that the labels mark as not counting (WIDER FACE's invalid faces, COCO's iscrowd and
    ignore) make a detection neither a hit nor false. Text files are UTF-8, or begin with a byte
    order mark.
    """
    from benchmark.core.console import note, print_rows, say
    from benchmark.core.errors import InputError
    from benchmark.faces import scores
    from benchmark.faces.formats import readings, submissions

    started = time.monotonic()
    if boxes not in (None, "xyxy", "xywh"):
        raise InputError(f"Option --boxes must be xyxy or xywh, but got {boxes!r}.")
    layout: Literal["xyxy", "xywh"] | None = boxes  # type: ignore[assignment]
    ious = tuple(distinct("--iou", iou or [0.5]))
    protocols = tuple(distinct("--protocol", protocol or ["all_point"]))
    settings = scores.Asked(ious, protocols, seed, draws)
    loaded = submissions.load(labels, detections, layout, category)
    rows = scores.summary(loaded.truth, loaded.found, settings)
    if as_json:
        say(json.dumps(rows, indent=2))
    else:
        print_rows(rows, False)
    warning = readings.unmet(loaded.truth, loaded.found, min(settings.ious))
    if warning:
        note(f"warning: {warning}")
    note(f"{loaded.described()} in {time.monotonic() - started:.1f} s")
