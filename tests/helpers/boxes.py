"""Labels and detections in small, and AP as other people's tool computes it."""

import contextlib
import io
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from hypothesis import strategies as st

from benchmark.data.labels.boxes import Boxes, Regions


def truth(*boxes, invalid=(), crowd=()):
    """Build labels: faces, faces that do not count, and crowds."""
    regions = np.array([*invalid, *crowd], dtype=np.float64).reshape(-1, 4)
    is_crowd = np.arange(len(regions)) >= len(invalid)
    faces = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    return Boxes.labelled(faces, Regions(regions, is_crowd))


def found(*scored):
    """Build detections of (x0, y0, x1, y1, score)."""
    numbers = np.array(scored, dtype=np.float64).reshape(-1, 5)
    return Boxes(numbers[:, :4].copy(), numbers[:, 4].copy())


@st.composite
def boxes_of_images(draw, with_regions=False):
    """Draw small sets full of ties, duplicates, boxes without area and boxes off the image."""

    def box():
        x0, y0 = draw(st.integers(-4, 12)), draw(st.integers(-4, 12))
        return (x0, y0, x0 + draw(st.integers(0, 6)), y0 + draw(st.integers(0, 6)))

    labels, detections = {}, {}
    for image in range(draw(st.integers(1, 4))):
        labelled = [box() for _ in range(draw(st.integers(0, 4)))]
        near = [b for b in labelled if draw(st.booleans())]
        boxes = near + [box() for _ in range(draw(st.integers(0, 5)))]
        scored = [(*b, draw(st.sampled_from([0.1, 0.2, 0.5, 0.9]))) for b in boxes]
        regions = {"invalid": [], "crowd": []}
        for _ in range(draw(st.integers(0, 2)) if with_regions else 0):
            regions[draw(st.sampled_from(["invalid", "crowd"]))].append(box())
        labels[f"{image}.png"] = truth(*labelled, **regions)
        detections[f"{image}.png"] = found(*scored)
    labels["last.png"] = truth(box())
    detections["last.png"] = found()
    return labels, detections


def coco_tool(truth: Any, results: Any, iou: float, **params: Any) -> float:
    """Score with faster-coco-eval; truth and results are files or their content."""
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO(truth)
        run = COCOeval_faster(known, known.loadRes(results), "bbox", print_function=lambda *_: None)
        for name, value in (params | {"iouThrs": np.array([iou])}).items():
            setattr(run.params, name, value)
        run.evaluate()
        run.accumulate()
    return float(run.eval["precision"][0, :, 0, 0, -1].mean())
