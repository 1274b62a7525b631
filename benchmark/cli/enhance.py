"""Command `mlsm-bench enhance`: enhance photographs with a chain, by default MLSM."""

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark import ROOT
from benchmark.cli.options import TrackOption, WeightsOption, chosen_track
from benchmark.core.console import note, printable, shown
from benchmark.core.errors import InputError


def enhance(
    inputs: Annotated[
        list[str],
        typer.Argument(help="Photographs, folders of them, or patterns such as 'night/*.jpg'."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    chain: Annotated[str, typer.Option(help="Methods, left to right.")] = "mlsm",
    form: Annotated[
        Literal["png", "jpeg", "tiff"],
        typer.Option("--format", help="Format of the results; png and tiff keep every pixel."),
    ] = "png",
    quality: Annotated[
        int, typer.Option(min=1, max=100, help="JPEG quality factor, with --format jpeg.")
    ] = 95,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write before and after beside each other.")
    ] = False,
    megapixels: Annotated[
        float,
        typer.Option("--max-megapixels", min=0.0, help="Size up to which photographs are read."),
    ] = 400.0,
    memory: Annotated[
        float,
        typer.Option(min=0.0, help="Gigabytes of feature maps to keep; more saves time."),
    ] = 2.5,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Write over files that exist.")
    ] = False,
    track: TrackOption = "auto",
    weights: WeightsOption = "lol",
) -> None:
    """Brighten photographs and remove their JPEG blocks.

    Folders keep their structure. Results are upright and keep EXIF data and colour profile; each
    page of a TIFF file becomes a file of its own.
    Exit status 1: a photograph could not be enhanced; the others were.
    """
    from tqdm import tqdm

    from benchmark import methods
    from benchmark.methods import assemble
    from benchmark.photographs.enhance import OutputOptions, plan, run

    started = time.monotonic()
    parsed = methods.Chain.parse(chain)
    trained = ROOT / "weights" / weights
    options = OutputOptions(form, quality, compare, overwrite, megapixels, memory)
    tasks = plan(inputs, output, options)
    steps = assemble.assemble(parsed, chosen_track(parsed, track, trained), trained)
    failed = 0
    with tqdm(total=len(tasks), desc=chain, unit="image", bar_format=_BAR) as bar:
        for done, task in enumerate(tasks):

            def progress(share: float, before: int = done) -> None:
                bar.n = before + share
                bar.refresh()

            try:
                notes = run(task, steps, options, progress)
            except InputError as error:
                failed += 1
                bar.write(printable(f"error: {error}", sys.stderr), file=sys.stderr)
            else:
                bar.write(printable(shown(task.target), sys.stdout))
                for remark in notes:
                    words = f"warning: {task.title} {remark}"
                    bar.write(printable(words, sys.stderr), file=sys.stderr)
            progress(1.0)
    seconds = time.monotonic() - started
    note(f"wrote {len(tasks) - failed} images to {shown(output)} in {seconds:.1f} s")
    if failed:
        note(f"{failed} of {len(tasks)} images could not be enhanced")
        raise typer.Exit(1)


_BAR = "{desc}: {percentage:3.0f}% |{bar}| {n:.1f}/{total} images [{elapsed}<{remaining}]"
