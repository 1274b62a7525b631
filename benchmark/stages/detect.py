"""Stage detect: faces found in every chain's outputs; boxes are kept, images are not.

One stage for all chains: detectors are loaded once, and images that are done are found in the
cache.
"""

from pathlib import Path

from benchmark import stages
from benchmark.core import jsonfile
from benchmark.core.params import Params
from benchmark.data.labels import boxes
from benchmark.faces import detect as detection
from benchmark.faces import detectors
from benchmark.scoring import plan


def detect(params: Params) -> None:
    """Run the detectors on every output of every chain; finished images survive a kill."""
    folder = stages.emptied(params.work / "measured" / "faces")
    for chain in params.detection.chains:
        _with(params, chain, params.detection.detector, folder / chain)
        for detector, chains in params.detection.others.items():
            if chain in chains:
                _with(params, chain, detector, folder / chain / detector)


def _with(params: Params, chain: str, detector: str, to: Path) -> None:
    identity = detectors.identity(detector)
    jsonfile.write(to / detection.DETECTOR, identity._asdict())
    raw = chain in params.detection.uncompressed and detector == params.detection.detector
    for track, planned in plan.planned(params, chain, "faces").items():
        journal = plan.journal(params, chain, track, "faces", detection.__name__, identity.digest)
        work = [job for job in planned if job.case.qf or raw]
        for (dataset, qf), detections in detection.detect(
            work, detector, journal, params.jobs
        ).items():
            boxes.write_detections(to / detection.file_name(dataset, track, qf), detections)


if __name__ == "__main__":
    stages.run(detect)
