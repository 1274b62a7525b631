"""Folders in which users keep data sets and released weights."""

import os
from pathlib import Path

from benchmark import ROOT

VARIABLE = "MLSM_BENCH_DATA"
"""Environment variable with the user's folder of raw sets and released weights."""


def released_folders() -> list[Path]:
    """Return the folders that are searched for weights released by authors, in search order."""
    value = os.environ.get(VARIABLE, "")
    own = ROOT / "weights" / "released"
    return [own, Path(value) / "weights"] if value else [own]
