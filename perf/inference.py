"""Time MLSM's inference with the weights that ship: ways to run it, threads, sizes, and memory.

    python perf/inference.py --threads 1 2 --sizes 600x400 4000x3000

Every way runs in a process of its own, so that its peak memory is its own. Seconds are of the clock
and of the CPU, the best of three for small images (the first run of a way warms it up) and of one
for large ones; `apart` is the largest difference from the plain run in 8-bit levels. On a machine
that does other work compare the CPU seconds of one run of this script.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import skimage.data
import torch
from torch import nn

from benchmark import ROOT, methods
from benchmark.core.images import Bytes, to_float, to_uint8
from benchmark.methods import assemble
from benchmark.photographs import enhance, onnx_export
from benchmark.photographs.streaming import schedule

WAYS = ("plain", "strips", "channels_last", "bfloat16", "compile", "onnxruntime")
LARGE = 2_000_000
"""Pixels from which `strips` alone is tried, once: the others need more memory than many have."""


def dark_image(width: int, height: int) -> Bytes:
    photograph: Bytes = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    tiles = (-(-height // 512), -(-width // 512), 1)
    return np.ascontiguousarray(np.tile(photograph, tiles)[:height, :width] // 6)


def network() -> nn.Module:
    chain = methods.Chain.parse("mlsm")
    found = enhance.network_of(assemble.assemble(chain, "retrained", ROOT / "weights" / "lol")[0])
    if found is None:
        raise RuntimeError("MLSM is not a network.")
    return found


def of_tensors(run: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[Bytes], Bytes]:
    def way(pixels: Bytes) -> Bytes:
        batch = torch.from_numpy(to_float(pixels).transpose(2, 0, 1).copy())[None]
        with torch.inference_mode():
            return to_uint8(run(batch)[0].float().permute(1, 2, 0).numpy())

    return way


def way_to_run(name: str, threads: int, folder: Path) -> Callable[[Bytes], Bytes]:
    model = network()
    if name == "strips":
        return lambda pixels: schedule.enhance(model, pixels)
    if name == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        return of_tensors(lambda x: model(x.contiguous(memory_format=torch.channels_last)))
    if name == "bfloat16":
        model = model.bfloat16()
        return of_tensors(lambda x: model(x.bfloat16()))
    if name == "compile":
        return of_tensors(torch.compile(model))
    if name == "onnxruntime":
        onnx_export.to_onnx(model, folder / "mlsm.onnx", 16)
        session = onnx_export.session(folder / "mlsm.onnx", threads)

        def padded(x: torch.Tensor) -> torch.Tensor:
            height, width = x.shape[2:]
            sides = (0, -width % 16, 0, -height % 16)
            whole = nn.functional.pad(x, sides, mode="reflect").numpy()
            (found,) = session.run(None, {onnx_export.INPUT: whole})
            return torch.from_numpy(np.asarray(found))[..., :height, :width]

        return of_tensors(padded)
    return of_tensors(model)


def measure(name: str, threads: int, width: int, height: int) -> dict[str, float]:
    """Run one way here; the caller gives it a process."""
    torch.set_num_threads(threads)
    pixels = dark_image(width, height)
    large = width * height > LARGE
    with tempfile.TemporaryDirectory() as folder:
        way = way_to_run(name, threads, Path(folder))
        output = way(pixels if not large else pixels[:64, :64].copy())
        clock, cpu = [], []
        for _ in range(1 if large else 3):
            start, spent = time.perf_counter(), time.process_time()
            output = way(pixels)
            clock.append(time.perf_counter() - start)
            cpu.append(time.process_time() - spent)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    apart = -1.0
    if not large:
        expected = of_tensors(network())(pixels)
        apart = float(np.abs(expected.astype(int) - output).max())
    return {"clock": min(clock), "cpu": min(cpu), "gib": peak, "apart": apart}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--sizes", nargs="+", default=["600x400", "4000x3000"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, *numbers = given.one
        print(json.dumps(measure(name, *map(int, numbers))))
        return
    print(
        f"{'size':<11}{'threads':>8}  {'way':<14}{'clock s':>9}{'CPU s':>8}{'GiB':>7}{'apart':>7}"
    )
    for size in given.sizes:
        width, height = map(int, size.split("x"))
        ways = [w for w in given.ways if width * height <= LARGE or w == "strips"]
        for threads in given.threads:
            for name in ways:
                words = [name, *map(str, (threads, width, height))]
                done = subprocess.run(
                    [sys.executable, __file__, "--one", *words], capture_output=True, text=True
                )
                if done.returncode:
                    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                    print(f"{size:<11}{threads:>8}  {name:<14}failed: {last}")
                    continue
                found = json.loads(done.stdout.strip().splitlines()[-1])
                apart = f"{found['apart']:.0f}" if found["apart"] >= 0 else "-"
                print(
                    f"{size:<11}{threads:>8}  {name:<14}{found['clock']:>9.2f}"
                    f"{found['cpu']:>8.2f}{found['gib']:>7.2f}{apart:>7}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
