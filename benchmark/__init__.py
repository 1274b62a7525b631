"""The suite: data, compression, training, metrics, detection, tables and report.

For a notebook, `load_method`, `enhance`, `score` and `results` are at hand here; what they need is
loaded when they are first used. `benchmark.scoring.front` describes them.

Example:
    >>> import numpy as np
    >>> import benchmark
    >>> dark = np.full((16, 16, 3), 10, np.uint8)
    >>> bright = benchmark.enhance(dark, "gamma")
    >>> benchmark.score(bright, np.full((16, 16, 3), 60, np.uint8))["psnr"] > 30
    True
"""

import importlib
from pathlib import Path
from typing import Any

from benchmark.core import numerics

ROOT = Path(__file__).resolve().parents[1]
"""The repository's folder, which holds data/, weights/ and results/."""

numerics.flush_denormals()
numerics.wait_asleep()

_FRONT = ("enhance", "load_method", "results", "score")


def __getattr__(name: str) -> Any:
    if name in _FRONT:
        return getattr(importlib.import_module("benchmark.scoring.front"), name)
    raise AttributeError(f"module 'benchmark' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_FRONT})
