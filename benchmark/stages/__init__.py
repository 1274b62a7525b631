"""One module a DVC stage: parse arguments, call the suite, write the outputs."""

import argparse
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmark.check import stage_times
from benchmark.core import params
from benchmark.core.errors import told


def run(stage: Callable[..., None], *names: str) -> None:
    """Run a stage from the command line: `--params FILE` and an option for each name.

    The stage gets the profile and the options' values. What a user can mend ends as one sentence
    on stderr and status 2.
    """
    parser = argparse.ArgumentParser(description=stage.__doc__)
    parser.add_argument("--params", type=Path, required=True, help="the profile's params.yaml")
    for name in names:
        parser.add_argument(f"--{name}", required=True)
    arguments = vars(parser.parse_args())
    with told():
        loaded = params.load(arguments.pop("params"))
        label = " ".join([Path(sys.argv[0]).stem, *arguments.values()])
        with stage_times.measured(loaded.profile, label):
            stage(loaded, **arguments)


def emptied(folder: Path) -> Path:
    """Return a folder without what an earlier run left in it; it is made if it is not there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
