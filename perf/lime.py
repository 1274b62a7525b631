"""Time LIME's solver against the plain one: the system assembled pixel by pixel, then `spsolve`.

    OMP_NUM_THREADS=1 python perf/lime.py

The image is a photograph from scikit-image, darkened and compressed at quality 80. Prints, by
size, the seconds of CPU time of both for the refined illumination, the best of three for ours, and
the largest difference between the two illuminations.
"""

import time
from collections.abc import Callable

import numpy as np
import skimage.data
from scipy import sparse
from scipy.sparse.linalg import spsolve

from baselines import lime
from benchmark.core import jpeg
from benchmark.core.images import Bytes, Image, to_float, to_uint8

SIZES = ((100, 150), (200, 300), (400, 600))
ALPHA, SIGMA = 0.15, 2.0


def dark_image(height: int, width: int) -> Image:
    photograph: Bytes = skimage.data.coffee()  # type: ignore[no-untyped-call]
    bright = to_float(photograph[:height, :width])
    return to_float(jpeg.compress(to_uint8(np.float32(0.2) * bright**2), 80))


def fast(image: Image) -> lime.Floats:
    return lime.illumination(image, ALPHA, SIGMA)


def plain(image: Image) -> lime.Floats:
    brightest = image.max(2).astype(np.float64)
    horizontal, vertical = lime.link_strengths(brightest, ALPHA, SIGMA)
    height, width = brightest.shape
    matrix = sparse.lil_matrix((brightest.size, brightest.size))
    for row in range(height):
        for column in range(width):
            here, total = row * width + column, 1.0
            for there, strength in neighbours(row, column, horizontal, vertical):
                matrix[here, there] = -strength
                total += strength
            matrix[here, here] = total
    solution: lime.Floats = spsolve(matrix.tocsc(), brightest.ravel())
    return solution.reshape(height, width)


def neighbours(
    row: int, column: int, horizontal: lime.Floats, vertical: lime.Floats
) -> list[tuple[int, float]]:
    height, width = horizontal.shape[0], vertical.shape[1]
    here, found = row * width + column, []
    if column > 0:
        found.append((here - 1, float(horizontal[row, column - 1])))
    if column + 1 < width:
        found.append((here + 1, float(horizontal[row, column])))
    if row > 0:
        found.append((here - width, float(vertical[row - 1, column])))
    if row + 1 < height:
        found.append((here + width, float(vertical[row, column])))
    return found


def timed(work: Callable[[Image], lime.Floats], image: Image) -> tuple[float, lime.Floats]:
    start = time.process_time()
    result = work(image)
    return time.process_time() - start, result


def main() -> None:
    print("height x width   plain (s)   ours (s)   ratio   largest difference")
    for height, width in SIZES:
        image = dark_image(height, width)
        before, expected = timed(plain, image)
        after, found = min((timed(fast, image) for _ in range(3)), key=lambda run: run[0])
        worst = np.abs(found - expected).max()
        size = f"{height} x {width}"
        print(f"{size:<14}{before:>12.2f}{after:>11.3f}{before / after:>8.0f}{worst:>21.1e}")


if __name__ == "__main__":
    main()
