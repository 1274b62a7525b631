"""Stage audit: what is wrong with the profile's raw sets, for reading and as a table."""

import pandas as pd

from benchmark import (
    ROOT,
    audit,
    auditpage,
    datasets,
    merge,
    outputs,
    pairs,
    prints,
    stages,
    validation,
)
from benchmark.params import Params


def write_audit(params: Params) -> None:
    """Audit the raw sets; leaks are told here, and refused by the stage merge."""
    manifests: dict[str, pd.DataFrame] = {
        name: merge.prefixed(
            pairs.read_manifest(params.work / "inventory" / f"{name}.csv"), f"raw/{name}/"
        )
        for name in params.sets
    }
    registered: dict[str, pd.DataFrame] = {
        name: pairs.read_manifest(params.work / "pairs" / name / "manifest.csv")
        for name in params.merge.mapping_pairs
    }
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    settings = params.merge
    accepted = settings.accepted_leaks
    found = audit.audit(manifests, places, accepted, ROOT / ".cache", params.jobs)
    listed = merge.seen(manifests, [getattr(settings, name) for name in merge.TRAIN_LISTS])
    known = prints.of_manifest(listed, ["normal"], places.locate, ROOT / ".cache", params.jobs)
    held = validation.hold_back(
        listed, known, settings.validation, params.seed, settings.group_views
    )
    shared = validation.repeated(listed, known, held)
    text = auditpage.page(f"profile {params.profile}", found, accepted, registered, shared)
    outputs.write_text(params.results / "data_audit.md", text)
    rows = found.findings.to_csv(index=False, lineterminator="\n")
    outputs.write_text(params.results / "data_audit.csv", rows)


if __name__ == "__main__":
    stages.run(write_audit)
