"""Costs of methods: parameters, multiply-accumulates, seconds and memory.

Each method is measured in a new process. Parameters and multiply-accumulates follow from the code;
seconds and memory are valid only for the machine they were measured on.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from benchmark import methods
from benchmark.core import environment
from benchmark.core.errors import InputError
from benchmark.core.images import Image
from benchmark.core.parallel import THREADS
from benchmark.core.types import Track
from benchmark.methods import assemble
from benchmark.methods.records import ChainRecord

SIZE = (600, 400)
"""Width and height of the image in pixels, as in LOL."""
MEGAPIXELS = SIZE[0] * SIZE[1] / 1e6
SLOW_SECONDS = 10.0
"""If the first run takes longer than this, it is also the timed run."""
REPEATS, ENOUGH_SECONDS = 5, 1.0
"""Limits of the number and total duration of repeated runs, of which the shortest counts."""


class Job(NamedTuple):
    """A method with its weights.

    Attributes:
        method: Name of a plugin.
        track: Track of the weights.
        trained: Folder of retrained weights.
        settings: Settings of a method without weights that differ from the published ones.
    """

    method: str
    track: Track
    trained: str
    settings: Mapping[str, Any]


class Cost(NamedTuple):
    """The costs of processing one image of `SIZE`.

    Attributes:
        parameters: Number of parameters of the networks that run; 0 without networks.
        gmacs: 10^9 multiply-accumulates in convolutions and matrix products; 0 without networks.
        seconds_per_megapixel: Processor time per megapixel on one thread, without loading the
            model.
        peak_mib: Largest resident memory of the process in MiB, including interpreter and
            libraries.
    """

    parameters: int
    gmacs: float
    seconds_per_megapixel: float
    peak_mib: float


def jobs(
    chains: Mapping[str, ChainRecord], settings: Mapping[str, Mapping[str, Any]], trained: Path
) -> Iterator[Job]:
    """Yield every method that occurs in the chains, once for each of its tracks.

    Args:
        chains: Chain -> its record in `chains.json`.
        settings: Name of a method without weights -> its settings.
        trained: Folder of retrained weights.
    """
    for name in dict.fromkeys(step for record in chains.values() for step in record.steps):
        chain = methods.Chain((name,))
        asked = {track for record in chains.values() for track in record.tracks}
        for track in get_args(Track):
            there = track in assemble.tracks(chain) and track in asked | {"classical"}
            if there and not assemble.absent(chain, track, trained):
                yield Job(name, track, str(trained), settings.get(name, {}))


def measure(job: Job, dark: Image) -> Cost:
    """Measure a job in a process of its own, on one thread.

    The process is forked from a server that has already loaded the libraries, because loading takes
    longer than most methods. The new process imports the main module again, which should therefore
    be small.

    Args:
        job: The method.
        dark: float32 (400, 600, 3), sRGB, [0, 1].

    Raises:
        InputError: The method fails, or its process dies.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))  # libraries read them when the server loads them
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["torch", __name__])
    with ProcessPoolExecutor(1, server) as process:
        try:
            cost = process.submit(_attempt, job, dark).result()
        except BrokenProcessPool:
            cost = "its process has died, perhaps for lack of memory"
    if isinstance(cost, str):
        raise InputError(
            f"Method {job.method} ({job.track}) failed while its costs were measured ({cost}): "
            "run `mlsm-bench baseline test` on it."
        )
    return cost


def _attempt(job: Job, dark: Image) -> Cost | str:
    """Return the costs of a job or its error as text, as not every error can be pickled."""
    try:
        return measure_here(job, dark)
    except Exception as error:  # whatever a method raises is what its author should read
        return f"{type(error).__name__}: {error}"


def measure_here(job: Job, dark: Image) -> Cost:
    """Measure a job in this process; its peak memory counts from the start of the process."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    torch.set_num_threads(1)
    chain = methods.Chain.parse(job.method, {job.method: job.settings} if job.settings else {})
    (step,) = assemble.assemble(chain, job.track, Path(job.trained))
    given = methods.MethodContext(reference=np.clip(dark * 8, 0, 1))
    pixels = np.round(dark * 255).astype(np.uint8)
    with _Parameters() as seen, FlopCounterMode(display=False) as counter:
        seconds = _timed(step, pixels, given)
    if seconds < SLOW_SECONDS:  # the first run has warmed up, and was slowed by counting
        times = [_timed(step, pixels, given)]
        while len(times) < REPEATS and sum(times) < ENOUGH_SECONDS:
            times.append(_timed(step, pixels, given))
        seconds = min(times)
    gmacs = counter.get_total_flops() / 2e9
    return Cost(seen.total, gmacs, seconds / MEGAPIXELS, environment.peak_mib())


def _timed(step: methods.Step, pixels: Any, given: methods.MethodContext) -> float:
    started = time.process_time()  # one thread: what the clock says where nothing else runs
    methods.run([step], pixels, "sound", given)
    return time.process_time() - started


class _Parameters:
    """Counter of the parameters of all modules that run inside the `with` block, each once."""

    def __init__(self) -> None:
        self._found: dict[int, Any] = {}

    @property
    def total(self) -> int:
        return sum(parameter.numel() for parameter in self._found.values())

    def __enter__(self) -> "_Parameters":
        from torch.nn.modules import module

        self._handle = module.register_module_forward_pre_hook(self._see)
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.remove()

    def _see(self, module: Any, _: Any) -> None:
        for parameter in module.parameters(recurse=False):
            self._found[id(parameter)] = parameter  # kept alive, so that no id is used twice
