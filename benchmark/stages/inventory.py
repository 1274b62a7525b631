"""Stage inventory: what is on this machine, set by set."""

from benchmark import ROOT, stages
from benchmark.core import jsonfile
from benchmark.core.params import Params
from benchmark.data import inventory, manifest, registry
from benchmark.methods import released


def take(params: Params) -> None:
    """List the images of every raw set of the profile, and the released weights found."""
    roots = registry.raw_roots(params.raw)
    listing = inventory.take(params.sets, roots, ROOT / ".cache", params.jobs)
    for name, listed in listing.manifests.items():
        manifest.write_manifest(listed, params.work / "inventory" / f"{name}.csv")
    jsonfile.write(params.work / "inventory" / "absent.json", listing.absent)
    files = released.digests() if "released" in params.tracks else {}
    jsonfile.write(params.work / "inventory" / "released.json", files)


if __name__ == "__main__":
    stages.run(take)
