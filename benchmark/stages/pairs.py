"""Stage pairs: registered training pairs of one raw set."""

import shutil

from benchmark import ROOT, datasets, merge, outputs, pairing, pairs, stages
from benchmark.params import Params


def register(params: Params, set: str) -> None:  # noqa: A002
    """Register the training pairs of a set that needs it; list the pairs of the others."""
    listed = merge.prefixed(
        pairs.read_manifest(params.work / "inventory" / f"{set}.csv"), f"raw/{set}/"
    )
    listed = listed[listed["split"] == "train"].reset_index(drop=True)
    folder = params.work / "pairs" / set
    shutil.rmtree(folder, ignore_errors=True)
    if datasets.SETS[set].needs_registration:
        places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
        prefix, cache = f"work/pairs/{set}/", ROOT / ".cache" / "pairs"
        listed, facts = pairing.register(
            listed, places, folder, prefix, params.seed, params.jobs, cache
        )
        text = facts.to_csv(index=False, lineterminator="\n")
        outputs.write_text(folder / "registration.csv", text)
    pairs.write_manifest(listed, folder / "manifest.csv")


if __name__ == "__main__":
    stages.run(register, "set")
