"""Stage audit: what is wrong with the profile's raw sets, for reading and as a table."""

import pandas as pd

from benchmark import ROOT, stages
from benchmark.audit import page, run
from benchmark.core import files
from benchmark.core.params import Params
from benchmark.data import fingerprints, lists, manifest, split


def write_audit(params: Params) -> None:
    """Audit the raw sets; leaks are told here, and refused by the stage merge."""
    manifests: dict[str, pd.DataFrame] = {
        name: lists.inventory(params.work, name) for name in params.sets
    }
    registered: dict[str, pd.DataFrame] = {
        name: manifest.read_manifest(params.work / "pairs" / name / "manifest.csv")
        for name in params.merge.mapping_pairs
    }
    places = lists.PathResolver.of(params)
    settings = params.merge
    accepted = settings.accepted_leaks
    audited = run.audit(manifests, places, accepted, ROOT / ".cache", params.jobs)
    listed = lists.training_images(
        manifests, [getattr(settings, name) for name in lists.TRAIN_LISTS]
    )
    known = fingerprints.of_manifest(
        listed, ["normal"], places.locate, ROOT / ".cache", params.jobs
    )
    held = split.choose_validation(
        listed, known, settings.validation, params.seed, settings.group_views
    )
    shared = split.shared_views(listed, known, held)
    text = page.page(f"profile {params.profile}", audited, accepted, registered, shared)
    files.write_text(params.results / "data_audit.md", text)
    rows = audited.findings.to_csv(index=False, lineterminator="\n")
    files.write_text(params.results / "data_audit.csv", rows)


if __name__ == "__main__":
    stages.run(write_audit)
