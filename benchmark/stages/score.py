"""Stage score: one chain on every test image at every quality factor."""

import json
from typing import Any

from benchmark import ROOT, compression, datasets, merge, provenance, rows, scoring, stages
from benchmark.journal import Journal
from benchmark.methods import Chain
from benchmark.params import Params

CODE = ("benchmark.metrics", "benchmark.methods", "benchmark.images", "benchmark.scoring")


def score(params: Params, chain: str) -> None:
    """Score a chain with every kind of weights it has; finished images survive a kill."""
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    jpegs = params.work / "jpeg" / "test"
    cases = compression.read_cases(jpegs / "scores.csv", jpegs, places)
    record: dict[str, Any] = json.loads((params.work / "chains.json").read_text())[chain]
    made: list[rows.Row] = []
    for track in record["tracks"]:
        jobs = [scoring.Job(Chain.parse(chain), track, params.weights, case) for case in cases]
        key = provenance.digest([record, track, provenance.files_digest(CODE)])
        journal = Journal(ROOT / ".cache" / "scores" / f"{key[:32]}.jsonl")
        made += scoring.rows(params.profile, jobs, journal, params.jobs)
    rows.write(params.work / "rows" / f"{chain}.parquet", rows.frame(made))


if __name__ == "__main__":
    stages.run(score, "chain")
