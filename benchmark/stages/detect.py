"""Stage detect: faces found in one chain's outputs; boxes are kept, images are not."""

from benchmark import ROOT, compression, darkfaces, datasets, jsonfile, merge, provenance, stages
from benchmark.digests import digest_values
from benchmark.journal import Journal
from benchmark.methods import Chain
from benchmark.params import Params

CODE = ("benchmark.faces", "benchmark.methods", "benchmark.images", "benchmark.darkfaces")


def detect(params: Params, chain: str) -> None:
    """Run the detector on every output of a chain; finished images survive a kill."""
    places = merge.Places(tuple(datasets.raw_roots(params.raw)), params.work)
    jpegs = params.work / "jpeg" / "test"
    cases = compression.read_cases(jpegs / "faces.csv", jpegs, places)
    record = jsonfile.read(params.work / "chains.json")[chain]
    found = []
    for track in record["tracks"]:
        jobs = [
            darkfaces.Job(
                Chain.parse(chain), track, params.weights, case, params.detection.detector
            )
            for case in cases
        ]
        key = digest_values(
            [record, track, params.detection.detector, provenance.files_digest(CODE)]
        )
        journal = Journal(ROOT / ".cache" / "faces" / f"{key[:32]}.jsonl")
        found.append(darkfaces.detect(jobs, journal, params.jobs))
    darkfaces.write(params.work / "faces" / f"{chain}.parquet", found)


if __name__ == "__main__":
    stages.run(detect, "chain")
