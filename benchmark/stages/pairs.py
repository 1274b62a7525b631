"""Stage pairs: registered training pairs of one raw set."""

import shutil

from benchmark import ROOT, stages
from benchmark.core import files
from benchmark.core.params import Params
from benchmark.data import lists, manifest, registry
from benchmark.registration import batch


def register(params: Params, set: str) -> None:  # noqa: A002
    """Register the training pairs of a set that needs it; list the pairs of the others."""
    listed = lists.prefixed(
        manifest.read_manifest(params.work / "inventory" / f"{set}.csv"), f"raw/{set}/"
    )
    listed = listed[listed["split"] == "train"].reset_index(drop=True)
    folder = params.work / "pairs" / set
    shutil.rmtree(folder, ignore_errors=True)
    if registry.SETS[set].needs_registration:
        places = lists.PathResolver(tuple(registry.raw_roots(params.raw)), params.work)
        prefix, cache = f"work/pairs/{set}/", ROOT / ".cache" / "pairs"
        listed, facts = batch.register(
            listed, places, folder, prefix, params.seed, params.jobs, cache
        )
        text = facts.to_csv(index=False, lineterminator="\n")
        files.write_text(folder / "registration.csv", text)
    manifest.write_manifest(listed, folder / "manifest.csv")


if __name__ == "__main__":
    stages.run(register, "set")
