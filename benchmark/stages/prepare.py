"""Stage prepare: test pairs of one raw set, at the size its protocol asks for."""

import shutil

from benchmark import stages
from benchmark.core.params import Params
from benchmark.data import lists, manifest, registry, resize


def prepare(params: Params, set: str) -> None:  # noqa: A002
    """Resize the test pairs of a set where the profile says so; list those of the others."""
    listed = lists.prefixed(
        manifest.read_manifest(params.work / "inventory" / f"{set}.csv"), f"raw/{set}/"
    )
    listed = listed[listed["split"] == "test"].reset_index(drop=True)
    folder = params.work / "prepared" / set
    shutil.rmtree(folder, ignore_errors=True)
    size = params.merge.resize_test.get(set)
    if size:
        places = lists.PathResolver(tuple(registry.raw_roots(params.raw)), params.work)
        prefix = f"work/prepared/{set}/"
        listed = resize.resize(listed, size, places, folder, prefix, params.jobs)
    manifest.write_manifest(listed, folder / "manifest.csv")


if __name__ == "__main__":
    stages.run(prepare, "set")
