"""Stage score: one chain on every test image at every quality factor."""

from benchmark import (
    ROOT,
    compression,
    datasets,
    jsonfile,
    merge,
    provenance,
    rows,
    scoring,
    stages,
)
from benchmark.digests import digest_values
from benchmark.journal import Journal
from benchmark.methods import Chain
from benchmark.params import Params

CODE = ("benchmark.metrics", "benchmark.methods", "benchmark.images", "benchmark.scoring")


def score(params: Params, chain: str) -> None:
    """Score a chain with every kind of weights it has; finished images survive a kill."""
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    jpegs = params.work / "jpeg" / "test"
    cases = compression.read_cases(jpegs / "scores.csv", jpegs, places)
    record = jsonfile.read(params.work / "chains.json")[chain]
    made: list[rows.Row] = []
    for track in record["tracks"]:
        jobs = [scoring.Job(Chain.parse(chain), track, params.weights, case) for case in cases]
        key = digest_values([record, track, provenance.files_digest(CODE)])
        journal = Journal(ROOT / ".cache" / "scores" / f"{key[:32]}.jsonl")
        made += scoring.rows(params.profile, jobs, journal, params.jobs)
    rows.write(params.work / "measured" / "rows" / f"{chain}.parquet", rows.frame(made))


if __name__ == "__main__":
    stages.run(score, "chain")
