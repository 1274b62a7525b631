"""Run a profile's pipeline and say where the time went: what `make repro` and `make lol` call.

python -m benchmark.cli.repro [PROFILE]
"""

import subprocess
import sys
import time

from benchmark import ROOT
from benchmark.check import stage_times
from benchmark.cli import checkout
from benchmark.core import params
from benchmark.core.console import say
from benchmark.core.errors import told


def repro(profile: str) -> int:
    """Repeat what changed of a profile, print seconds per stage, and return the exit status."""
    checkout.check(ROOT)
    file = params.profile_path(profile).parent / "dvc.yaml"
    start = time.time()
    status = subprocess.run(["dvc", "repro", str(file.relative_to(ROOT))], cwd=ROOT).returncode
    seconds = time.time() - start
    for line in stage_times.table(stage_times.since(profile, start), seconds):
        say(line)
    if status == 0:
        say(f"{profile} profile done in {seconds:.0f} s: open results/{profile}/report.html")
    return status


if __name__ == "__main__":
    with told():
        sys.exit(repro(*sys.argv[1:2] or ["demo"]))
