"""Stage detect: faces found in one chain's outputs; boxes are kept, images are not."""

from pathlib import Path

from benchmark import darkfaces, faces, jobs, jsonfile, stages
from benchmark.detect import detectors
from benchmark.params import Params

CODE = ("benchmark.methods", "benchmark.images")


def detect(params: Params, chain: str) -> None:
    """Run the detectors on every output of a chain; finished images survive a kill."""
    to = params.work / "measured" / "faces" / chain
    _with(params, chain, params.detection.detector, to)
    for other, chains in params.detection.others.items():
        if chain in chains:
            _with(params, chain, other, to / other)


def _with(params: Params, chain: str, detector: str, to: Path) -> None:
    identity = detectors.identity(detector)
    jsonfile.write(to / darkfaces.DETECTOR, identity._asdict())
    raw = chain in params.detection.uncompressed and detector == params.detection.detector
    for track, planned in jobs.planned(params, chain, "faces").items():
        journal = jobs.journal(params, chain, "faces", track, identity.digest, *CODE)
        work = [job for job in planned if job.case.qf or raw]
        for (dataset, qf), found in darkfaces.detect(work, detector, journal, params.jobs).items():
            faces.write_detections(to / darkfaces.file_name(dataset, track, qf), found)


if __name__ == "__main__":
    stages.run(detect, "chain")
