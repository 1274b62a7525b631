"""Stage pairs: the training pairs of every set, registered where the set needs it."""

from benchmark import ROOT, stages
from benchmark.core import files
from benchmark.core.params import Params
from benchmark.data import lists, manifest, registry
from benchmark.registration import batch


def register(params: Params) -> None:
    """Register the training pairs of sets that need it; list those of the others as they are."""
    whole = stages.emptied(params.work / "pairs")
    places = lists.PathResolver.of(params)
    for name in params.merge.mapping_pairs:
        listed = lists.inventory(params.work, name, "train")
        if registry.SETS[name].needs_registration:
            prefix, cache = f"work/pairs/{name}/", ROOT / ".cache" / "pairs"
            listed, facts = batch.register_pairs(
                listed, places, whole / name, prefix, params.seed, params.jobs, cache
            )
            text = facts.to_csv(index=False, lineterminator="\n")
            files.write_text(whole / name / "registration.csv", text)
        manifest.write_manifest(listed, whole / name / "manifest.csv")


if __name__ == "__main__":
    stages.run(register)
