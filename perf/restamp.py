"""Move trained weights to the identity of today's code, where that code trains the same weights.

    python perf/restamp.py --profile lol --before REVISION [--steps 5] [--probe FILE] [--write]

An edit of the training loop changes the identity of every training
(`benchmark.training.plan.identity`), also where it changes no number, and `dvc repro` would train
everything again. This program shows, for every trained method of a profile, that the weights'
recorded identity is the one of the older revision, trains the first steps of every part with both
versions of the code, and compares the weights bit for bit. Only where they are equal, and only
with `--write`, the record gets the new identity; it keeps the old one under `restamped`. Needs
`dvc repro` of the profile up to `compress`.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmark import ROOT, methods
from benchmark.core import params
from benchmark.methods import checkpoints

PROBE = Path("perf") / "restamp_probe.py"
"""What each version of the code runs, its own: identities of parts, and weights after few steps."""


def probe(code: Path, file: Path, profile: str, method: str, steps: int) -> dict[str, Any]:
    """Return what a version of the code says and trains, by a program that suits it."""
    packages = os.pathsep.join([str(code), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(file), profile, method, str(steps), str(ROOT)],
        cwd=code,
        env=os.environ | {"PYTHONPATH": packages},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def restamp(path: Path, method: str, part: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Write a checkpoint's new identity."""
    checkpoint = checkpoints.load(path, method, part)
    record = dict(checkpoint.record) | {
        "identity": new["identities"][part],
        "code": new["codes"][part],
        "before": new["before"][part],
        "restamped": old["identities"][part],
    }
    checkpoints.save(path, dataclasses.replace(checkpoint, record=record))


def verdict(method: str, paths: dict[str, Path], old: dict[str, Any], new: dict[str, Any]) -> str:
    """Return what is to be done with a method's weights files, by part."""
    recorded = {
        part: checkpoints.load(path, method, part).record.get("identity")
        for part, path in paths.items()
    }
    if recorded == {part: new["identities"][part] for part in paths}:
        return "is of this code already"
    if recorded != {part: old["identities"][part] for part in paths}:
        return "is of neither version: train it again"
    if old["weights"] != new["weights"]:
        return "would be trained to other weights: train it again"
    return "equal"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--profile", default="lol", help="whose weights")
    parser.add_argument("--before", required=True, help="git revision that trained them")
    parser.add_argument("--probe", type=Path, help="of the older revision, where it has none")
    parser.add_argument("--steps", type=int, default=5, help="of each part, with both versions")
    parser.add_argument("--methods", nargs="*", help="only these")
    parser.add_argument("--write", action="store_true", help="write new identities")
    asked = parser.parse_args()
    chosen = params.load(params.profile_path(asked.profile))
    names = asked.methods or list(chosen.training)
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "before"
        command = ["git", "worktree", "add", "--quiet", "--detach", str(code), asked.before]
        subprocess.run(command, cwd=ROOT, check=True)
        older = asked.probe.absolute() if asked.probe else code / PROBE
        try:
            for name in names:
                files = {
                    part: checkpoints.trained_path(chosen.weights, name, part)
                    for part in methods.find(name).parts
                }
                paths = {part: path for part, path in files.items() if path.is_file()}
                if "model" not in paths:
                    print(f"{name}: no weights ({files['model'].name})", flush=True)
                    continue
                old = probe(code, older, asked.profile, name, asked.steps)
                new = probe(ROOT, ROOT / PROBE, asked.profile, name, asked.steps)
                said = verdict(name, paths, old, new)
                if said == "equal" and asked.write:
                    for part, path in paths.items():
                        restamp(path, name, part, old, new)
                    said += f" after {asked.steps} steps of every part: restamped"
                print(f"{name}: {said}", flush=True)
        finally:
            remove = ["git", "worktree", "remove", "--force", str(code)]
            subprocess.run(remove, cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
