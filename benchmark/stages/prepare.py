"""Stage prepare: the test pairs of every set, at the size its protocol asks for.

Methods see the pairs as they were published, and so does protocol `paper`. Where a set's pairs are
misaligned, protocol `sound` compares with the registered normal-light image, and leaves out pairs
that registration refuses.
"""

from benchmark import ROOT, stages
from benchmark.core import files
from benchmark.core.params import Params
from benchmark.data import lists, manifest, registry, resize
from benchmark.registration import batch


def prepare(params: Params) -> None:
    """Resize the test pairs of a set where the profile says so, and register misaligned ones."""
    whole = stages.emptied(params.work / "prepared")
    places = lists.PathResolver.of(params)
    for name in params.merge.test:
        listed = lists.inventory(params.work, name, "test")
        size = params.merge.resize_test.get(name)
        if size:
            prefix = f"work/prepared/{name}/"
            listed = resize.resize(listed, size, places, whole / name, prefix, params.jobs)
        manifest.write_manifest(listed, whole / name / "manifest.csv")
        if registry.SETS[name].needs_registration:
            folder, prefix = whole / name / "registered", f"work/prepared/{name}/registered/"
            cache = ROOT / ".cache" / "pairs"
            outcome = batch.register_pairs(
                listed, places, folder, prefix, params.seed, params.jobs, cache
            )
            text = batch.references(listed, outcome).to_csv(index=False, lineterminator="\n")
            files.write_text(whole / name / "registration.csv", text)


if __name__ == "__main__":
    stages.run(prepare)
