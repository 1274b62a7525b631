"""Count the denormal numbers in every released file, and show that flushing them moves no pixel.

    MLSM_BENCH_DATA=... python perf/denormals.py > perf/denormals.md

Reads each file of weights below MLSM_BENCH_DATA/weights, an optimiser's state included. Where the
suite has the method, a crop of LOL's first dark test image goes through it twice on one thread,
denormals kept and denormals flushed: seconds of both, and how many of the output's 8-bit values
differ. DnCNN's file needs h5py.
"""

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import io

from benchmark import methods
from benchmark.core import environment, images, numerics
from benchmark.core.images import Bytes
from benchmark.data import registry
from benchmark.methods import assemble, released

WIDTH, HEIGHT = 150, 100
HEADS = (
    "file",
    "numbers",
    "denormal",
    "methods",
    "s kept",
    "s flushed",
    "8-bit values that differ",
)

CALLBACK = "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint"
STAND_INS: list[Any] = [(type("Callback", (), {}), CALLBACK)]
"""What a file names besides numbers, as a class without any code."""


def arrays(path: Path) -> Iterator[NDArray[Any]]:
    """Yield the floating-point numbers of a file of weights."""
    if path.suffix == ".onnx":
        import onnx
        from onnx import numpy_helper

        yield from map(numpy_helper.to_array, onnx.load(path).graph.initializer)
    elif path.suffix == ".mat" and b"HDF5" in path.read_bytes()[:512]:
        import h5py

        held: list[NDArray[Any]] = []
        with h5py.File(path) as file:
            file.visititems(lambda _, x: held.append(x[()]) if hasattr(x, "dtype") else None)
        yield from held
    elif path.suffix == ".mat":
        yield from _within(io.loadmat(path))
    else:
        with torch.serialization.safe_globals([argparse.Namespace, *STAND_INS]):
            yield from _within(torch.load(path, map_location="cpu", weights_only=True))


def _within(value: Any) -> Iterator[NDArray[Any]]:
    if isinstance(value, torch.Tensor):
        yield value.detach().numpy()
    elif isinstance(value, np.ndarray) and value.dtype == object:
        for entry in value.flat:
            yield from _within(entry)
    elif isinstance(value, np.ndarray) and value.dtype.names:
        for name in value.dtype.names:
            yield from _within(value[name])
    elif isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _within(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _within(entry)


def counts(path: Path) -> tuple[int, int]:
    """Return how many floating-point numbers a file holds, and how many of them are denormal."""
    floats = [a for a in arrays(path) if a.dtype in (np.dtype("f4"), np.dtype("f8"))]
    return sum(a.size for a in floats), sum(map(numerics.count_denormals, floats))


def compare(method: methods.Method, image: images.Image) -> tuple[float, float, int]:
    """Return seconds with denormals kept, with them flushed, and 8-bit values that differ."""
    seconds, outputs = [], list[Bytes]()
    for flushed in (False, True):
        torch.set_flush_denormal(flushed)
        started = time.process_time()
        outputs.append(images.to_uint8(method(image)))
        seconds.append(time.process_time() - started)
    return seconds[0], seconds[1], int((outputs[0] != outputs[1]).sum())


def users(file: str) -> list[tuple[str, methods.Method]]:
    """Return the methods that run with a released file, with their weights; partial ones cannot."""
    made = []
    for plugin in released.plugins():
        for release in plugin.released:
            if any(named.file == file for named in release.files) and not release.partial:
                method = plugin.build(assemble.read_released(release), **release.settings)
                made.append((f"{plugin.name} ({release.name})", method))
    return made


def dark_crop() -> images.Image:
    """Return the middle of LOL's first dark test image."""
    folder = next(r / "LOL" for r in registry.raw_roots(None) if (r / "LOL" / "eval15").is_dir())
    whole = images.read(sorted((folder / "eval15" / "low").glob("*.png"))[0])
    top, left = (whole.shape[0] - HEIGHT) // 2, (whole.shape[1] - WIDTH) // 2
    return whole[top : top + HEIGHT, left : left + WIDTH]


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(os.environ["MLSM_BENCH_DATA"]) / "weights"
    image, machine = dark_crop(), environment.environment()
    print("# Denormal numbers in released weights\n")
    values = f"{WIDTH * HEIGHT * 3:,} 8-bit values"
    print(f"Made by `perf/denormals.py` on {machine['cpu']}, torch {torch.__version__}, one")
    print(f"thread; a dark image of {WIDTH}x{HEIGHT} pixels ({values}),")
    print("seconds of CPU time. Files are counted whole, an optimiser's state included.\n")
    print("| " + " | ".join(HEADS) + " |")
    print("| -- | --: | --: | -- | --: | --: | --: |")
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix != ".log"):
        name = path.relative_to(folder).as_posix()
        numbers, denormal = counts(path)
        rows = [(who, *compare(method, image)) for who, method in users(name)]
        for who, kept, flushed, moved in rows or [("", None, None, None)]:
            cells = (f"{kept:.2f}", f"{flushed:.2f}", str(moved)) if who else ("", "", "")
            row = (name, f"{numbers:,}", f"{denormal:,}", who, *cells)
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
