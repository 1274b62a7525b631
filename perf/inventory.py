"""Time the inventory and the audit of 5,000 pairs, fresh and with nothing changed.

    OMP_NUM_THREADS=1 python perf/inventory.py [pairs]

Writes a LOL of small generated images (96x64) into a temporary folder, nine in ten pairs to train,
the others to test, with ten leaks planted, and runs on two processes. Prints wall-clock seconds,
CPU seconds of all processes, and the most memory that this process and the largest worker held.
"""

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import joblib
import numpy as np
from scipy import ndimage

from benchmark.audit import run
from benchmark.core import images
from benchmark.data import inventory, lists

PAIRS = 5000
LEAKS = 10
JOBS = 2
Result = TypeVar("Result")


def write_pair(root: Path, number: int, count: int) -> None:
    """Write smooth random shapes, and the same darker and noisy."""
    random = np.random.default_rng(number)
    shapes = ndimage.zoom(random.random((8, 12, 3)), (8, 8, 1), order=1)
    normal = np.clip(0.2 + 0.7 * shapes + random.normal(0, 0.02, shapes.shape), 0, 1)
    dark = np.clip(0.15 * normal + random.normal(0, 0.005, shapes.shape), 0, 1)
    folder = root / "LOL" / ("our485" if number < 0.9 * count else "eval15")
    for side, image in (("low", dark), ("high", normal)):
        images.write(folder / side / f"{number}.png", image.astype(np.float32))


def timed(label: str, work: Callable[[], Result]) -> Result:
    wall, before = time.monotonic(), cpu_seconds()
    result = work()
    seconds, cpu = time.monotonic() - wall, cpu_seconds() - before
    own, workers = (
        resource.getrusage(who).ru_maxrss / 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{label:<26}{seconds:>10.1f}{cpu:>10.1f}{own:>12.0f}{workers:>14.0f}", flush=True)
    return result


def cpu_seconds() -> float:
    """Return the CPU time of this process and of those it started; the latter once they end."""
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS
    with tempfile.TemporaryDirectory() as folder:
        root, cache = Path(folder) / "raw", Path(folder) / "cache"
        for number in range(count):
            write_pair(root, number, count)
        for number in range(LEAKS):
            for side in ("low", "high"):
                source = root / "LOL" / "our485" / side / f"{number}.png"
                shutil.copy(source, root / "LOL" / "eval15" / side / f"copy{number}.png")
        places = lists.PathResolver((root,), Path(folder))
        print(f"{count} pairs             wall (s)   CPU (s)   this (MB)   worker (MB)")
        for when in ("", " again"):
            found = timed(
                f"inventory{when}", lambda: inventory.take(["LOL"], [root], cache, JOBS)
            ).manifests["LOL"]
            listed = {"LOL": lists.prefixed(found, "raw/LOL/")}
            made = timed(f"audit{when}", lambda: run.audit(listed, places, (), cache, JOBS))  # noqa: B023
        kinds = made.findings["kind"].value_counts().to_dict()
        print(f"found: {kinds}")


if __name__ == "__main__":
    main()
