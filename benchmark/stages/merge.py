"""Stage merge: the merged training and test lists, and the leak audit."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmark import ROOT, stages
from benchmark.core import files, jsonfile
from benchmark.core.params import Params
from benchmark.data import fingerprints, leakage, lists, manifest, split


def merge_lists(params: Params) -> None:
    """Merge the sets into training lists (Tables I and II) and test lists; refuse leaks."""
    settings = params.merge
    raw: dict[str, pd.DataFrame] = {
        name: lists.inventory(params.work, name) for name in params.sets
    }
    paired = _manifests(params.work / "pairs", settings.mapping_pairs)
    prepared = _manifests(params.work / "prepared", settings.test)
    sources = {name: getattr(settings, name) for name in lists.TRAIN_LISTS}
    tested = [*settings.test, *(params.detection.sets if params.detection.chains else [])]
    training_images = lists.training_images(raw, sources.values())
    testing_images = pd.concat(list(lists.testing_lists(raw, tested).values()))
    known = fingerprints.of_manifest(
        pd.concat([training_images, testing_images]),
        ["normal"],
        lists.PathResolver.of(params).locate,
        ROOT / ".cache",
        params.jobs,
    )
    leaks = leakage.find_leaks(training_images, testing_images, known)
    if settings.without_test_views:
        raw, paired = (leakage.without_leaks(frames, leaks) for frames in (raw, paired))
        training_images = lists.training_images(raw, sources.values())
        leaks = leakage.find_leaks(training_images, testing_images, known)
    leakage.check_leaks(leaks, settings.accepted_leaks)
    held = split.choose_validation(
        training_images, known, settings.validation, params.seed, settings.group_views
    )
    training = lists.training_lists(raw, paired, sources, held)
    if params.training:
        absent = jsonfile.read(params.work / "inventory" / "absent.json")
        lists.check_trainable(training, sources, absent)
    testing = lists.testing_lists(raw | prepared, tested)
    for part, manifests in (("train", training), ("test", testing)):
        for name, listed in manifests.items():
            manifest.write_manifest(listed, params.work / "merge" / part / f"{name}.csv")
    counted = lists.counts(training).to_csv(index=False, lineterminator="\n")
    files.write_text(params.work / "merge" / "counts.csv", counted)


def _manifests(folder: Path, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the manifests that the stage before wrote for each set."""
    return {name: manifest.read_manifest(folder / name / "manifest.csv") for name in names}


if __name__ == "__main__":
    stages.run(merge_lists)
