"""Stage detect: faces found in one chain's outputs; boxes are kept, images are not."""

from benchmark import darkfaces, faces, jobs, stages
from benchmark.detect import detectors
from benchmark.params import Params

CODE = ("benchmark.methods", "benchmark.images")


def detect(params: Params, chain: str) -> None:
    """Run the detector on every output of a chain; finished images survive a kill."""
    to = params.work / "measured" / "faces" / chain
    to.mkdir(parents=True, exist_ok=True)
    detector = params.detection.detector
    identity = detectors.identity(detector).digest
    for track, planned in jobs.planned(params, chain, "faces").items():
        journal = jobs.journal(params, chain, "faces", track, identity, *CODE)
        work = [job for job in planned if job.case.qf or chain in params.detection.uncompressed]
        for (dataset, qf), found in darkfaces.detect(work, detector, journal, params.jobs).items():
            faces.write_detections(to / darkfaces.file_name(dataset, track, qf), found)


if __name__ == "__main__":
    stages.run(detect, "chain")
