"""The repository's files under version control in a folder of their own, for tests that run it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmark import ROOT

ONE_STEP = {"steps": 1, "batch": 1, "crop": 64}
TINY: dict[str, Any] = {
    "sets": ["LOL"],
    "qfs": [80],
    "train_qfs": [80],
    "uncompressed": False,
    "training": {
        "mlsm": ONE_STEP
        | {"settings": {"width": 4}, "parts": {"vae_dark": ONE_STEP, "vae_normal": ONE_STEP}}
    },
    "chains": ["identity"],
    "previews": [],
    "pictures": False,
    "perceived": [],
    "curve": {"chains": [], "qfs": []},
    "bootstrap": 20,
    "jobs": 1,
}
"""The demo profile made so small that all of it runs in a minute ..."""
TINY_PARTS = {
    "merge": {
        "vae_dark": ["LOL"],
        "vae_normal": ["LOL"],
        "mapping_pairs": ["LOL"],
        "test": ["LOL"],
        "resize_test": {},
        "validation": 0.1,
    },
    "detection": {"chains": []},
}
"""... and the entries of sections whose other settings stay."""

PREPARE = """
from pathlib import Path
from benchmark.core import params
from benchmark.stages import compress, inventory, merge, pairs, prepare, raw

profile = params.load(Path("params.yaml"))
raw.raw(profile)
inventory.take(profile)
pairs.register(profile)
prepare.prepare(profile)
merge.merge_lists(profile)
compress.compress(profile, "test")
"""
"""The pipeline up to the compressed test images, in one process ..."""
SCORE = """
from pathlib import Path
from benchmark.core import params
from benchmark.stages import chains, score

profile = params.load(Path("params.yaml"))
chains.chains(profile)
score.score(profile)
"""
"""... and from there to the rows of chains that nothing trains."""


def write(folder: Path, **changes: Any) -> Path:
    """Copy the files with a tiny demo profile; `changes` are entries of its params.yaml."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in listed.split("\0"):
        source = ROOT / name
        if name and source.exists() and not name.startswith("results/lol/figures"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    content = yaml.safe_load((folder / "params.yaml").read_text()) | TINY | changes
    for section, entries in TINY_PARTS.items():
        content[section] |= entries
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def environment(folder: Path) -> dict[str, str]:
    """Return what a user has: this interpreter's programs first, the copy's packages first."""
    installed = folder.with_name("installed")
    return {key: value for key, value in os.environ.items() if key != "MLSM_BENCH_DATA"} | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(folder), str(installed)]),
        "PIP_TARGET": str(installed),
        "PIP_NO_INDEX": "1",
        "DVC_NO_ANALYTICS": "1",
    }


def run(folder: Path, *words: str, **variables: str) -> str:
    """Run a command in a copy, in an environment with these variables, and return what it says."""
    done = subprocess.run(
        words, cwd=folder, env=environment(folder) | variables, capture_output=True, text=True
    )
    assert done.returncode == 0, f"$ {words[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def python(folder: Path, code: str, **variables: str) -> str:
    """Run a program as `run` does."""
    return run(folder, sys.executable, "-c", code, **variables)
