"""Map a function over items in processes; joblib's configuration decides where they run."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from benchmark.core import numerics
from benchmark.core.errors import InputError

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
"""joblib replaces a worker whose memory has grown; the job it had is done all the same."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_parallel(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int = 1,
    label: str = "",
    unit: str = "image",
) -> Iterator[Result]:
    """Yield `work(item)` for every item in order, each result as soon as it is available.

    Each process uses one BLAS/torch thread, so results do not depend on the number of processes.
    `joblib.parallel_config` selects another backend, for example a Dask cluster.

    Args:
        work: A function that can be pickled.
        items: Arguments of `work`.
        jobs: Number of processes; 1 works in the calling process.
        label: Label of the progress bar.
        unit: Unit that the progress bar counts.

    Raises:
        InputError: The system ended a process; the results before it were yielded.
    """
    parallel = joblib.Parallel(n_jobs=min(jobs, max(1, len(items))), return_as="generator")
    results = parallel(joblib.delayed(_single)(work, item) for item in items)
    total = len(items)
    try:
        yield from tqdm(
            results, desc=label, total=total, unit=unit, mininterval=1.0, disable=total == 0
        )
    except TerminatedWorkerError as error:
        raise InputError(
            f"One of {jobs} processes was ended by the system, most likely for lack of memory: "
            "work with fewer processes, or smaller images."
        ) from error


def _single(work: Callable[[Item], Result], item: Item) -> Result:
    numerics.flush_denormals()  # a thread of Dask's is not started by the one that loaded this
    for name in THREADS:  # read by libraries that are loaded from here on ...
        os.environ[name] = "1"
    torch = sys.modules.get("torch")
    if torch is not None:  # ... and not by torch where it is loaded already
        torch.set_num_threads(1)
    return work(item)
