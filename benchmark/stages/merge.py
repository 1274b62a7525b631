"""Stage merge: the merged training and test lists, and the leak audit."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark import ROOT, stages
from benchmark.core import files, jsonfile
from benchmark.core.params import Params
from benchmark.data import fingerprints, leakage, manifest
from benchmark.data import lists as merge
from benchmark.data import split as validation


def merge_lists(params: Params) -> None:
    """Merge the sets into training lists (Tables I and II) and test lists; refuse leaks."""
    settings = params.merge
    raw: dict[str, pd.DataFrame] = {
        name: merge.inventory(params.work, name) for name in params.sets
    }
    paired = _made(params.work / "pairs", settings.mapping_pairs)
    prepared = _made(params.work / "prepared", settings.test)
    wanted = {name: getattr(settings, name) for name in merge.TRAIN_LISTS}
    tested = [*settings.test, *(params.detection.sets if params.detection.chains else [])]
    seen = merge.training_images(raw, wanted.values())
    unseen = pd.concat(list(merge.testing_lists(raw, tested).values()))
    places = merge.PathResolver.of(params)
    known = fingerprints.of_manifest(
        pd.concat([seen, unseen]), ["normal"], places.locate, ROOT / ".cache", params.jobs
    )
    leakage.check_leaks(leakage.find_leaks(seen, unseen, known), settings.accepted_leaks)
    held = validation.choose_validation(
        seen, known, settings.validation, params.seed, settings.group_views
    )
    training = merge.training_lists(raw, paired, wanted, held)
    if params.training:
        absent = jsonfile.read(params.work / "inventory" / "absent.json")
        merge.check_trainable(training, wanted, absent)
    testing = merge.testing_lists(raw | prepared, tested)
    for split, lists in (("train", training), ("test", testing)):
        for name, listed in lists.items():
            manifest.write_manifest(listed, params.work / "merge" / split / f"{name}.csv")
    counted = merge.counts(training).to_csv(index=False, lineterminator="\n")
    files.write_text(params.work / "merge" / "counts.csv", counted)


def _made(folder: Path, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the manifests that the stage before wrote for each set."""
    return {name: manifest.read_manifest(folder / name / "manifest.csv") for name in names}


if __name__ == "__main__":
    stages.run(merge_lists)
