"""Stage detect: faces found in every chain's outputs; boxes are kept, images are not.

One stage for all chains: detectors are loaded once, and images that are done are found in the
cache.
"""

from collections.abc import Sequence

from benchmark import stages
from benchmark.core import jsonfile
from benchmark.core.params import Params
from benchmark.data.labels import boxes
from benchmark.faces import detect as detection
from benchmark.faces import detectors
from benchmark.scoring import plan
from benchmark.scoring.jobs import Work


def detect(params: Params) -> None:
    """Run the detectors on every output of every chain; finished images survive a kill."""
    stages.emptied(params.work / "measured" / "faces")
    if not params.detection.chains:
        return
    _with(params, params.detection.detector, params.detection.chains, "")
    for detector, chains in params.detection.others.items():
        _with(params, detector, chains, detector)


def _with(params: Params, detector: str, chains: Sequence[str], below: str) -> None:
    """Write a detector's boxes for some chains, each into its folder or one below it."""
    identity = detectors.identity(detector)
    uncompressed = [] if below else params.detection.uncompressed
    work = plan.work(params, chains, "faces", "faces", detection.__name__, identity.digest)
    chosen = [
        Work([job for job in jobs if job.case.qf or chain in uncompressed], cache)
        for (chain, _), (jobs, cache) in work.items()
    ]
    found = detection.detect(chosen, detector, params.jobs)
    for chain in chains:
        folder = params.work / "measured" / "faces" / chain / below
        jsonfile.write(folder / detection.DETECTOR, identity._asdict())
    for (chain, track), by_place in zip(work, found, strict=True):
        folder = params.work / "measured" / "faces" / chain / below
        for (dataset, qf), detections in by_place.items():
            boxes.write_detections(folder / detection.file_name(dataset, track, qf), detections)


if __name__ == "__main__":
    stages.run(detect)
