"""Move trained weights to the identity of today's code, where that code trains the same weights.

    python perf/restamp.py --profile lol --before REVISION [--steps 5] [--write]

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

PROBE = """
import hashlib, json, sys, tempfile
from pathlib import Path
from benchmark import datasets, fitting, merge, methods, params
from benchmark.digests import digest_values

profile, method, steps, real = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
chosen = params.load(params.profile_path(profile))
raw = None if chosen.raw is None else real / chosen.raw.relative_to(params.ROOT)
work = real / chosen.work.relative_to(params.ROOT)
places = merge.Places(tuple(datasets.raw_roots(raw)), work)
data = fitting.Data(work / "merge" / "train", work / "jpeg" / "train", places)
def short(training):
    parts = {name: short(part) for name, part in training.parts.items()}
    return training.model_copy(update={"steps": steps, "parts": parts})
parts = methods.find(method).parts
known = {part: fitting.identity(chosen, method, part, data) for part in parts}
if method == "mlsm":
    own = {part: short(getattr(chosen.mlsm, part)) for part in parts}
    brief = chosen.model_copy(update={"mlsm": chosen.mlsm.model_copy(update=own)})
else:
    brief = chosen.model_copy(update={"training": {method: short(chosen.training[method])}})
with tempfile.TemporaryDirectory() as folder:
    made, log = fitting.fit_all(brief, method, data, Path(folder))
digest = hashlib.sha256()
for name, value in sorted(made.state.items()):
    digest.update(name.encode() + value.contiguous().numpy().tobytes())
print(json.dumps({
    "identities": {part: digest_values(value) for part, value in known.items()},
    "codes": {part: value["code"] for part, value in known.items()},
    "before": {
        part: {name: digest_values(value) for name, value in identity["before"].items()}
        for part, identity in known.items()
    },
    "weights": digest.hexdigest(),
}))
"""
"""What both versions of the code run: identities of the parts, and weights after few steps."""


def probe(code: Path, profile: str, method: str, steps: int) -> dict[str, Any]:
    """Return what a version of the code says and trains."""
    packages = os.pathsep.join([str(code), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROBE, profile, method, str(steps), str(ROOT)],
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
    parser.add_argument("--steps", type=int, default=5, help="of each part, with both versions")
    parser.add_argument("--methods", nargs="*", help="only these")
    parser.add_argument("--write", action="store_true", help="write new identities")
    asked = parser.parse_args()
    chosen = params.load(params.profile_path(asked.profile))
    names = asked.methods or [*chosen.training, *(["mlsm"] if chosen.mlsm else [])]
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "before"
        command = ["git", "worktree", "add", "--quiet", "--detach", str(code), asked.before]
        subprocess.run(command, cwd=ROOT, check=True)
        try:
            for name in names:
                own = methods.find(name).parts if name == "mlsm" else ("model",)
                paths = {part: checkpoints.trained_path(chosen.weights, name, part) for part in own}
                missing = [path.name for path in paths.values() if not path.is_file()]
                if missing:
                    print(f"{name}: no weights ({', '.join(missing)})", flush=True)
                    continue
                old = probe(code, asked.profile, name, asked.steps)
                new = probe(ROOT, asked.profile, name, asked.steps)
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
