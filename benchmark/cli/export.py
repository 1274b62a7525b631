"""Command `mlsm-bench export`: export a method's network for other programs."""

import time
from pathlib import Path
from typing import Annotated

import typer

from benchmark import ROOT
from benchmark.cli.options import TrackOption, WeightsOption, chosen_track
from benchmark.core import files
from benchmark.core.console import note, say, shown
from benchmark.core.errors import InputError


def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file.")] = Path(
        "mlsm.onnx"
    ),
    method: Annotated[str, typer.Option(help="A method that is one network.")] = "mlsm",
    multiple: Annotated[
        int, typer.Option(min=1, help="What height and width of its inputs are multiples of.")
    ] = 16,
    track: TrackOption = "auto",
    weights: WeightsOption = "lol",
) -> None:
    """Write a network as ONNX, for images of any size, and check it under onnxruntime.

    Input `dark` and output `enhanced` are float32 (1, 3, H, W), sRGB, 0 to 1. H and W must be
    multiples of 16 (two of them at least): reflect the image to the right and below, and crop.
    """
    from benchmark import methods
    from benchmark.methods import assemble
    from benchmark.photographs import enhance, onnx_export

    started = time.monotonic()
    files.check(output)
    chain = methods.Chain.parse(method)
    trained = ROOT / "weights" / weights
    steps = assemble.assemble(chain, chosen_track(chain, track, trained), trained)
    network = enhance.network_of(steps[0])
    if len(steps) > 1 or network is None:
        raise InputError(f"Option --method must name one network, but got {method!r}: try mlsm.")
    apart = onnx_export.to_onnx(network, output, multiple)
    say(shown(output))
    seconds = time.monotonic() - started
    note(
        f"wrote {shown(output)} in {seconds:.1f} s; it differs from PyTorch by {apart:.1e} at most"
    )
