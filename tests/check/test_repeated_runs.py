"""Two runs on one machine give the same rows wherever nothing is trained."""

import os
from pathlib import Path

import pandas as pd
import pytest

from benchmark.core.hashing import sha256
from tests.helpers import copies

RUN = f"""{copies.PREPARE}{copies.SCORE}
from benchmark.stages import tables
tables.write_tables(profile)
"""
"""The part of the pipeline that trains nothing, in one process."""
CHAINS = ["identity", "clahe", "lime"]


def run(folder: Path, threads: str, jobs: int) -> Path:
    copies.write(folder, chains=CHAINS, jobs=jobs)
    copies.python(folder, RUN, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads)
    return folder / "results" / "demo"


@pytest.mark.slow
def test_rows_and_tables_do_not_depend_on_the_run_its_processes_or_its_threads(tmp_path):
    first = run(tmp_path / "first", "1", 1)
    second = run(tmp_path / "second", str(min(2, os.cpu_count() or 1)), 2)
    rows = pd.read_parquet(first / "rows.parquet")
    assert set(rows["chain"]) == set(CHAINS)
    pd.testing.assert_frame_equal(rows, pd.read_parquet(second / "rows.parquet"), check_exact=True)
    for name in ("rows.parquet", "tables/table_other_qf.csv", "tables/table_3.csv"):
        if (first / name).is_file():
            assert sha256(first / name) == sha256(second / name), name
