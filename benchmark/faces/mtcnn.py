"""MTCNN (Zhang et al. 2016), with the weights that the facenet-pytorch wheel ships."""

import functools
import importlib.util
from pathlib import Path

import numpy as np

from benchmark.core.hashing import digest_values, sha256
from benchmark.core.images import Image, to_uint8
from benchmark.data.labels.boxes import Boxes, Detector
from benchmark.faces import anchors

_SMALLEST_FACE_PX = 6
_INCLUSIVE_TO_EDGES = (-0.5, -0.5, 0.5, 0.5)
"""Correction of box edges: MTCNN treats a box as x1 - x0 + 1 wide. Its centres need no correction:
those in mirrored WIDER FACE images are the mirrored centres (0.13 +- 0.07 px off, 183 faces)."""


def build(min_face_px: int = 12, floor: float = 0.01) -> Detector:
    """Build MTCNN, on the CPU.

    The image is rounded to 8 bits first, as it would be in a file. The score is that of the last of
    the three networks (O-Net). The library's threshold of this score, 0.7, would cut off the tail
    of the curve and is replaced by `floor`. P-Net keeps the library's threshold of 0.6, which
    determines the number of crops and hence the time; that of R-Net is lowered from 0.7 to 0.2.
    Faces that these two networks reject never get a score.

    Args:
        min_face_px: Side of the smallest face that is searched for, at least 6; time grows as its
            inverse square. The networks see at least 12 pixels, so below 12 the image is enlarged.
        floor: Lowest score that is returned, [0, 1).

    Returns:
        A detector that needs no internet access and is deterministic for a fixed number of torch
        threads.

    Raises:
        ValueError: An argument is out of range.
    """
    # The package takes seconds to import, which the other detectors need not wait for.
    from facenet_pytorch import MTCNN

    if min_face_px < _SMALLEST_FACE_PX:
        raise ValueError(
            f"Argument `min_face_px` must be at least {_SMALLEST_FACE_PX}, but got {min_face_px}."
        )
    if not 0.0 <= floor < 1.0:
        raise ValueError(f"Argument `floor` must be in [0, 1), but got {floor}.")
    network = MTCNN(
        min_face_size=min_face_px,
        thresholds=[0.6, 0.2, floor],
        keep_all=True,
        select_largest=False,
    )

    def detect(image: Image) -> Boxes:
        height, width, _ = image.shape
        if min(height, width) < min_face_px:
            return Boxes.none()  # the library's pyramid would have no level, which it cannot join
        boxes, scores = network.detect(to_uint8(image))
        if boxes is None:
            return Boxes.none()
        edges = boxes.astype(np.float64) + _INCLUSIVE_TO_EDGES
        return anchors.tidy(edges, scores.astype(np.float64), height, width)

    return detect


@functools.cache
def weights_digest() -> str:
    """Return the SHA-256 over the digests of the wheel's three networks."""
    spec = importlib.util.find_spec("facenet_pytorch")
    assert spec is not None  # a dependency of this suite
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "data"
    return digest_values([sha256(folder / f"{name}net.pt") for name in "pro"])
