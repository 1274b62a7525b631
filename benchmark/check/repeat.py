"""Repeat a profile under other conditions: instruction sets, library code, number of threads.

A number that depends on the machine is found by computing it again as another machine would.
Instruction sets are selected by environment variables that torch, oneDNN, MKL and OpenBLAS read
when they are loaded, so every repetition runs in its own process, in a copy of the code.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from benchmark import ROOT
from benchmark.check import compare
from benchmark.core.errors import InputError
from benchmark.core.params import Params

CODE = ("benchmark", "baselines", "mlsm", "studies")
"""Folders of the repository that are copied."""
ABSENT = ("measured", "tables", "chains.json", "chain_digests.json")
"""Entries of `data/work/<profile>` that a repetition computes itself."""


class Condition(NamedTuple):
    """The conditions of a repetition.

    Attributes:
        about: Description for readers.
        environment: Environment variables that libraries read when they are loaded.
        threads: Number of threads of a training process.
    """

    about: str
    environment: Mapping[str, str] = {}
    threads: int = 1


CONDITIONS: Mapping[str, Condition] = {
    "native": Condition("the instructions this CPU offers"),
    "sse4": Condition(
        "instructions of 2008 (SSE 4)",
        {
            "ATEN_CPU_CAPABILITY": "default",
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
            "OPENBLAS_CORETYPE": "Nehalem",
        },
    ),
    "avx2": Condition(
        "instructions of 2013 (AVX2)",
        {
            "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "MKL_ENABLE_INSTRUCTIONS": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
        },
    ),
    "avx512": Condition(
        "AVX-512 without matrix units, MKL's code for every CPU",
        {
            "ATEN_CPU_CAPABILITY": "avx512",
            "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
            "MKL_CBWR": "COMPATIBLE",
            "OPENBLAS_CORETYPE": "SkylakeX",
        },
    ),
    "threads": Condition("two threads", threads=2),
}
"""Name -> conditions. If this CPU lacks an instruction set, libraries use what it has."""


def repeat(
    params: Params,
    condition: str,
    folder: Path,
    chains: Sequence[str] = (),
    reference: str = "HEAD",
) -> pd.DataFrame:
    """Train and score chains again under a condition and compare them with a profile's tables.

    Args:
        params: The profile; its test images must exist (`dvc repro compress`).
        condition: A key of `CONDITIONS`.
        folder: An empty folder for the copy; the tables are in its `results/<profile>` afterwards.
        chains: Chains of the profile to repeat; none means all.
        reference: As in `benchmark.check.compare.against`.

    Returns:
        As in `benchmark.check.compare.compare`, for the cells that were computed again.

    Raises:
        InputError: A condition or chain is unknown, test images are missing, or the repetition
            failed.
    """
    if condition not in CONDITIONS:
        raise InputError(f"There is no condition {condition!r}: known are {[*CONDITIONS]}.")
    unknown = [chain for chain in chains if chain not in params.chains]
    if unknown:
        raise InputError(
            f"Profile {params.profile} has no chain {unknown[0]!r}: it has {params.chains}."
        )
    if not (params.work / "jpeg" / "test" / "scores.csv").is_file():
        raise InputError(
            f"Profile {params.profile} has no test images at {params.work}: run `dvc repro` first."
        )
    chosen = CONDITIONS[condition]
    _copy(params, folder, _narrowed(params, chains, chosen.threads))
    _run(params, folder, chosen)
    results = folder / "results" / params.profile
    compared = compare.against(params, reference, results)
    if not chains:
        return compared
    return compared[
        (compared["verdict"] != "missing") & ~compared["table"].isin(compare.OF_ALL_CHAINS)
    ]


def _copy(params: Params, folder: Path, content: Mapping[str, Any]) -> None:
    """Set up a repetition's folder: code, lists and images, the paper's numbers, settings."""
    for name in CODE:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    work = folder / "data" / "work" / params.profile
    work.mkdir(parents=True)
    for entry in params.work.iterdir():
        if entry.name not in ABSENT:
            (work / entry.name).symlink_to(entry)
    if params.raw is not None:
        (folder / "data" / "raw").mkdir()
        (folder / "data" / "raw" / params.profile).symlink_to(params.raw)
    (folder / "results").mkdir()
    (folder / "results" / "paper").symlink_to(ROOT / "results" / "paper")
    path = folder / params.params_file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _narrowed(params: Params, chains: Sequence[str], threads: int) -> dict[str, Any]:
    """Return the profile's settings restricted to these chains."""
    content: dict[str, Any] = params.model_dump(mode="json", exclude_none=True)
    content["threads"] = threads
    if chains:
        kept = set(chains)
        content["chains"] = [chain for chain in params.chains if chain in kept]
        content["perceived"] = [chain for chain in params.perceived_chains if chain in kept]
        content["curve"] = {"chains": [], "qfs": []}
        detection = content["detection"]
        for key in ("chains", "uncompressed"):
            detection[key] = [chain for chain in detection[key] if chain in kept]
        detection["others"] = {}
    return content


def _run(params: Params, folder: Path, condition: Condition) -> None:
    threads = {name: str(condition.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    packages = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "benchmark.stages.again", "--params", params.params_file]
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | threads | dict(condition.environment) | {"PYTHONPATH": packages},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise InputError(
            f"The repetition under {condition.about} failed ({last}): run `dvc repro` and look at "
            "the stage that fails."
        )
