"""Folders outside the code: where users keep data sets and released weights."""

import os
from pathlib import Path

from benchmark import ROOT

VARIABLE = "MLSM_BENCH_DATA"
"""Environment variable that names the user's folder of raw sets and released weights."""


def released_folders() -> list[Path]:
    """Return where weights that methods' authors released are looked for, first one first."""
    value = os.environ.get(VARIABLE, "")
    own = ROOT / "weights" / "released"
    return [own, Path(value) / "weights"] if value else [own]
