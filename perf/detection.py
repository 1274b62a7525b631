"""Time the scoring of detections at the size of DARK FACE, and the memory that it takes.

    OMP_NUM_THREADS=1 python perf/detection.py [IMAGES]

6000 images, about 50 000 labelled faces and 750 detections in each image, 4.5 million in all: made
up, with as many near misses and duplicates as a detector of low thresholds gives. Prints seconds
and the peak of memory after each step. The aim is a minute and 2 GB for all of it on two cores.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmark.data.labels.boxes import MAX_BOXES, Boxes, read_detections, write_detections
from benchmark.faces import ap_protocols, average_precision

IMAGES, FACES_AN_IMAGE = 6000, 50_000 / 6000
IOUS = (0.3, 0.5, 0.7)
DRAWS = 1000
SIZE = np.array([1080.0, 720.0])

Result = TypeVar("Result")


def made_up(images: int, seed: int = 0) -> tuple[dict[str, Boxes], dict[str, Boxes]]:
    random = np.random.default_rng(seed)
    truth, found = {}, {}
    for image in range(images):
        count = int(random.poisson(FACES_AN_IMAGE))
        corners = random.uniform(0, 0.95, (count, 2)) * SIZE
        boxes = np.hstack([corners, corners + random.uniform(6, 40, (count, 2))])
        near = np.repeat(boxes, 4, axis=0)[:MAX_BOXES]
        near += random.normal(0, 2.5, near.shape)
        far = random.uniform(0, 0.95, (MAX_BOXES - len(near), 2)) * SIZE
        every = np.vstack([near, np.hstack([far, far + random.uniform(6, 40, far.shape)])])
        every[:, 2:] = np.maximum(every[:, 2:], every[:, :2])
        scores = random.beta(1, 6, MAX_BOXES)
        scores[: len(near)] = random.beta(2, 2, len(near))
        truth[f"{image}.png"] = Boxes.labelled(boxes)
        found[f"{image}.png"] = Boxes(every, scores)
    return truth, found


def timed(label: str, work: Callable[[], Result]) -> Result:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    seconds = f"{time.perf_counter() - wall:.1f} | {time.process_time() - cpu:.1f}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"| {label} | {seconds} | {peak:.2f} |", flush=True)
    return result


def curves(pooled: average_precision.Pool) -> None:
    for statistic in (ap_protocols.all_point, ap_protocols.df1000, ap_protocols.voc11):
        statistic(pooled)
    ap_protocols.precision_at(pooled, ap_protocols.RECALLS)


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    print("| step | seconds | CPU seconds | peak memory, GB |\n|:--|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "found.parquet"
        truth, made = timed("make up boxes (not scoring)", lambda: made_up(images))
        timed("write them (not scoring)", partial(write_detections, path, made))
        del made
        wall, cpu = time.perf_counter(), time.process_time()
        found = timed("read detections", lambda: read_detections(path))
        for iou in IOUS:
            pooling = partial(average_precision.pool, truth, found, iou)
            pooled = timed(f"match and pool, IoU {iou}", pooling)
            timed("all_point, df1000, voc11, precision at recalls", partial(curves, pooled))
            del pooled
        timed("coco101, IoU 0.5", lambda: ap_protocols.coco101(truth, found, 0.5))
        timed(
            f"interval, {DRAWS} resamples, IoU 0.5",
            lambda: average_precision.ap_interval(truth, found, 0.5, 0, DRAWS),
        )
        seconds = f"{time.perf_counter() - wall:.1f} | {time.process_time() - cpu:.1f}"
        print(f"| all scoring | {seconds} | |")


if __name__ == "__main__":
    main()
