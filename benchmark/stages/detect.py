"""Stage detect: faces found in one chain's outputs; boxes are kept, images are not."""

from benchmark import (
    ROOT,
    compression,
    darkfaces,
    datasets,
    faces,
    jsonfile,
    merge,
    provenance,
    stages,
)
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
    to = params.work / "measured" / "faces" / chain
    to.mkdir(parents=True, exist_ok=True)
    record = jsonfile.read(params.work / "chains.json")[chain]
    parsed, detector = Chain.parse(chain), params.detection.detector
    for track in record["tracks"]:
        jobs = [darkfaces.Job(parsed, track, params.weights, case, detector) for case in cases]
        key = digest_values([record, track, detector, provenance.files_digest(CODE)])
        journal = Journal(ROOT / ".cache" / "faces" / f"{key[:32]}.jsonl")
        for qf, found in darkfaces.detect(jobs, journal, params.jobs).items():
            faces.write_detections(to / darkfaces.file_name(track, qf), found)


if __name__ == "__main__":
    stages.run(detect, "chain")
