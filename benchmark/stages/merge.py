"""Stage merge: the merged training and test lists, and the leak audit."""

import pandas as pd

from benchmark import datasets, leaks, merge, pairs, stages
from benchmark.params import Params


def merge_lists(params: Params) -> None:
    """Merge the sets into training lists (Tables I and II) and test lists; refuse leaks."""
    raw: dict[str, pd.DataFrame] = {
        name: merge.prefixed(
            pairs.read_manifest(params.work / "inventory" / f"{name}.csv"), f"raw/{name}/"
        )
        for name in params.sets
    }
    paired: dict[str, pd.DataFrame] = {
        name: pairs.read_manifest(params.work / "pairs" / name / "manifest.csv")
        for name in params.merge.mapping_pairs
    }
    wanted = {name: getattr(params.merge, name) for name in merge.TRAIN_LISTS}
    training = merge.training_lists(raw, paired, wanted, params.merge.validation, params.seed)
    tested = [*params.merge.test, *(params.detection.sets if params.detection.chains else [])]
    testing = merge.testing_lists(raw, tested)
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    used = {name for names in wanted.values() for name in names}
    seen = pd.concat([raw[name][raw[name]["split"] == "train"] for name in sorted(used)])
    found = leaks.find_leaks(seen, pd.concat(list(testing.values())), places.locate)
    leaks.check_leaks(found, params.merge.accepted_leaks)
    for split, lists in (("train", training), ("test", testing)):
        for name, listed in lists.items():
            pairs.write_manifest(listed, params.work / "merge" / split / f"{name}.csv")
    merge.counts(training).to_csv(params.work / "merge" / "counts.csv", index=False)


if __name__ == "__main__":
    stages.run(merge_lists)
