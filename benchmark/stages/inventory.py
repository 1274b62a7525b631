"""Stage inventory: what is on this machine, set by set."""

import pandas as pd

from benchmark import ROOT, datasets, jsonfile, pairs, stages
from benchmark.params import Params


def inventory(params: Params) -> None:
    """List the images of every raw set of the profile, and the released weights found."""
    roots = datasets.raw_roots(params.raw)
    absent: dict[str, str] = {}
    for name in params.sets:
        found = datasets.find(name, roots)
        listed = pd.DataFrame(columns=list(pairs.COLUMNS))
        if found is None:
            absent[name] = f"{name} is in none of the raw data folders: see data/README.md"
        else:
            listed = pairs.manifest(
                datasets.read(name, roots),
                found,
                ROOT / ".cache",
                [name] if datasets.SETS[name].needs_registration else [],
            )
        pairs.write_manifest(listed, params.work / "inventory" / f"{name}.csv")
    jsonfile.write(params.work / "inventory" / "absent.json", absent)
    released = datasets.released_files() if "released" in params.tracks else {}
    jsonfile.write(params.work / "inventory" / "released.json", released)


if __name__ == "__main__":
    stages.run(inventory)
