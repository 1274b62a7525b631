"""Stage prepare: the test pairs of every set, at the size its protocol asks for."""

from benchmark import stages
from benchmark.core.params import Params
from benchmark.data import lists, manifest, resize


def prepare(params: Params) -> None:
    """Resize the test pairs of a set where the profile says so; list those of the others."""
    whole = stages.emptied(params.work / "prepared")
    places = lists.PathResolver.of(params)
    for name in params.merge.test:
        listed = lists.inventory(params.work, name, "test")
        size = params.merge.resize_test.get(name)
        if size:
            prefix = f"work/prepared/{name}/"
            listed = resize.resize(listed, size, places, whole / name, prefix, params.jobs)
        manifest.write_manifest(listed, whole / name / "manifest.csv")


if __name__ == "__main__":
    stages.run(prepare)
